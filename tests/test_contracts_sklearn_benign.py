"""Estimators in rarer states, all of them genuine: the end check refuses none."""

from __future__ import annotations

import io
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import HDBSCAN, BisectingKMeans, KMeans, MiniBatchKMeans
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics.pairwise import laplacian_kernel
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, NearestNeighbors, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MultiLabelBinarizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

import safeload
from testkit.estimators import CLASSES, COUNTS, LABELS, TARGETS, TEXTS, VALUES, X, outputs, same

pytestmark = pytest.mark.filterwarnings("ignore")

PAIR = CLASSES == 0
NAMES = np.array([["rare" if row == 0 else "abc"[row % 3], "de"[row % 2]] for row in range(len(X))], dtype=object)
COARSE = np.column_stack((X, CLASSES))  # the last column is of categories
BOTH = np.column_stack((CLASSES, np.where(PAIR, 5, 7)))  # two outputs of three and two classes


class OwnForest(RandomForestClassifier):  # type: ignore[misc]
    """A user's class."""


def _partly(estimator: Any, *data: Any, **arguments: Any) -> Any:
    return estimator.partial_fit(*data, **arguments)


def _grown(estimator: Any, data: Any, target: Any) -> Any:
    """Fitted, told to be larger, and fitted on."""
    estimator.fit(data, target)
    return estimator.set_params(n_estimators=estimator.n_estimators + 2, warm_start=True).fit(data, target)


with warnings.catch_warnings(action="ignore"):  # small data, and parameters that are deprecated
    MODELS: dict[str, tuple[Any, Any]] = {
        "forest of two outputs": (RandomForestClassifier(3, random_state=0).fit(X, BOTH), X),
        "forest of labels": (ExtraTreesClassifier(3, random_state=0).fit(X, LABELS), X),
        "forest of targets": (RandomForestRegressor(3, random_state=0).fit(X, TARGETS), X),
        "forest of a user's class": (OwnForest(3, random_state=0).fit(X, CLASSES), X),
        "forest on sparse data": (RandomForestClassifier(3).fit(scipy.sparse.csr_matrix(COUNTS), CLASSES), COUNTS),
        "forest that grew": (_grown(RandomForestClassifier(2), X, CLASSES), X),
        "one class only": (RandomForestClassifier(2).fit(X, np.zeros(len(X))), X),
        "pruned tree": (DecisionTreeClassifier(ccp_alpha=0.05).fit(X, CLASSES), X),
        "tree of two outputs": (DecisionTreeClassifier().fit(X, BOTH), X),
        "isolation of some columns": (IsolationForest(n_estimators=3, max_features=2, random_state=0).fit(X), X),
        "bagging of some columns": (BaggingClassifier(n_estimators=3, max_features=0.5).fit(X, CLASSES), X),
        "bagging of doubled columns": (BaggingRegressor(bootstrap_features=True).fit(X, VALUES), X),
        "boosting of two classes": (GradientBoostingClassifier(n_estimators=2).fit(X, PAIR), X),
        "boosting from zero": (GradientBoostingClassifier(n_estimators=2, init="zero").fit(X, CLASSES), X),
        "boosting from a model": (
            GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()).fit(X, CLASSES),
            X,
        ),
        "boosting from a pipeline": (
            GradientBoostingRegressor(n_estimators=2, init=make_pipeline(StandardScaler(), Ridge())).fit(X, VALUES),
            X,
        ),
        "boosting stopped early": (GradientBoostingClassifier(n_estimators=50, n_iter_no_change=1).fit(X, CLASSES), X),
        "boosting that grew": (_grown(GradientBoostingRegressor(n_estimators=2), X, VALUES), X),
        "adaptive boosting": (AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3).fit(X, PAIR), X),
        "histograms of two classes": (HistGradientBoostingClassifier(max_iter=2).fit(X, PAIR), X),
        "histograms of one leaf": (HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=40).fit(X, VALUES), X),
        "histograms, last column": (
            HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=2, categorical_features=[4]).fit(COARSE, VALUES),
            COARSE,
        ),
        "histograms, all columns": (
            HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2, categorical_features=[0, 1, 2, 3]).fit(
                COUNTS, CLASSES
            ),
            COUNTS,
        ),
        "histograms, early stopping": (
            HistGradientBoostingClassifier(max_iter=3, early_stopping=True, n_iter_no_change=1).fit(X, CLASSES),
            X,
        ),
        "neighbours of two outputs": (KNeighborsClassifier(3).fit(X, BOTH), X),
        "neighbours by brute force": (KNeighborsClassifier(3, algorithm="brute").fit(X.astype(np.float32), CLASSES), X),
        "neighbours of names": (KNeighborsClassifier(3).fit(X, CLASSES.astype(str)), X),
        "neighbours of one column": (KNeighborsClassifier(3).fit(X, CLASSES[:, None]), X),
        "neighbours within": (RadiusNeighborsClassifier(9.0, outlier_label=7).fit(X, CLASSES), X),
        "neighbours, leaf of one": (NearestNeighbors(algorithm="kd_tree", leaf_size=1).fit(X), X),
        "neighbours, few": (NearestNeighbors(n_neighbors=1, algorithm="ball_tree", leaf_size=1).fit(X[:3]), X),
        "density with weights": (KernelDensity(leaf_size=3).fit(X, sample_weight=np.arange(1.0, 49.0)), X),
        "machine with probabilities": (SVC(probability=True, random_state=0).fit(X, CLASSES), X),
        "machine of two classes": (SVC(probability=True, kernel="linear", random_state=0).fit(X, PAIR), X),
        "machine with a function": (SVC(kernel=laplacian_kernel).fit(X, CLASSES), X),
        "machine with a kernel of processes": (SVC(kernel=RBF() + WhiteKernel()).fit(X, CLASSES), X),
        "machine, class weights": (NuSVC(nu=0.2, class_weight="balanced").fit(X, CLASSES), X),
        "sparse regression": (SVR().fit(scipy.sparse.csr_matrix(COUNTS), VALUES), scipy.sparse.csr_matrix(COUNTS)),
        "sparse one class": (OneClassSVM().fit(scipy.sparse.csr_matrix(COUNTS)), scipy.sparse.csr_matrix(COUNTS)),
        "regression on a kernel": (SVR(kernel="precomputed").fit(X @ X.T, VALUES), X @ X.T),
        "dummy of two outputs": (DummyClassifier(strategy="prior").fit(X, BOTH), X),
        "dummy constant": (DummyClassifier(strategy="constant", constant=1).fit(X, CLASSES), X),
        "rare categories": (OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist").fit(NAMES), NAMES),
        "rare and dropped": (OneHotEncoder(max_categories=2, drop="first").fit(NAMES), NAMES),
        "dropped if binary": (OneHotEncoder(drop="if_binary").fit(NAMES), NAMES),
        "categories with holes": (OneHotEncoder().fit([[1.0], [np.nan], [0.5]]), [[0.5], [np.nan]]),
        "bins": (KBinsDiscretizer(4, encode="onehot-dense").fit(X), X),
        "fixed words": (CountVectorizer(vocabulary={"cat": 0, "dog": 1}).fit(TEXTS), TEXTS),
        "few words": (TfidfVectorizer(max_features=2).fit(TEXTS), TEXTS),
        "labels used once": (MultiLabelBinarizer().fit([{1, 2}, {3}]), [{1}, {2, 3}]),
        "two centres": (BisectingKMeans(2, random_state=0).fit(X), X),
        "float centres": (KMeans(2, random_state=0, n_init=1).fit(X.astype(np.float32)), X.astype(np.float32)),
        "partly fitted centres": (_partly(MiniBatchKMeans(2, random_state=0, n_init=1), X), X),
        "partly fitted factors": (_partly(MiniBatchNMF(2, random_state=0), COUNTS.astype(float)), COUNTS.astype(float)),
        "factors": (NMF(None, max_iter=5).fit(COUNTS), COUNTS),
    }
UNFITTED = (
    BaggingClassifier, BisectingKMeans, CountVectorizer, DummyClassifier, GradientBoostingClassifier, HDBSCAN,
    HashingVectorizer, HistGradientBoostingClassifier, IsolationForest, KMeans, KNeighborsClassifier, NMF,
    MultiLabelBinarizer, OneHotEncoder, RandomForestClassifier, SVC, TfidfVectorizer,
)  # fmt: skip


@pytest.mark.parametrize("name", list(MODELS))
def test_a_genuine_model_in_a_rare_state_loads_and_computes_the_same(name: str) -> None:
    model, data = MODELS[name]
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(model)), policy=_policy())
    assert all(same(a, b) for a, b in zip(outputs(model, data), outputs(loaded, data), strict=True))


@pytest.mark.parametrize("estimator", UNFITTED)
def test_an_estimator_that_is_not_fitted_loads(estimator: type) -> None:
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(estimator())))
    assert type(loaded) is estimator


def _policy() -> safeload.Policy:
    return safeload.Policy.untrusted().allow(f"{__name__}.OwnForest")
