"""scipy's Mahalanobis distance reads a matrix of the size that it should have, whatever size it has."""

from __future__ import annotations

import copy
import functools
import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn import cluster, covariance, manifold, metrics, neighbors
from sklearn.preprocessing import FunctionTransformer

import safeload
from safeload.errors import CodecError, PolicyError
from testkit.estimators import CLASSES, X

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = X.shape[1]
GOOD = {"VI": np.linalg.inv(np.cov(X.T))}
BRUTE = {"algorithm": "brute", "metric": "mahalanobis", "metric_params": GOOD}

FITTED: dict[str, Callable[[], Any]] = {
    "neighbours": lambda: neighbors.NearestNeighbors(**BRUTE).fit(X),
    "classes": lambda: neighbors.KNeighborsClassifier(**BRUTE).fit(X, CLASSES),
    "values": lambda: neighbors.RadiusNeighborsRegressor(1.0, **BRUTE).fit(X, X[:, 0]),
    "graph": lambda: neighbors.KNeighborsTransformer(**BRUTE).fit(X),
    "outliers": lambda: neighbors.LocalOutlierFactor(novelty=True, **BRUTE).fit(X),
    "dense places": lambda: cluster.DBSCAN(**BRUTE).fit(X),
    "order": lambda: cluster.OPTICS(**BRUTE).fit(X),
    "levels": lambda: cluster.HDBSCAN(copy=True, **BRUTE).fit(X),
    "map": lambda: manifold.Isomap(
        neighbors_algorithm="brute", metric="mahalanobis", metric_params=GOOD, n_neighbors=20
    ).fit(X),
    "embedding": lambda: manifold.TSNE(metric="mahalanobis", metric_params=GOOD, init="random").fit(X),
}
COVARIANCES = (
    covariance.EmpiricalCovariance, covariance.EllipticEnvelope, covariance.GraphicalLasso, covariance.LedoitWolf,
    covariance.MinCovDet, covariance.OAS, covariance.ShrunkCovariance,
)  # fmt: skip


@functools.cache
def fitted(name: str) -> Any:
    return FITTED[name]()


def loaded(model: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(pickle.dumps(model)))


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("bad", [np.eye(1), np.eye(WIDTH + 1), np.ones(WIDTH), [[1.0]], np.eye(WIDTH).astype(object)])
def test_a_matrix_of_another_size_is_refused(name: str, bad: Any) -> None:
    model = fitted(name)
    assert np.array_equal(loaded(model).metric_params["VI"], GOOD["VI"])
    for attribute in ("metric_params", "effective_metric_params_"):
        if hasattr(model, attribute):
            forged = copy.deepcopy(model)
            setattr(forged, attribute, {"VI": bad})
            with pytest.raises(CodecError, match="the state of a sklearn"):
                loaded(forged)


def test_the_neighbours_are_those_of_the_unsaved_model() -> None:
    model = fitted("neighbours")
    assert np.array_equal(loaded(model).kneighbors(X)[0], model.kneighbors(X)[0])


@pytest.mark.parametrize("make", [neighbors.NearestNeighbors, cluster.DBSCAN])
def test_a_matrix_for_data_that_nobody_knows_yet_is_refused(make: Any) -> None:
    with pytest.raises(CodecError, match="the state of a sklearn"):
        loaded(make(**BRUTE))
    assert loaded(make(metric="minkowski", metric_params={"w": np.ones(WIDTH)})).get_params()["metric"] == "minkowski"


@pytest.mark.parametrize("kind", COVARIANCES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ["precision_", "covariance_", "location_"])
def test_a_covariance_has_a_row_and_a_column_for_each_feature(kind: Any, name: str) -> None:
    model = kind().fit(X)
    assert np.array_equal(loaded(model).mahalanobis(X), model.mahalanobis(X))
    setattr(model, name, getattr(model, name)[:1])
    with pytest.raises(CodecError, match="the state of a sklearn"):
        loaded(model)


@pytest.mark.parametrize(
    "name",
    ["pairwise_distances", "pairwise_distances_argmin", "pairwise_distances_argmin_min", "silhouette_samples"],
)
def test_no_function_hands_the_words_of_a_file_on(name: str) -> None:
    with pytest.raises(PolicyError, match=name):
        loaded(FunctionTransformer(getattr(metrics, name), kw_args={"metric": "mahalanobis", "VI": np.eye(1)}))
