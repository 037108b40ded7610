"""Fitted estimators that would start threads without number, or go round for ever, when they are asked to predict."""

from __future__ import annotations

import decimal
import io
import pickle
import time
import uuid
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, DictionaryLearning, LatentDirichletAllocation, MiniBatchNMF, SparseCoder
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import safeload
from safeload.errors import CodecError
from testkit.estimators import CLASSES, X

POSITIVE = np.abs(X)
JOBS = {
    "neighbours": KNeighborsClassifier().fit(X, CLASSES),
    "forest": RandomForestClassifier(3, random_state=0).fit(X, CLASSES),
    "one against the rest": OneVsRestClassifier(LogisticRegression()).fit(X, CLASSES),
    "regression": LinearRegression().fit(X, CLASSES),
    "columns": ColumnTransformer([("a", StandardScaler(), [0])]).fit(X),
}
ROUNDS: dict[str, tuple[Any, str]] = {
    "NMF": (NMF(2, max_iter=500, random_state=0).fit(POSITIVE), "max_iter"),
    "NMF that multiplies": (NMF(2, solver="mu", max_iter=500, random_state=0).fit(POSITIVE), "max_iter"),
    "MiniBatchNMF": (MiniBatchNMF(2, tol=0.1, random_state=0).fit(POSITIVE), "_transform_max_iter"),
    "LDA": (LatentDirichletAllocation(2, max_iter=2, random_state=0).fit(POSITIVE), "max_doc_update_iter"),
    "DictionaryLearning": (
        DictionaryLearning(2, transform_algorithm="lasso_cd", max_iter=2, random_state=0).fit(X),
        "transform_max_iter",
    ),
    "SparseCoder": (SparseCoder(np.eye(X.shape[1]), transform_algorithm="lasso_cd").fit(X), "transform_max_iter"),
}


def loaded(model: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))


def changed(model: Any, **attributes: Any) -> Any:
    copy = pickle.loads(pickle.dumps(model))  # one's own
    vars(copy).update(attributes)
    return copy


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize(
    "jobs",
    [
        100_000, 1e9, "100000", b"9999", np.int64(5_000), np.array(5_000), decimal.Decimal(5_000),
        uuid.UUID(int=5_000),
    ],
    ids=str,
)  # fmt: skip
def test_jobs_without_number_are_refused(name: str, jobs: Any) -> None:
    with pytest.raises(CodecError, match="n_jobs"):
        loaded(changed(JOBS[name], n_jobs=jobs))


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("jobs", [None, 1, -1, -2, 64, 256, 1_024, np.int64(8), 2.0, "auto", True], ids=str)
def test_as_many_jobs_as_people_ask_for_load(name: str, jobs: Any) -> None:
    assert loaded(changed(JOBS[name], n_jobs=jobs)).n_jobs == jobs


def test_a_part_that_starts_jobs_is_found_wherever_it_is() -> None:
    inner = changed(JOBS["neighbours"], n_jobs=10**6)
    outer = changed(JOBS["one against the rest"], estimators_=[inner])
    with pytest.raises(CodecError, match="n_jobs"):
        loaded(outer)
    boosting = HistGradientBoostingClassifier(max_iter=2).fit(X, CLASSES)
    boosting._bin_mapper.n_threads = 10**6
    with pytest.raises(CodecError, match="n_threads"):
        loaded(boosting)


@pytest.mark.parametrize("name", ROUNDS)
def test_rounds_without_number_are_refused(name: str) -> None:
    model, attribute = ROUNDS[name]
    assert attribute in vars(model)
    for rounds in (10**9, np.int64(10**9)):
        with pytest.raises(CodecError, match=attribute):
            loaded(changed(model, **{attribute: rounds}))


@pytest.mark.parametrize("name", ROUNDS)
def test_as_many_rounds_as_people_ask_for_load(name: str) -> None:
    model, attribute = ROUNDS[name]
    for rounds in (1_000, 10**6):
        result = loaded(changed(model, **{attribute: rounds}))
        assert np.array_equal(result.transform(POSITIVE), changed(model, **{attribute: rounds}).transform(POSITIVE))


def test_rounds_end_whatever_the_tolerance() -> None:
    """That the bound is on what makes them end: of nan nothing is ever less."""
    model = changed(ROUNDS["NMF"][0], tol=float("nan"), max_iter=2_000)
    start = time.perf_counter()
    loaded(model).transform(POSITIVE[:1])
    taken = time.perf_counter() - start
    assert taken < 30


def test_a_gaussian_process_that_never_ends_is_refused() -> None:
    model = GaussianProcessClassifier(random_state=0).fit(X, CLASSES[0] == CLASSES)
    assert loaded(model).predict(X).shape == (len(X),)
    model.base_estimator_.max_iter_predict = 10**9
    with pytest.raises(CodecError, match="max_iter_predict"):
        loaded(model)
