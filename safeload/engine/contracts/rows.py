"""Classifiers that number the rows of a sparse result by what others answer: more rows than there are would be written.

One against the rest asks one estimator a class, and puts the places of its positive answers into a ``csc_array``, which
does not look. An answer can be longer than X: numpy repeats a single row of X for each row of a forged attribute.
Sources: sklearn/multiclass.py (``OneVsRestClassifier.predict``, ``_ConstantPredictor``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.columns import is_of_one_column
from safeload.engine.contracts.shapes import array, key_of, number
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

# What answers for each row once, if the attributes below are as they should. Other packages' classes are their owners'.
_MODULES = (
    "sklearn.calibration", "sklearn.cluster._kmeans", "sklearn.compose.", "sklearn.decomposition._factor_analysis",
    "sklearn.decomposition._fastica", "sklearn.decomposition._lda", "sklearn.decomposition._nmf",
    "sklearn.decomposition._pca", "sklearn.decomposition._truncated_svd", "sklearn.discriminant_analysis",
    "sklearn.dummy",
    "sklearn.ensemble._bagging", "sklearn.ensemble._forest", "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.", "sklearn.ensemble._stacking", "sklearn.ensemble._voting",
    "sklearn.ensemble._weight_boosting", "sklearn.feature_extraction._dict_vectorizer",
    "sklearn.feature_extraction.text", "sklearn.feature_selection.", "sklearn.frozen.", "sklearn.isotonic",
    "sklearn.impute.", "sklearn.kernel_approximation", "sklearn.linear_model._base",
    "sklearn.linear_model._bayes", "sklearn.linear_model._coordinate_descent", "sklearn.linear_model._huber",
    "sklearn.linear_model._least_angle", "sklearn.linear_model._logistic", "sklearn.linear_model._omp",
    "sklearn.linear_model._passive_aggressive", "sklearn.linear_model._perceptron",
    "sklearn.linear_model._quantile", "sklearn.linear_model._ransac", "sklearn.linear_model._ridge",
    "sklearn.linear_model._stochastic_gradient", "sklearn.linear_model._theil_sen", "sklearn.model_selection.",
    "sklearn.multiclass", "sklearn.naive_bayes", "sklearn.neighbors._classification", "sklearn.neighbors._nca",
    "sklearn.neighbors._regression", "sklearn.neural_network._multilayer_perceptron", "sklearn.pipeline",
    "sklearn.preprocessing.", "sklearn.random_projection", "sklearn.semi_supervised._self_training",
    "sklearn.svm._classes", "sklearn.tree.",
)  # fmt: skip
_DIMENSIONS: Mapping[str, int] = {
    "X_thresholds_": 1,
    "class_log_prior_": 1,
    "class_prior_": 1,
    "classes_": 1,
    "coef_": 2,
    "coefs_": 2,
    "components_": 2,
    "estimator_weights_": 1,
    "feature_log_prob_": 2,
    "intercept_": 1,
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
    "y_thresholds_": 1,
}
# Lists of arrays: one a layer, a feature, a class, an output.
_LISTS = frozenset({"classes_", "coefs_", "feature_log_prob_", "rotations_", "scalings_"})
_KERNEL = ("coef0", "degree", "gamma")
_LIBRARIES = ("functools", "numpy", "scipy", "sklearn")


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
    import numpy as np

    state, (module, name) = vars(part), key_of(part)
    if module.partition(".")[0] != "sklearn":
        return True
    if not module.startswith(_MODULES) or not all(map(_flat, state.items())) or not is_of_one_column(state, name):
        return False
    if name == "Nystroem":
        plain = (state.get(each) is None or np.ndim(state[each]) == 0 for each in _KERNEL)
        return all(plain) and not state.get("kernel_params")
    if name == "FunctionTransformer":
        return _of_one_array(state.get("func")) and not state.get("kw_args")
    if name == "TransformedTargetRegressor":
        return _of_one_array(state.get("func")) and _of_one_array(state.get("inverse_func"))
    if name == "_ConstantPredictor":
        return array(state["y_"], (1,))
    return _single(state.get("offset_", 0.0)) and ("intercept_" not in state or _with_intercept(state))


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
    return _single(state["intercept_"]) or (len(many) == 2 and array(state["intercept_"], (many[0],)))


def _single(value: Any) -> bool:
    import numpy as np

    return number(value, -(2**62)) or isinstance(value, float | np.floating) or getattr(value, "size", 0) == 1


def _of_one_array(func: Any) -> bool:
    """No function, one of a single array item by item, or one that a policy allowed by name."""
    import numpy as np

    if func is None or (isinstance(func, np.ufunc) and func.nin == 1):
        return True
    module = getattr(func, "__module__", None)
    return type(module) is str and module.partition(".")[0] not in _LIBRARIES


CHECKERS: Mapping[tuple[str, str], Checker] = {
    ("sklearn.multiclass", "OneVsRestClassifier"): _check_one_against_rest,
}
