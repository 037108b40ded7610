"""Fitted estimators with one attribute changed: the C code behind them would crash, hang or read foreign memory."""

from __future__ import annotations

import io
import pickle
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import safeload
from safeload.errors import CodecError
from testkit.estimators import CLASSES, VALUES, X, composed, fitted_estimators

if TYPE_CHECKING:
    from collections.abc import Mapping

    Changes = tuple[tuple[str, str, Any], ...]

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

MANY = 10**7
WIDE = np.tile(X, (1, 50))  # trees that look at features which nobody else has
WIDE_TREE = DecisionTreeClassifier(random_state=0, splitter="random").fit(WIDE, CLASSES)
WIDE_VALUES = DecisionTreeRegressor(random_state=0, splitter="random").fit(WIDE, VALUES)


class Rebuilt:
    """Pickles as a tree of neighbours or a metric, with some items of its state changed."""

    def __init__(self, model: Any, **changes: Any) -> None:
        self._call, self._args, state = model.__reduce__()
        items = list(state)
        for name, value in changes.items():
            items[int(name[1:])] = value
        self._state = tuple(items)

    def __reduce__(self) -> Any:
        return self._call, self._args, self._state


def _tree(algorithm: str = "kd_tree", metric: str = "euclidean", **arguments: Any) -> Any:
    found = NearestNeighbors(algorithm=algorithm, leaf_size=5, metric=metric, metric_params=arguments or None)
    return found.fit(X)._tree


def _nodes(field: str, index: int, value: int) -> Any:
    nodes = np.array(_tree().__getstate__()[2])
    nodes[field][index] = value
    return Rebuilt(_tree(), _2=nodes)


def _metric(name: str, size: int) -> Any:
    """The metric of a tree, with a vector and a matrix for another number of features."""
    arguments = {"minkowski": {"w": np.ones(4)}, "seuclidean": {"V": np.ones(4)}}.get(name, {"V": np.eye(4)})
    tree = _tree("ball_tree", name, **arguments)
    metric = Rebuilt(tree.__getstate__()[11], _1=np.ones(size), _2=np.eye(size))
    return Rebuilt(tree, _11=metric)


# Estimator, attribute, what it is set to.
TREES: Changes = (
    ("DecisionTreeClassifier", "tree_", WIDE_TREE.tree_),
    ("DecisionTreeClassifier", "n_features_in_", 1),
    ("DecisionTreeClassifier", "n_outputs_", 3),
    ("DecisionTreeClassifier", "n_classes_", MANY),
    ("DecisionTreeClassifier", "_validate_X_predict", np.positive),
    ("DecisionTreeRegressor", "tree_", WIDE_VALUES.tree_),
    ("DecisionTreeRegressor", "tree_", None),
    ("RandomForestClassifier", "estimators_[1]", WIDE_TREE),
    ("RandomForestClassifier", "n_features_in_", 1),
    ("RandomForestClassifier", "n_outputs_", 0),
    ("RandomForestClassifier", "n_classes_", MANY),
    ("ExtraTreesRegressor", "estimators_[1]", WIDE_VALUES),
    ("ExtraTreesRegressor", "n_outputs_", MANY),
    ("RandomTreesEmbedding", "estimators_[0]", WIDE_VALUES),
    ("IsolationForest", "estimators_[0]", WIDE_VALUES),
    ("IsolationForest", "estimators_features_[0]", np.array([0])),
    ("BaggingClassifier", "estimators_features_[0]", np.array([0, 1, 2, MANY])),
    ("BaggingClassifier", "n_classes_", MANY),
    ("GradientBoostingClassifier", "estimators_[0, 0]", WIDE_VALUES),
    ("GradientBoostingClassifier", "estimators_", np.full((3, 900), None)),
    ("GradientBoostingClassifier", "n_trees_per_iteration_", MANY),
    ("GradientBoostingClassifier", "init_.class_prior_", np.ones(1)),
    ("GradientBoostingClassifier", "init_", WIDE_VALUES),
    ("GradientBoostingRegressor", "estimators_[0, 0]", WIDE_VALUES),
    ("GradientBoostingRegressor", "n_features_in_", 1),
    ("GradientBoostingRegressor", "init_", make_pipeline(FunctionTransformer(np.negative), DummyRegressor())),
)
HISTOGRAMS: Changes = (
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes['left'][0]", 0),
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes['right'][0]", MANY),
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes['feature_idx'][0]", MANY),
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes['feature_idx'][0]", -MANY),
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes['is_categorical'][0]", 1),
    ("HistGradientBoostingClassifier", "_predictors[0][0].nodes", np.zeros(0)),
    ("HistGradientBoostingClassifier", "_predictors[0]", []),
    ("HistGradientBoostingClassifier", "n_trees_per_iteration_", MANY),
    ("HistGradientBoostingClassifier", "n_features_in_", 1),
    ("HistGradientBoostingClassifier", "_baseline_prediction", np.zeros(MANY, np.int8)),
    ("HistGradientBoostingClassifier", "_bin_mapper.bin_thresholds_", []),
    ("HistGradientBoostingClassifier", "_in_fit", True),
    ("histograms with categories", "_predictors[0][0].nodes['bitset_idx']", MANY),
    ("histograms with categories", "_predictors[0][0].raw_left_cat_bitsets", np.zeros((9, 1), np.uint32)),
    ("histograms with categories", "_bin_mapper.is_categorical_", np.zeros(4, np.uint8)),
    ("histograms with categories", "_bin_mapper.is_categorical_", np.ones(1, np.uint8)),
    ("histograms of a frame", "_preprocessor.transformers_", []),
    ("histograms of a frame", "_preprocessor.transformers_[1][1].func", np.positive),
)
NEIGHBOURS: Changes = (
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _1=np.full(48, MANY))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _1=np.zeros(48, np.intp))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _2=np.zeros(1, _tree().__getstate__()[2].dtype))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _3=np.zeros((2, 1, 4)))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _4=0)),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _5=60)),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _6=MANY)),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _0=np.ones((1, 4)))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _0=np.ones((48, 1)))),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _11=None)),
    ("kd_tree, euclidean", "_tree", Rebuilt(_tree(), _12=np.ones(1))),
    ("kd_tree, euclidean", "_tree", _nodes("idx_start", 7, -MANY)),
    ("kd_tree, euclidean", "_tree", _nodes("idx_end", 7, MANY)),
    ("kd_tree, euclidean", "_tree", _nodes("is_leaf", 14, 0)),
    ("kd_tree, euclidean", "_tree", None),
    ("kd_tree, euclidean", "_fit_method", "ball_tree"),
    ("kd_tree, euclidean", "_fit_X", np.ones((3, 4))),
    ("ball_tree, euclidean", "_tree", Rebuilt(_tree("ball_tree"), _3=np.zeros((1, 1, 4)))),
    ("ball_tree, seuclidean", "_tree", _metric("seuclidean", 1)),
    ("ball_tree, minkowski", "_tree", _metric("minkowski", 1)),
    ("ball_tree, mahalanobis", "_tree", _metric("mahalanobis", 2)),
    ("RadiusNeighborsTransformer", "n_samples_fit_", 1),
    ("KNeighborsTransformer", "n_samples_fit_", 1),
    ("sparse neighbours", "_y", np.full(48, MANY)),
    ("KNeighborsClassifier", "_y", np.full(48, -MANY)),
    ("KNeighborsClassifier", "classes_", np.arange(1)),
)
MACHINES: Changes = (
    ("SVC", "support_vectors_", np.ones((1, 4))),
    ("SVC", "support_vectors_", np.ones((48, 1))),
    ("SVC", "support_", np.zeros(1, np.int32)),
    ("SVC", "_n_support", np.array([MANY, -MANY, 3], np.int32)),
    ("SVC", "_n_support", np.ones(900, np.int32)),
    ("SVC", "_dual_coef_", np.ones((1, 1))),
    ("SVC", "_intercept_", np.ones(1)),
    ("SVC", "_probA", np.ones(1)),
    ("SVC", "kernel", np.add),
    ("SVC", "_sparse", True),
    ("SVC", "n_features_in_", 1),
    ("SVC", "classes_", np.arange(2)),
    ("NuSVC", "_intercept_", np.ones(0)),
    ("SVR", "_dual_coef_", np.ones((1, 1))),
    ("SVR", "_impl", "c_svc"),
    ("NuSVR", "_n_support", np.ones(900, np.int32)),
    ("OneClassSVM", "support_vectors_", np.ones((1, 1))),
    ("precomputed support vectors", "support_[0]", MANY),
    ("precomputed support vectors", "shape_fit_", (1, 48)),
    ("sparse support vectors", "_dual_coef_.data", np.ones(1)),
    ("sparse support vectors", "_n_support", np.ones(900, np.int32)),
    ("sparse support vectors", "_sparse", False),
    ("sparse support vectors", "_effective_probability", True),
)
FEATURES: Changes = (
    ("CountVectorizer", "vocabulary_['cat']", MANY),
    ("TfidfVectorizer", "vocabulary_['cat']", -1),
    ("DictVectorizer", "vocabulary_['size']", MANY),
    ("FeatureHasher", "n_features", 0),
    ("HashingVectorizer", "n_features", 0),
    ("HashingVectorizer", "ngram_range", (-MANY, 1)),
    ("TfidfVectorizer", "ngram_range", (-MANY, 1)),
    ("MultiLabelBinarizer", "_cached_dict", {"a": MANY, "b": 0}),
    ("OneHotEncoder", "_n_features_outs", [1, 1]),
    ("OneHotEncoder", "categories_[0]", np.array(["red"], dtype=object)),
    ("OneHotEncoder", "_drop_idx_after_grouping", np.array([9, 9], dtype=object)),
    ("KBinsDiscretizer", "_encoder._n_features_outs", [1, 1, 1, 1]),
    ("KBinsDiscretizer", "_encoder.categories_[0]", np.array([2, 0, 1])),
    ("RandomTreesEmbedding", "one_hot_encoder_._n_features_outs", [1, 1, 1]),
)
CLUSTERS: Changes = (
    ("DummyRegressor", "n_outputs_", MANY),
    ("FeatureAgglomeration", "labels_[0]", MANY),
    ("KMeans", "cluster_centers_", np.ones((8, 1))),
    ("KMeans", "_n_threads", 10**6),
    ("MiniBatchKMeans", "cluster_centers_", np.ones((8, 1))),
    ("BisectingKMeans", "_bisecting_tree.left.center", np.ones(1)),
    ("NMF", "_n_components", MANY),
    ("NMF", "components_", np.ones((1, 4))),
    ("HDBSCAN", "_single_linkage_tree_['left_node'][0]", MANY),
)
CHANGES: Changes = (*TREES, *HISTOGRAMS, *NEIGHBOURS, *MACHINES, *FEATURES, *CLUSTERS)


@pytest.fixture(scope="module")
def fitted() -> Mapping[str, bytes]:
    wanted = {name for name, _, _ in CHANGES}
    return {name: pickle.dumps(model) for name, model, _ in chain(fitted_estimators(), composed()) if name in wanted}


def changed(written: bytes, path: str, value: Any) -> bytes:
    model = pickle.loads(written)
    exec(f"model.{path} = value", {"model": model, "value": value})  # noqa: S102 - a path of the table above
    return pickle.dumps(model)


@pytest.mark.parametrize(("name", "path", "value"), CHANGES, ids=[f"{name}.{path}" for name, path, _ in CHANGES])
def test_an_attribute_that_does_not_fit_the_others_is_refused(
    fitted: Mapping[str, bytes], name: str, path: str, value: Any
) -> None:
    with pytest.raises(CodecError):
        safeload.load_untrusted(io.BytesIO(changed(fitted[name], path, value)))


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CHANGES}))
def test_the_same_estimator_unchanged_loads(fitted: Mapping[str, bytes], name: str) -> None:
    assert safeload.load_untrusted(io.BytesIO(fitted[name])) is not None
