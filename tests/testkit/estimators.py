"""Real models: every scikit-learn estimator, fitted on small data, and what a pickled model can hold besides.

What is fitted here is what the allow lists must let through, and what has to predict the same after loading.
"""

from __future__ import annotations

import collections
import copy
import datetime
import decimal
import fractions
import functools
import http
import inspect
import pathlib
import re
import uuid
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import scipy.sparse
from sklearn import (
    base,
    calibration,
    compose,
    config_context,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    linear_model,
    metrics,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.gaussian_process import kernels
from sklearn.utils import all_estimators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Data = tuple[Any, Any]

# Name -> why it cannot be fitted or pickled.
UNFITTABLE: dict[str, str] = {}

ROWS = 48
_random = np.random.RandomState(0)
X: NDArray[np.float64] = _random.normal(size=(ROWS, 4))
CLASSES: NDArray[np.int64] = np.arange(ROWS) % 3
X += CLASSES[:, None]  # the classes can be told apart
VALUES: NDArray[np.float64] = X @ np.array([1.0, -2.0, 0.5, 0.0]) + _random.normal(scale=0.1, size=ROWS)
TARGETS: NDArray[np.float64] = np.column_stack([VALUES, X[:, 0] - X[:, 3]])
COUNTS: NDArray[np.int64] = _random.poisson(2, size=(ROWS, 4))
LABELS: NDArray[np.int64] = np.column_stack([CLASSES == 0, CLASSES != 1]).astype(np.int64)
COLOURS: NDArray[np.object_] = np.array([["red", "s"], ["green", "m"], ["blue", "l"]] * (ROWS // 3), dtype=object)
TEXTS = ["the cat sat", "on a mat", "caf\u00e9 at noon", "the dog and the cat"] * (ROWS // 4)
DICTS = [{"colour": "red", "size": 1.5}, {"colour": "blue"}, {"size": 2.0}] * (ROWS // 3)
PARTLY: NDArray[np.int64] = np.where(np.arange(ROWS) % 4 == 0, -1, CLASSES)  # -1: without a label
HOLES: NDArray[np.float64] = np.where(_random.uniform(size=X.shape) < 0.2, np.nan, X)

# What fit() is given; predicting and transforming gets the first of the two.
DATA: dict[str, Data] = {
    "classes": (X, CLASSES),
    "names": (X, np.array(["ash", "beech", "cedar"])[CLASSES]),
    "two classes": (X, CLASSES == 0),
    "values": (X, VALUES),
    "targets": (X, TARGETS),
    "labels": (X, LABELS),
    "partly": (X, PARTLY),
    "counts": (COUNTS, CLASSES),
    "positive values": (X, np.exp(VALUES / 4)),
    "shares": (preprocessing.minmax_scale(X), CLASSES),
    "holes": (HOLES, CLASSES),
    "colours": (COLOURS, CLASSES),
    "texts": (TEXTS, CLASSES),
    "dicts": (DICTS, CLASSES),
    "sparse": (scipy.sparse.csr_matrix(COUNTS * 1.0), CLASSES),
    "sparse array": (scipy.sparse.csr_array(COUNTS * 1.0), CLASSES),
    "one column": (X[:, 0], VALUES),
    "images": (_random.uniform(size=(3, 8, 8)), None),
    "kernel": (metrics.pairwise.rbf_kernel(X), CLASSES),
    "distances": (metrics.pairwise_distances(X), CLASSES),
    "label list": (CLASSES, None),
    "frame": (pandas.DataFrame(X, columns=["x1", "x2", "y1", "y2"]), CLASSES),
    "mixed frame": (
        pandas.DataFrame({"number": X[:, 0], "colour": COLOURS[:, 0]}).astype({"colour": "category"}),
        CLASSES,
    ),
    "label sets": ([{"a", "b"}, {"b"}, set()] * (ROWS // 3), None),
}

# Estimators that the data of their type (classes, or values for a regressor) does not suit.
DATA_OF: dict[str, str] = {
    "AdditiveChi2Sampler": "counts",
    "BernoulliRBM": "shares",
    "CCA": "targets",
    "CategoricalNB": "counts",
    "ClassifierChain": "labels",
    "ComplementNB": "counts",
    "CountVectorizer": "texts",
    "DictVectorizer": "dicts",
    "FeatureHasher": "dicts",
    "FixedThresholdClassifier": "two classes",
    "GammaRegressor": "positive values",
    "HashingVectorizer": "texts",
    "IsotonicRegression": "one column",
    "IterativeImputer": "holes",
    "KNNImputer": "holes",
    "KernelCenterer": "kernel",
    "LabelBinarizer": "label list",
    "LabelEncoder": "label list",
    "LabelPropagation": "partly",
    "LabelSpreading": "partly",
    "LatentDirichletAllocation": "counts",
    "MiniBatchNMF": "counts",
    "MissingIndicator": "holes",
    "MultiLabelBinarizer": "label sets",
    "MultiOutputClassifier": "labels",
    "MultiOutputRegressor": "targets",
    "MultiTaskElasticNet": "targets",
    "MultiTaskElasticNetCV": "targets",
    "MultiTaskLasso": "targets",
    "MultiTaskLassoCV": "targets",
    "MultinomialNB": "counts",
    "NMF": "counts",
    "OneHotEncoder": "colours",
    "OrdinalEncoder": "colours",
    "PLSCanonical": "targets",
    "PLSRegression": "targets",
    "PLSSVD": "targets",
    "PatchExtractor": "images",
    "PoissonRegressor": "positive values",
    "RegressorChain": "targets",
    "SelfTrainingClassifier": "partly",
    "SimpleImputer": "holes",
    "SkewedChi2Sampler": "shares",
    "SpectralBiclustering": "counts",
    "SpectralCoclustering": "counts",
    "TargetEncoder": "colours",
    "TfidfTransformer": "counts",
    "TfidfVectorizer": "texts",
    "TunedThresholdClassifierCV": "two classes",
    "TweedieRegressor": "positive values",
}

_classifier = linear_model.LogisticRegression()
_regressor = linear_model.Ridge()
_tree = tree.DecisionTreeClassifier(max_depth=2, random_state=0)
_scaler = preprocessing.StandardScaler()
_projection = decomposition.PCA(2)

# Arguments that an estimator needs, or that keep it small.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "AdaBoostClassifier": {"n_estimators": 3},
    "AdaBoostRegressor": {"n_estimators": 3},
    "BaggingClassifier": {"n_estimators": 3},
    "BaggingRegressor": {"n_estimators": 3},
    "BernoulliRBM": {"n_components": 3, "n_iter": 2},
    "CalibratedClassifierCV": {"cv": 2},
    "ClassifierChain": {"estimator": _classifier},
    "ColumnTransformer": {"transformers": [("a", _scaler, [0, 1]), ("b", "passthrough", slice(2, 4))]},
    "DictionaryLearning": {"n_components": 3, "max_iter": 3},
    "ExtraTreesClassifier": {"n_estimators": 3},
    "ExtraTreesRegressor": {"n_estimators": 3},
    "FeatureHasher": {"n_features": 16},
    "FeatureUnion": {"transformer_list": [("a", _scaler), ("b", _projection)]},
    "FixedThresholdClassifier": {"estimator": _classifier},
    "FrozenEstimator": {"estimator": linear_model.LogisticRegression().fit(X, CLASSES)},
    "GaussianRandomProjection": {"n_components": 2},
    "GradientBoostingClassifier": {"n_estimators": 3},
    "GradientBoostingRegressor": {"n_estimators": 3},
    "GraphicalLassoCV": {"alphas": 2, "cv": 2},
    "GridSearchCV": {"estimator": _tree, "param_grid": {"max_depth": [1, 2]}, "cv": 2},
    "HDBSCAN": {"copy": True},
    "HalvingGridSearchCV": {"estimator": _tree, "param_grid": {"max_depth": [1, 2]}, "cv": 2},
    "HalvingRandomSearchCV": {"estimator": _tree, "param_distributions": {"max_depth": [1, 2, 3]}, "cv": 2},
    "HashingVectorizer": {"n_features": 16},
    "HistGradientBoostingClassifier": {"max_iter": 3, "min_samples_leaf": 5},
    "HistGradientBoostingRegressor": {"max_iter": 3, "min_samples_leaf": 5},
    "IsolationForest": {"n_estimators": 3},
    "IterativeImputer": {"max_iter": 2},
    "KBinsDiscretizer": {"n_bins": 3},
    "LatentDirichletAllocation": {"n_components": 3, "max_iter": 2},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "MDS": {"n_init": 1, "max_iter": 20},
    "MLPClassifier": {"hidden_layer_sizes": (4,), "max_iter": 5},
    "MLPRegressor": {"hidden_layer_sizes": (4,), "max_iter": 5},
    "MiniBatchDictionaryLearning": {"n_components": 3, "max_iter": 2},
    "MiniBatchNMF": {"n_components": 2, "max_iter": 3},
    "MiniBatchSparsePCA": {"n_components": 2, "max_iter": 2},
    "MultiOutputClassifier": {"estimator": _classifier},
    "MultiOutputRegressor": {"estimator": _regressor},
    "NMF": {"n_components": 2, "max_iter": 20},
    "Nystroem": {"n_components": 8},
    "OneVsOneClassifier": {"estimator": _classifier},
    "OneVsRestClassifier": {"estimator": _classifier},
    "OutputCodeClassifier": {"estimator": _classifier},
    "PLSSVD": {"n_components": 1},
    "PatchExtractor": {"patch_size": (2, 2)},
    "Pipeline": {"steps": [("scale", _scaler), ("classify", _classifier)]},
    "QuantileTransformer": {"n_quantiles": 10},
    "RBFSampler": {"n_components": 8},
    "RFE": {"estimator": _classifier},
    "RFECV": {"estimator": _classifier, "cv": 2},
    "RadiusNeighborsClassifier": {"radius": 10.0},
    "RadiusNeighborsRegressor": {"radius": 10.0},
    "RandomForestClassifier": {"n_estimators": 3},
    "RandomForestRegressor": {"n_estimators": 3},
    "RandomTreesEmbedding": {"n_estimators": 3},
    "RandomizedSearchCV": {"estimator": _tree, "param_distributions": {"max_depth": [1, 2]}, "n_iter": 2, "cv": 2},
    "RegressorChain": {"estimator": _regressor},
    "SelectFromModel": {"estimator": _classifier},
    "SelfTrainingClassifier": {"estimator": _classifier},
    "SequentialFeatureSelector": {"estimator": _classifier, "cv": 2},
    "SparseCoder": {"dictionary": np.eye(4)},
    "SparsePCA": {"n_components": 2, "max_iter": 3},
    "SparseRandomProjection": {"n_components": 2},
    "SpectralBiclustering": {"n_clusters": 2},
    "SpectralCoclustering": {"n_clusters": 2},
    "StackingClassifier": {"estimators": [("a", _classifier), ("b", _tree)], "cv": 2},
    "StackingRegressor": {"estimators": [("a", _regressor), ("b", tree.DecisionTreeRegressor(max_depth=2))], "cv": 2},
    "TSNE": {"max_iter": 250, "perplexity": 5},
    "TheilSenRegressor": {"max_subpopulation": 100},
    "TunedThresholdClassifierCV": {"estimator": _classifier, "cv": 2},
    "VotingClassifier": {"estimators": [("a", _classifier), ("b", _tree)], "voting": "soft"},
    "VotingRegressor": {"estimators": [("a", _regressor), ("b", tree.DecisionTreeRegressor(max_depth=2))]},
}


def _routed() -> Any:
    """Return an estimator that asks for sample weights; its request is pickled with it."""
    with config_context(enable_metadata_routing=True):
        return linear_model.LogisticRegression().set_fit_request(sample_weight=True)


# Models in pieces, and single estimators whose parameters bring other classes into the file: (estimator, data).
COMPOSED: dict[str, tuple[Any, str]] = {
    "pipeline of a pipeline": (
        pipeline.make_pipeline(impute.SimpleImputer(), pipeline.make_pipeline(_scaler, _projection), _classifier),
        "holes",
    ),
    "pipeline of texts": (
        pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), linear_model.SGDClassifier(random_state=0)),
        "texts",
    ),
    "column transformer": (
        compose.make_column_transformer(
            (preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]),
            (preprocessing.OrdinalEncoder(), slice(1, 2)),
        ),
        "colours",
    ),
    "column transformer by a selector": (
        compose.ColumnTransformer([("a", _scaler, compose.make_column_selector("x"))], remainder="drop"),
        "frame",
    ),
    "grid of a pipeline": (
        model_selection.GridSearchCV(
            pipeline.make_pipeline(_scaler, svm.SVC()),
            {"svc__C": np.logspace(-1, 1, 3), "svc__kernel": ["linear", "rbf"]},
            cv=model_selection.StratifiedKFold(2, shuffle=True, random_state=0),
            scoring={"f1": metrics.make_scorer(metrics.f1_score, average="macro"), "accuracy": "accuracy"},
            refit="f1",
        ),
        "classes",
    ),
    "grid of repeated splits": (
        model_selection.GridSearchCV(
            _tree,
            {"max_depth": [1, 2]},
            cv=model_selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=1, random_state=0),
            scoring="roc_auc_ovr",
        ),
        "classes",
    ),
    "grid over a range": (model_selection.GridSearchCV(_tree, {"max_depth": range(1, 3)}, cv=2), "classes"),
    "random search": (
        model_selection.RandomizedSearchCV(_tree, {"max_depth": [1, 2, 3]}, n_iter=2, cv=2, random_state=0),
        "classes",
    ),
    "isotonic calibration": (
        calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=2),
        "classes",
    ),
    "stacking": (
        ensemble.StackingClassifier(
            [("forest", ensemble.RandomForestClassifier(3, random_state=0)), ("svm", svm.SVC(probability=False))],
            final_estimator=ensemble.GradientBoostingClassifier(n_estimators=2, random_state=0),
            cv=2,
            passthrough=True,
        ),
        "names",
    ),
    "voting": (
        ensemble.VotingClassifier([("a", _classifier), ("b", naive_bayes.GaussianNB()), ("c", "drop")], voting="soft"),
        "names",
    ),
    "target transformed by functions": (
        compose.TransformedTargetRegressor(_regressor, func=np.log1p, inverse_func=np.expm1),
        "positive values",
    ),
    "target transformed by an estimator": (
        compose.TransformedTargetRegressor(_regressor, transformer=preprocessing.PowerTransformer()),
        "values",
    ),
    "bagged neighbours": (ensemble.BaggingClassifier(neighbors.KNeighborsClassifier(3), 2, random_state=0), "classes"),
    "boosted stumps": (ensemble.AdaBoostClassifier(_tree, n_estimators=2, random_state=0), "names"),
    "boosting from another model": (
        ensemble.GradientBoostingRegressor(n_estimators=2, init=_regressor, random_state=0),
        "values",
    ),
    "forest of several outputs": (ensemble.RandomForestClassifier(2, random_state=0), "labels"),
    "monotonic forest": (
        ensemble.ExtraTreesRegressor(2, criterion="absolute_error", monotonic_cst=[1, 0, 0, -1], random_state=0),
        "values",
    ),
    "histograms with categories": (
        ensemble.HistGradientBoostingClassifier(
            max_iter=2, min_samples_leaf=4, categorical_features=[0, 1], random_state=0
        ),
        "counts",
    ),
    "histograms of poisson counts": (
        ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2, min_samples_leaf=4),
        "positive values",
    ),
    "imputed by a forest": (
        impute.IterativeImputer(ensemble.ExtraTreesRegressor(2, random_state=0), max_iter=1, random_state=0),
        "holes",
    ),
    "logarithm": (preprocessing.FunctionTransformer(np.log1p, inverse_func=np.expm1), "counts"),
    "selected by a score": (feature_selection.SelectKBest(feature_selection.chi2, k=2), "counts"),
    "selected by mutual information": (
        feature_selection.SelectKBest(feature_selection.mutual_info_classif, k=4),
        "counts",
    ),
    "perceptrons": (neural_network.MLPClassifier((4, 3), early_stopping=True, max_iter=3, random_state=0), "classes"),
    "selected by a partial": (
        feature_selection.SelectKBest(functools.partial(feature_selection.mutual_info_classif, random_state=0), k=4),
        "counts",
    ),
    "columns of a frame": (
        compose.make_column_transformer(
            (preprocessing.OneHotEncoder(), compose.make_column_selector(dtype_exclude=np.number)),
            (_scaler, compose.make_column_selector(dtype_include=np.number)),
        ),
        "mixed frame",
    ),
    "histograms of a frame": (
        ensemble.HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=4, categorical_features="from_dtype"),
        "mixed frame",
    ),
    "a random state as parameter": (
        ensemble.BaggingRegressor(_regressor, 2, random_state=np.random.RandomState(5)),
        "values",
    ),
    "one against the rest": (pipeline.make_pipeline(_scaler, svm.LinearSVC(dual=False)), "names"),
    "novelty": (neighbors.LocalOutlierFactor(novelty=True), "classes"),
    "sparse neighbours": (neighbors.KNeighborsClassifier(3), "sparse"),
    "sparse support vectors": (svm.SVC(), "sparse"),
    "sparse array support vectors": (svm.SVC(kernel="poly"), "sparse array"),
    "precomputed support vectors": (svm.SVC(kernel="precomputed"), "kernel"),
    "precomputed neighbours": (neighbors.NearestNeighbors(metric="precomputed"), "distances"),
    "string categories": (preprocessing.OneHotEncoder(dtype=np.float32, sparse_output=False, drop="first"), "colours"),
    "splines as a matrix": (preprocessing.SplineTransformer(sparse_output=True, extrapolation="linear"), "classes"),
    "periodic splines": (preprocessing.SplineTransformer(extrapolation="periodic"), "classes"),
    "frame in, frame out": (pipeline.make_pipeline(_scaler).set_output(transform="pandas"), "frame"),
    "routed sample weights": (_routed(), "classes"),
}

_KERNELS: dict[str, Any] = {
    "compound": kernels.ConstantKernel() * kernels.RBF() + kernels.WhiteKernel(),
    "dot product": kernels.DotProduct() ** 2,
    "matern": kernels.Matern(nu=1.5),
    "pairwise": kernels.PairwiseKernel(metric="laplacian"),
    "periodic": kernels.ExpSineSquared(),
    "rational quadratic": kernels.RationalQuadratic(),
}
COMPOSED |= {
    f"gaussian process, {name}": (
        gaussian_process.GaussianProcessRegressor(kernel, alpha=10.0, optimizer=None),
        "values",
    )
    for name, kernel in _KERNELS.items()
}
COMPOSED |= {
    f"SGD, {loss}": (linear_model.SGDClassifier(loss=loss, random_state=0), "classes")
    for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron")
}
COMPOSED |= {
    f"SGD, {loss}": (linear_model.SGDRegressor(loss=loss, random_state=0), "values")
    for loss in ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
}
COMPOSED |= {
    f"gradient boosting, {loss}": (
        ensemble.GradientBoostingRegressor(loss=loss, n_estimators=2, random_state=0),
        "values",
    )
    for loss in ("squared_error", "absolute_error", "huber", "quantile")
}
COMPOSED |= {
    f"histograms, {loss}": (
        ensemble.HistGradientBoostingRegressor(loss=loss, quantile=0.5, max_iter=2, min_samples_leaf=4),
        "positive values",
    )
    for loss in ("squared_error", "absolute_error", "gamma", "poisson", "quantile")
}
_METRICS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("kd_tree", "chebyshev", None),
    ("kd_tree", "euclidean", None),
    ("kd_tree", "manhattan", None),
    ("kd_tree", "minkowski", {"p": 3}),
    ("ball_tree", "canberra", None),
    ("ball_tree", "euclidean", None),
    ("ball_tree", "hamming", None),
    ("ball_tree", "mahalanobis", {"V": np.eye(4)}),
    ("ball_tree", "minkowski", {"p": 3, "w": np.ones(4)}),
    ("ball_tree", "seuclidean", {"V": np.ones(4)}),
    ("brute", "mahalanobis", {"VI": np.eye(4)}),
)
COMPOSED |= {
    f"{algorithm}, {metric}": (
        neighbors.KNeighborsRegressor(3, algorithm=algorithm, metric=metric, metric_params=arguments),
        "values",
    )
    for algorithm, metric, arguments in _METRICS
}

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
    "kneighbors",
    "kneighbors_graph",
    "radius_neighbors",
    "apply",
    "decision_path",
)
# What is left of an estimator that only fits.
ATTRIBUTES = ("labels_", "row_labels_", "column_labels_", "embedding_", "covariance_", "precision_")


def fitted_estimators() -> Iterator[tuple[str, object, object]]:
    """Yield every estimator of scikit-learn, fitted: its name, itself, and data to predict or transform."""
    for name, estimator_class in _estimator_classes():
        if name not in UNFITTABLE:
            yield name, *_fitted(_instance(name, estimator_class), _data_for(name, estimator_class))


def composed() -> Iterator[tuple[str, object, object]]:
    """Yield models made of several, and estimators with parameters that bring in other classes."""
    for name, (estimator, kind) in COMPOSED.items():
        yield name, *_fitted(base.clone(estimator), DATA[kind])


def outputs(estimator: Any, data: Any) -> list[Any]:
    """Return all that the estimator computes from the data, as arrays and sparse matrices in a fixed order."""
    with _silence():
        computed = [getattr(estimator, name)(data) for name in METHODS if hasattr(estimator, name)]
        return computed + [getattr(estimator, name) for name in ATTRIBUTES if hasattr(estimator, name)]


def same(a: Any, b: Any) -> bool:
    """Tell whether two values have the same type and are equal bit by bit: a NaN equals itself, 0.0 is not -0.0."""
    if type(a) is not type(b):
        return False
    for kinds, parts in _PARTS:
        if isinstance(a, kinds):
            return _same_parts(parts(a), parts(b))
    return bool(a == b)


def _same_parts(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))


def _array_parts(array: Any) -> Any:
    """Return dtype and shape, which say what the bytes mean, and the bytes."""
    return str(array.dtype), array.shape, _items(array)


def _items(array: Any) -> Any:
    if array.dtype.names is not None:
        return [array[name] for name in array.dtype.names]  # not the padding between them, which means nothing
    if array.dtype.hasobject:
        return array.ravel().tolist()  # the bytes would be pointers
    return array.tobytes()


# How to take a value apart, by its type; the first entry that fits.
_PARTS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (np.ma.MaskedArray, lambda array: (np.asarray(array.data), np.ma.getmaskarray(array), vars(array)["_fill_value"])),
    ((np.ndarray, np.generic), _array_parts),
    ((scipy.sparse.sparray, scipy.sparse.spmatrix), lambda matrix: (matrix.format, matrix.toarray())),
    (pandas.DataFrame, lambda frame: (list(frame.columns), frame.to_numpy())),
    (np.random.RandomState, lambda random: (random.get_state(legacy=False),)),
    (np.random.Generator, lambda random: (random.bit_generator.state,)),
    (np.random.BitGenerator, lambda generator: (generator.state,)),
    (collections.defaultdict, lambda mapping: (mapping.default_factory, dict(mapping))),
    (dict, lambda mapping: [*mapping, *mapping.values()]),
    ((list, tuple, collections.deque), list),
    (float, lambda number: (number.hex(),)),
)


def _silence() -> warnings.catch_warnings[None]:
    """Return a context without warnings: small data does not converge, and some estimators are deprecated."""
    return warnings.catch_warnings(action="ignore")


def _estimator_classes() -> list[tuple[str, Any]]:
    with _silence():
        return list(all_estimators())


def _instance(name: str, estimator_class: Any) -> Any:
    known = inspect.signature(estimator_class).parameters
    arguments = {
        key if key in known else f"base_{key}": value  # the chains said base_estimator before scikit-learn 1.7
        for key, value in ARGUMENTS.get(name, {}).items()
    }
    with _silence():
        estimator = base.clone(estimator_class(**arguments))
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator


def _data_for(name: str, estimator_class: Any) -> Data:
    kind = "values" if issubclass(estimator_class, base.RegressorMixin) else "classes"
    return DATA[DATA_OF.get(name, kind)]


def _fitted(estimator: Any, data: Data) -> tuple[object, object]:
    features, target = data
    # Distances of the very array that was fitted to itself are exact zeros; from a copy they are not.
    seen = copy.deepcopy(features)
    with _silence():
        estimator.fit(seen) if target is None else estimator.fit(seen, target)
    return estimator, features


# Every type of number, text and record that an array can have; "O" and "V" are with the other objects.
DTYPES = ("?", "b", "B", "<i2", ">i4", "<u8", "<f2", "<f4", ">f8", "<f8", "g", "<c8", "<c16", "G", "S3", "<U3", ">U2")
DATES = ("<M8[ns]", "<M8[D]", ">M8[25s]", "<m8[us]", "<m8")
RECORD = np.dtype([("a", "<i4"), ("b", "<f8", (2,)), ("c", [("d", "S2"), ("e", "<U1")])])
FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def plain_objects() -> Iterator[tuple[str, object]]:
    """Yield what stands in models between the estimators: arrays, scalars, generators, standard types.

    Not all come back the same from pickle and joblib: they turn arrays of a foreign byte order into native ones,
    and newer versions of joblib a matrix into an array.
    """
    for table in (_arrays(), _scalars(), _sparse(), _random_generators(), _standard_types()):
        yield from table.items()


def _arrays() -> dict[str, object]:
    numbers = {f"array {code}": np.arange(6).astype(code).reshape(2, 3) for code in DTYPES}
    dates = {f"array {code}": np.array([0, 1, -5]).astype(code) for code in DATES}
    return (
        numbers
        | dates
        | {
            "array, empty": np.empty((0, 3)),
            "array, fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            "array, large": np.arange(20_000.0),
            "array, masked": np.ma.masked_array(
                np.arange(6.0).reshape(2, 3), mask=[[False, True, False], [True, False, False]], fill_value=9.0
            ),
            "array, masked records": np.ma.masked_array(np.zeros(2, RECORD), mask=True),
            "array, not a number": np.array([np.nan, -0.0, np.inf]),
            "array, objects": np.array([1, "a", None, 2.5, ("b", 1)], dtype=object),
            "array, of arrays": np.array([np.arange(2), np.arange(3), None], dtype=object),
            "array, records": np.zeros(3, RECORD),
            "array, records aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
            "array, records of objects": np.array([(1, "a"), (2, None)], dtype=[("n", "i4"), ("o", "O")]),
            "array, scalar": np.array(2.5),
            "array, strided": np.arange(12.0).reshape(3, 4)[:, ::2],
            "array, void": np.array([b"ab", b"cd"], dtype="V2"),
            "arrays, twice the same": [np.arange(3)] * 2,
            "masked": np.ma.masked,
            "matrix": np.arange(4.0).reshape(2, 2).view(np.matrix),
            "records with attributes": np.zeros(3, RECORD).view(np.recarray),
        }
    )


def _scalars() -> dict[str, object]:
    numbers = {f"scalar {code}": np.array(1).astype(code)[()] for code in (*DTYPES, *DATES)}
    dtypes = {f"dtype {code}": np.dtype(code) for code in (*DTYPES, *DATES, "O", "V4")}
    return (
        numbers
        | dtypes
        | {
            "scalar, not a time": np.datetime64("NaT"),
            "scalar, record": np.zeros(1, RECORD)[0],
            "scalar, void": np.void(b"abcd"),
            "dtype of records": RECORD,
            "dtype of records with attributes": np.dtype((np.record, RECORD)),
            "scalar, record with attributes": np.zeros(1, RECORD).view(np.recarray)[0],
        }
    )


def _sparse() -> dict[str, object]:
    dense = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]], dtype=np.float64)
    return {
        f"{layout}_{kind}": getattr(scipy.sparse, f"{layout}_{kind}")(dense)
        for layout in FORMATS
        for kind in ("matrix", "array")
    } | {"coo_array of one dimension": scipy.sparse.coo_array(dense[0])}


def _random_generators() -> dict[str, object]:
    """Return generators in the middle of their work: a spare normal number, half a 64-bit word."""
    generators: dict[str, Any] = {"RandomState": np.random.RandomState(1)}
    generators["RandomState"].normal()
    for name in BIT_GENERATORS:
        generators[name] = getattr(np.random, name)(2)
        generators[f"Generator of {name}"] = np.random.Generator(getattr(np.random, name)(3))
        generators[f"Generator of {name}"].integers(5, size=3, dtype=np.uint32)
        generators[f"RandomState of {name}"] = np.random.RandomState(getattr(np.random, name)(4))
    return generators


def _standard_types() -> dict[str, object]:
    noon = datetime.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "x"))
    return {
        "Counter": collections.Counter("abca"),
        "Decimal": decimal.Decimal("-1.50"),
        "Fraction": fractions.Fraction(1, 3),
        "enums": [http.HTTPStatus.NOT_FOUND, http.HTTPMethod.GET, uuid.SafeUUID.unknown, re.IGNORECASE | re.DOTALL],
        "OrderedDict": collections.OrderedDict(b=1, a=[2]),
        "PurePosixPath": pathlib.PurePosixPath("a/b.txt"),
        "PureWindowsPath": pathlib.PureWindowsPath("c:/a"),
        "UUID": uuid.UUID(int=5),
        "big integer": 2**200,
        "bytearray": bytearray(b"\x00\xffa"),
        "bytes": b"\x00\xff" * 200,
        "complex": 1.5 - 0.0j,
        "constants": [None, True, False, ..., NotImplemented],
        "date": noon.date(),
        "datetime": noon,
        "defaultdict": collections.defaultdict(list, a=[1]),
        "deque": collections.deque([1, [2]], maxlen=3),
        "dict": {1: "a", (2, "b"): None, b"c": {"d": []}},
        "empty": [[], (), {}, set(), frozenset(), "", b"", bytearray()],
        "float": [float("nan"), float("-inf"), -0.0, 5e-324],
        "frozenset": frozenset({1, (2, 3)}),
        "pattern": re.compile(r"(?u)\b\w+\b", re.IGNORECASE),
        "pattern of bytes": re.compile(b"a+"),
        "range": range(1, 20, 3),
        "set": {1, "a", None},
        "slice": slice(1, None, 2),
        "str": "caf\u00e9 \U0001f600 \ud800",
        "time": noon.timetz(),
        "timedelta": datetime.timedelta(days=-1, microseconds=1),
    }
