"""Support vector machines: libsvm takes every length from another array than the one it then reads.

Sources: sklearn/svm/_base.py, _libsvm.pyx, _libsvm_sparse.pyx, src/libsvm/libsvm_helper.c (``set_model``),
libsvm_sparse_helper.c (``csr_set_model``), svm.cpp (``Kernel::k_function``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, indices, is_word, key_of
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_KERNELS = ("linear", "poly", "rbf", "sigmoid", "precomputed")
# Of the functions that a file may name, those with a row for each of X and a column for each of Y.
_PAIRWISE = (
    "additive_chi2_kernel", "chi2_kernel", "cosine_distances", "cosine_similarity", "euclidean_distances",
    "laplacian_kernel", "linear_kernel", "manhattan_distances", "pairwise_kernels",
    "polynomial_kernel", "rbf_kernel", "sigmoid_kernel",
)  # fmt: skip
_LIBRARIES = ("catboost", "lightgbm", "numpy", "pandas", "scipy", "sklearn", "xgboost")
# Class attributes that say which algorithm of libsvm the arrays belong to.
_FIXED = frozenset({"_impl", "_sparse_kernels"})


def _check(machines: list[Any]) -> None:
    from sklearn.svm._base import BaseSVC

    for one in machines:
        state = vars(one)
        if "support_" in state:
            require(not _FIXED & state.keys() and _kernel(state), key_of(one))
            classes = len(state["classes_"]) if isinstance(one, BaseSVC) else None
            require(_counts(state, classes) and _vectors(state) and _probabilities(state, classes), key_of(one))
            require(_coefficients(state, (classes or 2) - 1), key_of(one))


def _counts(state: dict[str, Any], classes: int | None) -> bool:
    """How many vectors there are, for each class; those that are no classifiers say it twice."""
    many, counts = len(state["support_"]), state["_n_support"]
    if not array(counts, (classes or 2,), "i") or classes == 1:
        return False
    if classes is None:
        return bool(counts[0] == many)
    return bool((counts >= 0).all() and counts.sum() == many)


def _coefficients(state: dict[str, Any], rows: int) -> bool:
    """For each pair of classes a constant, for each vector one coefficient less than classes."""
    import numpy as np

    many, pairs = len(state["support_"]), rows * (rows + 1) // 2
    dual = state["_dual_coef_"]
    if not array(state["_intercept_"], (pairs,), "f"):
        return False
    if not state["_sparse"]:
        return _doubles(dual, (rows, many))
    # Read as the bare data: a row after the other, with nothing left out.
    data = vars(dual)["data"]
    return array(data, (rows * many,)) and data.dtype == np.float64


def _vectors(state: dict[str, Any]) -> bool:
    """The vectors as such, with the columns of X, or the columns of a kernel matrix that they stand for."""
    support, vectors, shape = state["support_"], state["support_vectors_"], state["shape_fit_"]
    if type(shape) is not tuple or not array(support, (None,), "i"):
        return False
    if state["_sparse"]:
        return bool(vectors.shape == (len(support), state["n_features_in_"]) and vectors.format == "csr")
    if callable(state["kernel"]):
        fitted = state["_BaseLibSVM__Xfit"]
        return _doubles(vectors, (None, None)) and fitted.shape[0] == shape[0] and indices(support, shape[0])
    if state["kernel"] == "precomputed":
        return _doubles(vectors, (None, None)) and indices(support, shape[0])
    return _doubles(vectors, (len(support), state["n_features_in_"]))


def _doubles(value: Any, shape: tuple[int | None, ...]) -> bool:
    return array(value, shape, "f") and bool(value.flags.c_contiguous)


def _probabilities(state: dict[str, Any], classes: int | None) -> bool:
    """None, or one for each pair of classes."""
    pairs = 1 if classes is None else classes * (classes - 1) // 2
    sizes = [state[name].size for name in ("_probA", "_probB") if array(state[name], (None,), "f")]
    if state["_sparse"] and sizes == [0, 0] and state.get("_effective_probability", state.get("probability", False)):
        return False  # libsvm would read what is not there
    return len(sizes) == 2 and (sizes in ([0, 0], [pairs, pairs]) or (classes is None and sizes == [1, 0]))


def _kernel(state: dict[str, Any]) -> bool:
    """A name, or a function of two matrices whose result has a column for each row of the second.

    A function that a policy allowed by name is its owner's; one of the libraries could be any.
    """
    kernel = state["kernel"]
    if type(state["_sparse"]) is not bool:
        return False
    if is_word(kernel):
        return kernel in _KERNELS and not (state["_sparse"] and kernel == "precomputed")
    return not state["_sparse"] and _square(kernel)


def _square(kernel: Any) -> bool:
    from sklearn.gaussian_process.kernels import Kernel

    if type(kernel) is partial:
        return kernel.args == () and "Y" not in kernel.keywords and _square(kernel.func)
    if isinstance(kernel, Kernel):
        inner = [value for name, value in vars(kernel).items() if name in ("k1", "k2", "kernel")]
        return all(isinstance(one, Kernel) and _square(one) for one in inner)
    module, name = getattr(kernel, "__module__", None), getattr(kernel, "__qualname__", None)
    if module == "sklearn.metrics.pairwise":
        return name in _PAIRWISE
    return type(module) is str and module.partition(".")[0] not in _LIBRARIES


CHECKERS: Mapping[Key, Checker] = {("sklearn.svm._base", "BaseLibSVM"): _check}
