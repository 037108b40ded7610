"""Three models on data that comes with scikit-learn; the same split and the same fit in every process."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MODELS", "Split", "Subject", "fingerprint"]

_SEED = 7
_PASSAGE = 20


@dataclass(frozen=True, slots=True)
class Split:
    """`known` and `unseen` are what the model reads; the labels belong to them."""

    known: Any
    unseen: Any
    known_labels: Any
    unseen_labels: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """`title` for people; `data` and `model` make a fresh one each time."""

    title: str
    data: Callable[[], Split]
    model: Callable[[], Any]


def fingerprint(model: Any, inputs: Any) -> str:
    """SHA-256 over every bit that the model predicts for `inputs`."""
    import hashlib

    hashed = hashlib.sha256()
    for predicted in (model.predict(inputs), model.predict_proba(inputs)):
        hashed.update(f"{predicted.dtype.str} {predicted.shape}\n".encode())
        hashed.update(predicted.tobytes())
    return hashed.hexdigest()


def _split(inputs: Any, labels: Any) -> Split:
    from sklearn.model_selection import train_test_split

    return Split(*train_test_split(inputs, labels, test_size=0.3, random_state=_SEED, stratify=labels))


def _cancer() -> Split:
    from sklearn.datasets import load_breast_cancer

    return _split(*load_breast_cancer(return_X_y=True))


def _digits() -> Split:
    from sklearn.datasets import load_digits

    return _split(*load_digits(return_X_y=True))


def _descriptions() -> Split:
    """Passages of the data sets' descriptions; the label is the data set that a passage is about."""
    from sklearn import datasets

    subjects = ("breast_cancer", "diabetes", "digits", "iris", "wine")
    pairs = [
        (passage, subject)
        for subject in subjects
        for passage in _passages(getattr(datasets, f"load_{subject}")().DESCR)
    ]
    return _split([passage for passage, _ in pairs], [subject for _, subject in pairs])


def _passages(text: str) -> Iterator[str]:
    words = re.findall(r"[A-Za-z]+", text)
    for start, end in pairwise(range(0, len(words) + 1, _PASSAGE)):
        yield " ".join(words[start:end])


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(RandomForestClassifier(n_estimators=100, random_state=_SEED))


def _bayes() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import ComplementNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(TfidfVectorizer(stop_words="english", sublinear_tf=True), ComplementNB())


MODELS: dict[str, Subject] = {
    "cancer": Subject("breast cancer, regression", _cancer, _regression),
    "digits": Subject("digits, random forest", _digits, _forest),
    "text": Subject("texts, naive Bayes", _descriptions, _bayes),
}
