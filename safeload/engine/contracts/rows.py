"""Classifiers that number the rows of a sparse result by what others answer: more rows than there are would be written.

One against the rest asks one estimator a class, and puts the places of its positive answers into a ``csc_array``, which
does not look. An answer can be longer than X: numpy repeats a single row of X for each row of a forged attribute.
Sources: sklearn/multiclass.py (``OneVsRestClassifier.predict``, ``_ConstantPredictor``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.answers import ANSWERS
from safeload.engine.contracts.columns import is_of_one_column
from safeload.engine.contracts.shapes import array, is_single, key_of
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

# What answers for each row once, if the attributes below are as they should. Other packages' classes are their owners'.
_MODULES = (
    "sklearn.calibration", "sklearn.cluster._agglomerative", "sklearn.cluster._birch",
    "sklearn.cluster._bisect_k_means", "sklearn.cluster._kmeans", "sklearn.compose.",
    "sklearn.cross_decomposition._pls", "sklearn.decomposition.", "sklearn.discriminant_analysis", "sklearn.dummy",
    "sklearn.ensemble._bagging", "sklearn.ensemble._forest", "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.", "sklearn.ensemble._stacking", "sklearn.ensemble._voting",
    "sklearn.ensemble._weight_boosting", "sklearn.feature_extraction._dict_vectorizer",
    "sklearn.feature_extraction.text", "sklearn.feature_selection.", "sklearn.frozen.", "sklearn.gaussian_process._gp",
    "sklearn.isotonic", "sklearn.impute.", "sklearn.kernel_approximation", "sklearn.kernel_ridge",
    "sklearn.linear_model._base", "sklearn.linear_model._bayes", "sklearn.linear_model._coordinate_descent",
    "sklearn.linear_model._glm.", "sklearn.linear_model._huber",
    "sklearn.linear_model._least_angle", "sklearn.linear_model._logistic", "sklearn.linear_model._omp",
    "sklearn.linear_model._passive_aggressive", "sklearn.linear_model._perceptron",
    "sklearn.linear_model._quantile", "sklearn.linear_model._ransac", "sklearn.linear_model._ridge",
    "sklearn.linear_model._stochastic_gradient", "sklearn.linear_model._theil_sen", "sklearn.manifold._isomap",
    "sklearn.manifold._locally_linear", "sklearn.model_selection.", "sklearn.multiclass", "sklearn.naive_bayes",
    "sklearn.neighbors._classification", "sklearn.neighbors._graph", "sklearn.neighbors._nca",
    "sklearn.neighbors._nearest_centroid", "sklearn.neighbors._regression", "sklearn.neighbors._unsupervised",
    "sklearn.neural_network._multilayer_perceptron", "sklearn.neural_network._rbm", "sklearn.pipeline",
    "sklearn.preprocessing.", "sklearn.random_projection", "sklearn.semi_supervised._",
    "sklearn.svm._classes", "sklearn.tree.",
)  # fmt: skip
_DIMENSIONS: Mapping[str, int] = {
    "X_fit_": 2,
    "X_thresholds_": 1,
    "X_train_": 2,
    "_x_mean": 1,
    "_x_std": 1,
    "class_log_prior_": 1,
    "class_prior_": 1,
    "classes_": 1,
    "coef_": 2,
    "coefs_": 2,
    "components_": 2,
    "estimator_weights_": 1,
    "feature_log_prob_": 2,
    "dual_coef_": 2,
    "intercept_": 1,
    "label_distributions_": 2,
    "mean_": 1,
    "means_": 2,
    "noise_variance_": 1,
    "normalization_": 2,
    "offset_": 1,
    "priors_": 1,
    "random_weights_": 2,
    "rotations_": 2,
    "scalings_": 2,
    "theta_": 2,
    "var_": 2,
    "x_rotations_": 2,
    "x_weights_": 2,
    "y_thresholds_": 1,
}
# Lists of arrays: one a layer, a feature, a class, an output.
_LISTS = frozenset({"classes_", "coefs_", "feature_log_prob_", "rotations_", "scalings_"})


def _check_one_against_rest(models: list[Any]) -> None:
    for model in models:
        state = vars(model)
        # Of more classes than two numpy compares the lengths.
        if "estimators_" in state and vars(state["label_binarizer_"]).get("y_type_") != "multiclass":
            for part in _estimators(state["estimators_"]):
                if not _answers_once(part):
                    raise CodecError(f"{'.'.join(key_of(part))} may answer more than once for a row, in a OneVsRest")


def _estimators(value: Any) -> Iterator[Any]:
    """Every estimator in `value`, at any depth of attributes and containers."""
    from sklearn.base import BaseEstimator

    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, BaseEstimator):
                yield one
            if type(one) in (list, tuple):
                waiting += one
            else:
                waiting += (one if type(one) is dict else getattr(one, "__dict__", {})).values()


def _answers_once(part: Any) -> bool:
    state, (module, name) = vars(part), key_of(part)
    if module.partition(".")[0] != "sklearn":
        return True
    if not module.startswith(_MODULES) or not all(map(_flat, state.items())) or not is_of_one_column(state, name):
        return False
    if name in ANSWERS and not ANSWERS[name](state):
        return False
    return is_single(state.get("offset_", 0.0)) and ("intercept_" not in state or _with_intercept(state))


def _flat(item: tuple[str, Any]) -> bool:
    """Numbers or arrays of at most as many dimensions as it takes."""
    import numpy as np
    from scipy import sparse

    name, value = item
    most = _DIMENSIONS.get(name)
    if most is None or value is None or isinstance(value, float | int | np.generic):
        return True
    if type(value) is list and name in _LISTS:
        return all(type(one) is not list and _flat((name, one)) for one in value)
    return sparse.issparse(value) or (isinstance(value, np.ndarray) and value.ndim <= most)


def _with_intercept(state: dict[str, Any]) -> bool:
    """One for each row of coefficients: to a column of answers, a column is added."""
    many: Any = getattr(state.get("coef_"), "shape", ())
    return is_single(state["intercept_"]) or (len(many) == 2 and array(state["intercept_"], (many[0],)))


CHECKERS: Mapping[tuple[str, str], Checker] = {
    ("sklearn.multiclass", "OneVsRestClassifier"): _check_one_against_rest,
}
