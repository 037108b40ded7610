"""The models that are measured, made anew in each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MODELS"]


def _data() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    inputs = np.random.default_rng(0).normal(size=(2_000, 20))
    return inputs, (inputs[:, 0] + inputs[:, 1] ** 2 > 0.5).astype(int)


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, random_state=0, n_jobs=2).fit(*_data())


def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(n_estimators=500, random_state=0).fit(*_data())


def _histograms() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=200, random_state=0).fit(*_data())


def _text() -> Any:
    """A vocabulary of a million words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = np.random.default_rng(0).permutation(1_000_000)
    return TfidfVectorizer().fit(" ".join(f"word{n:07d}" for n in chunk) for chunk in np.array_split(words, 1_000))


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*_data())


def _array() -> Any:
    return np.random.default_rng(0).normal(size=(50_000, 1_000))


MODELS: Mapping[str, Callable[[], Any]] = {
    "forest": _forest,
    "boosting": _boosting,
    "histograms": _histograms,
    "text": _text,
    "logistic": _logistic,
    "array": _array,
}
