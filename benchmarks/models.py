"""The models that are measured, made in each run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MODELS", "arrays", "trees"]


def _data() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    inputs = np.random.default_rng(0).normal(size=(2_000, 20))
    return inputs, (inputs[:, 0] + inputs[:, 1] ** 2 > 0.5).astype(int)


@cache  # the quick form asks three times for those that take seconds to fit
def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, random_state=0, n_jobs=2).fit(*_data())


@cache
def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=500, random_state=0).fit(*_data())


@cache
def _histograms() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=200, random_state=0).fit(*_data())


def _text() -> Any:
    """A vocabulary of a million words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = np.random.default_rng(0).permutation(1_000_000)
    return TfidfVectorizer().fit(" ".join(f"word{n:07d}" for n in chunk) for chunk in np.array_split(words, 1_000))


def _small() -> Any:
    """20 kB, as most models in production are."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rng.normal(size=(500, 100)), np.arange(500) % 10)


def trees(megabytes: int) -> Any:
    """A forest of few and large trees, of about that size."""
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(20_000, 6)).astype("f4"), rng.normal(size=20_000)
    forest = RandomForestRegressor(max(1, megabytes * 5 // 9), random_state=0, n_jobs=2)
    return forest.fit(inputs[: 200 * megabytes], targets[: 200 * megabytes])


def arrays(megabytes: int) -> dict[str, np.ndarray[Any, Any]]:
    """Ten arrays of that size in all, like the weights of a network."""
    first = np.random.default_rng(0).standard_normal(megabytes * 25_000, "f4")
    return {f"w{n}": first + np.float32(n) for n in range(10)}


MODELS: Mapping[str, Callable[[], Any]] = {
    "forest": _forest,
    "boosting": _boosting,
    "histograms": _histograms,
    "text": _text,
    "small": _small,
}
