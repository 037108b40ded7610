"""What decides, besides the number of dimensions, how many rows an estimator answers with for each row of X.

A parameter that is a number for scikit-learn can be an array in a file, and numpy repeats a row for each row of it.
Sources: sklearn/gaussian_process/_gpc.py, _gpr.py and kernels.py, semi_supervised/_label_propagation.py,
kernel_ridge.py, kernel_approximation.py, decomposition/_dict_learning.py and _kernel_pca.py,
cluster/_feature_agglomeration.py, linear_model/_glm/glm.py, compose/_target.py, preprocessing/_function_transformer.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, is_single, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ANSWERS"]

State = dict[str, Any]
_LIBRARIES = ("functools", "numpy", "scipy", "sklearn")
_PARTS = ("k1", "k2", "kernel")  # of a kernel that is made of others
_POOLING = ("amax", "amin", "max", "mean", "median", "min", "sum")


def _numbers(*names: str) -> Callable[[State], bool]:
    """None or one number each, where there is one."""
    return lambda state: all(state.get(name) is None or is_single(state[name]) for name in names)


_coding = _numbers("alpha", "transform_alpha", "transform_n_nonzero_coefs")
_kernel_numbers = _numbers("coef0", "degree", "gamma", "gamma_")


def _ridge(state: State) -> bool:
    weights = state.get("dual_coef_")
    return _pairwise(state) and (weights is None or array(weights, (None,)) or array(weights, (None, 1)))


def _pairwise(state: State) -> bool:
    """``pairwise_kernels``: ``laplacian_kernel`` multiplies with gamma what has a row for each of X."""
    return _kernel_numbers(state) and not state.get("kernel_params")


def _are_kernels(*given: Any) -> bool:
    """Kernels that give a row for each row and a column for each other, and as many on the diagonal."""
    from sklearn.gaussian_process.kernels import Kernel

    waiting = list(given)
    while waiting:
        kernel = waiting.pop()
        module, name = key_of(kernel)
        if not isinstance(kernel, Kernel):
            return False
        if module == Kernel.__module__:  # other packages' kernels are their owners'
            state = vars(kernel)
            waiting += [state[part] for part in _PARTS if part in state]
            if name == "CompoundKernel" or not all(map(_is_plain, state.items())):
                return False
    return True


def _is_plain(item: tuple[str, Any]) -> bool:
    name, value = item
    if name == "length_scale":  # one for all columns of X, or one for each
        many = type(value) in (list, tuple) and all(isinstance(one, int | float) for one in value)
        return many or is_single(value) or array(value, (None,))
    if name == "pairwise_kernels_kwargs":
        return not value
    return name in _PARTS or name.endswith("_bounds") or type(value) is str or value is None or is_single(value)


def _laplace(state: State) -> bool:
    """GaussianProcessClassifier of two classes."""
    if "X_train_" not in state:
        return True
    count = getattr(state["y_train_"], "shape", (0,))[0]
    vectors = (array(state[name], (count,)) for name in ("y_train_", "pi_", "W_sr_"))
    return all(vectors) and array(state["L_"], (count, count)) and _are_kernels(state["kernel_"])


def _process(state: State) -> bool:
    if state.get("n_targets") not in (None, 1):
        return False
    if "X_train_" not in state:
        return state.get("kernel") is None or _are_kernels(state["kernel"])
    alpha = state["alpha_"]
    one = is_single(state["_y_train_mean"]) and is_single(state["_y_train_std"])
    return one and (array(alpha, (None,)) or array(alpha, (None, 1))) and _are_kernels(state["kernel_"])


def _propagation(state: State) -> bool:
    return state.get("kernel") in ("knn", "rbf") and is_single(state.get("gamma", 1))


def _pooling(state: State) -> bool:
    import numpy as np

    func = state.get("pooling_func")
    return any(func is getattr(np, name) for name in _POOLING) or _is_users(func)


def _link(state: State) -> bool:
    loss = state.get("_base_loss")
    if loss is None:
        return True
    return key_of(loss)[0] == "sklearn._loss.loss" and key_of(vars(loss).get("link"))[0] == "sklearn._loss.link"


def _function(state: State) -> bool:
    return _of_one_array(state.get("func")) and not state.get("kw_args")


def _target(state: State) -> bool:
    return _of_one_array(state.get("func")) and _of_one_array(state.get("inverse_func"))


def _of_one_array(func: Any) -> bool:
    """No function, one of a single array item by item, or one that a policy allowed by name."""
    import numpy as np

    return func is None or (isinstance(func, np.ufunc) and func.nin == 1) or _is_users(func)


def _is_users(func: Any) -> bool:
    module = getattr(func, "__module__", None)
    return type(module) is str and module.partition(".")[0] not in _LIBRARIES


# By the name of a class of scikit-learn; the others need nothing more.
ANSWERS: Mapping[str, Callable[[State], bool]] = {
    "DictionaryLearning": _coding,
    "FeatureAgglomeration": _pooling,
    "FunctionTransformer": _function,
    "GammaRegressor": _link,
    "GaussianProcessRegressor": _process,
    "KernelPCA": _pairwise,
    "KernelRidge": _ridge,
    "LabelPropagation": _propagation,
    "LabelSpreading": _propagation,
    "MiniBatchDictionaryLearning": _coding,
    "Nystroem": _pairwise,
    "PoissonRegressor": _link,
    "SparseCoder": _coding,
    "TransformedTargetRegressor": _target,
    "TweedieRegressor": _link,
    "_BinaryGaussianProcessClassifierLaplace": _laplace,
    "_ConstantPredictor": lambda state: array(state["y_"], (1,)),
}
