"""What is mutated: every estimator of scikit-learn, fitted twice on data of different shapes, and plain objects.

The other libraries have files of their own. Each family is written by pickle (protocols 2, 4, 5) and by joblib. The
second model of a family has another number of features, classes, rows: what a mutation pairs is valid in itself, and
fits nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from sklearn import base, cluster, ensemble, feature_extraction, neighbors, preprocessing, svm
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fuzz.families_boosters import boosters
from fuzz.families_frames import frames
from fuzz.families_members import MEMBERS
from fuzz.families_scipy import scipys
from fuzz.family import KINDS, Family
from testkit.estimators import (
    CLASSES,
    COUNTS,
    DATA,
    TARGETS,
    TEXTS,
    VALUES,
    X,
    composed,
    fitted_estimators,
    outputs,
    plain_objects,
)
from testkit.estimators import _fitted as fitted
from testkit.estimators import _silence as silence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["families"]

_ROWS = 31
_random = np.random.RandomState(7)
_OTHER = _random.normal(size=(_ROWS, 9))
_OTHER_CLASSES = np.arange(_ROWS) % 5
_OTHER_VALUES = _OTHER @ np.arange(9.0)
# What takes the place of the data of the test kit, and of the targets.
_INSTEAD = (
    (X, _OTHER),
    (COUNTS, _random.poisson(2, size=(_ROWS, 9))),
    (TEXTS, [f"word{n % 7} of {n % 3} other text{n % 5}" for n in range(_ROWS)]),
    (CLASSES, _OTHER_CLASSES),
    (VALUES, _OTHER_VALUES),
    (TARGETS, np.column_stack([_OTHER_VALUES, _OTHER[:, 0], _OTHER[:, 1]])),
    (DATA["sparse"][0], scipy.sparse.csr_matrix(_random.poisson(1, size=(_ROWS, 9)) * 1.0)),
    (DATA["holes"][0], np.where(_OTHER > 1, np.nan, _OTHER)),
    (DATA["labels"][1], np.column_stack([_OTHER_CLASSES == 0, _OTHER_CLASSES > 2, _OTHER_CLASSES != 1]).astype(int)),
    (DATA["names"][1], np.array(["oak", "fir", "yew", "elm", "ash"])[_OTHER_CLASSES]),
)

# Models whose compiled code has more ways through it than those of the test kit take.
_MORE: dict[str, tuple[Any, str]] = {
    "missing values in trees": (ensemble.RandomForestClassifier(3, random_state=0), "holes"),
    "histograms with missing values": (ensemble.HistGradientBoostingClassifier(max_iter=2), "holes"),
    "kd_tree, small leaves": (neighbors.KNeighborsClassifier(3, algorithm="kd_tree", leaf_size=3), "classes"),
    "ball_tree, small leaves": (neighbors.NearestNeighbors(algorithm="ball_tree", leaf_size=3), "classes"),
    "density, tophat": (neighbors.KernelDensity(kernel="tophat", algorithm="ball_tree", leaf_size=3), "classes"),
    "novelty, kd_tree": (neighbors.LocalOutlierFactor(3, algorithm="kd_tree", leaf_size=3, novelty=True), "classes"),
    "sparse novelty": (neighbors.LocalOutlierFactor(3, novelty=True), "sparse"),
    "k-means, elkan": (cluster.KMeans(3, algorithm="elkan", n_init=1, random_state=0), "classes"),
    "sparse k-means": (cluster.KMeans(3, n_init=1, random_state=0), "sparse"),
    "support vectors, polynomial": (svm.NuSVC(kernel="poly", degree=2), "classes"),
    "sparse regression by vectors": (svm.SVR(), "sparse"),
    "sparse outliers by vectors": (svm.OneClassSVM(), "sparse"),
    "sparse forest": (ensemble.ExtraTreesClassifier(3, random_state=0), "sparse"),
    "sparse isolation": (ensemble.IsolationForest(n_estimators=3, random_state=0), "sparse"),
    "isolation of some columns": (ensemble.IsolationForest(n_estimators=3, max_features=2, random_state=0), "classes"),
    "bagging of some columns": (ensemble.BaggingRegressor(n_estimators=3, max_features=2, random_state=0), "values"),
    "rare categories": (preprocessing.OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"), "colours"),
    "rare ordinals": (preprocessing.OrdinalEncoder(min_frequency=20), "colours"),
    "polynomials, sparse": (preprocessing.PolynomialFeatures(3), "sparse"),
    "bins of one kind": (preprocessing.KBinsDiscretizer(3, encode="ordinal", strategy="kmeans"), "classes"),
    "hashed words": (feature_extraction.text.HashingVectorizer(n_features=2**18), "texts"),
    "letters": (feature_extraction.text.CountVectorizer(analyzer="char_wb", ngram_range=(1, 3)), "texts"),
    "projected neighbours": (make_pipeline(PCA(2), neighbors.KNeighborsRegressor(3, weights="distance")), "values"),
    "boosted logistic": (ensemble.AdaBoostClassifier(LogisticRegression(), n_estimators=2), "names"),
}


def _variants(first: list[tuple[str, Any, Any]], names: Collection[str], kind: str) -> Iterator[Family]:
    for name, model, data in first:
        yield Family(name, model, data, kind)
        other = None if names and name not in names else _other(model, data)
        if other is not None:
            yield Family(f"{name}, other", *other, kind)


def _all(table: Mapping[str, tuple[Any, str]]) -> list[tuple[str, Any, Any]]:
    return [(name, *fitted(base.clone(model), DATA[kind])) for name, (model, kind) in table.items()]


def _other(model: Any, data: Any) -> tuple[Any, Any] | None:
    """The same estimator for other data, where there are such."""
    found = [new for old, new in _INSTEAD if old is data]
    if not found:
        return None
    for target in (_OTHER_CLASSES, _OTHER_VALUES, _INSTEAD[8][1], None):
        if target is _OTHER_CLASSES and base.is_regressor(model):
            continue
        try:
            other = fitted(_as_wide(base.clone(model), found[0]), (found[0], target))
            outputs(*other)
        except Exception:  # noqa: S112 - it takes other targets, or none of ours
            continue
        return other
    return None


def _as_wide(model: Any, data: Any) -> Any:
    """Of the Mahalanobis distance scipy compares no sizes: the model would be broken before any change."""
    if getattr(model, "algorithm", None) == "brute" and getattr(model, "metric", None) == "mahalanobis":
        model.metric_params = {"VI": np.eye(np.shape(data)[1])}
    return model


def _of_kind(kind: str, names: Collection[str]) -> Iterator[Family]:
    if kind == "sklearn":
        yield from _variants([*fitted_estimators(), *composed(), *_all(_MORE)], names, kind)
    elif kind == "members":
        yield from _variants(_all(MEMBERS), names, kind)
    elif kind == "plain":
        yield from (Family(name, value, None, kind) for name, value in plain_objects())
    elif kind == "boosters":
        yield from boosters(_other)
    else:
        yield from frames() if kind == "pandas" else scipys()


@cache
def families(only: str = "", names: frozenset[str] = frozenset(), kinds: tuple[str, ...] = KINDS) -> list[Family]:
    """All families whose name contains `only` and is one of `names`, if there are any, written and taken apart."""
    found = []
    with silence():
        for one in (one for kind in kinds for one in _of_kind(kind, names)):
            if only in one.name and (not names or one.name.removesuffix(", other") in names):
                found.append(one.complete())
    return found
