"""What someone does who received a model and suspects nothing: predict with all its methods, look at it, draw from it.

Exceptions are fine, and so are wrong results. What is not: a signal, an endless loop, memory without bound.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import ParameterSampler

from fuzz.exercise_boosters import uses_of_booster
from fuzz.exercise_frames import uses_of_pandas
from fuzz.exercise_scipy import uses_of_scipy
from testkit.estimators import ATTRIBUTES, METHODS
from testkit.estimators import _silence as silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["exercise", "uses_of"]

_MORE_METHODS = ("inverse_transform", "sample", "staged_predict", "query", "mahalanobis", "get_feature_names_out")
# With the same numbers in other forms: other code is compiled for them.
_AGAIN = ("predict", "transform", "decision_function", "score_samples", "kneighbors", "apply", "decision_path")
_FORMS: tuple[Callable[[Any], Any], ...] = (scipy.sparse.csr_matrix, lambda data: data[:1].astype(np.float32))
_CELLS_MAX = 10**6  # a sparse matrix may have any shape; nobody writes a million columns out
_ITEMS_MAX = 200
_DRAWS = 5
_LIBRARIES: dict[str, Callable[[Any, Any], Iterator[tuple[str, Callable[[], Any]]]]] = {
    **dict.fromkeys(("catboost", "lightgbm", "xgboost"), uses_of_booster),
    "pandas": lambda value, data: uses_of_pandas(value),
    "scipy": lambda value, data: uses_of_scipy(value),
}


def exercise(value: Any, data: Any) -> list[str]:
    """Use `value` on `data`; returns what took more memory than there is."""
    hungry: list[str] = []
    with silence(), np.errstate(all="ignore"), suppress(Exception):
        for name, use in uses_of(value, data):
            try:
                use()
            except MemoryError:
                hungry.append(name)
            except Exception:  # noqa: S110 - Python's way to say no
                pass
    return hungry


def uses_of(value: Any, data: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "repr", lambda: repr(value)
    library = _LIBRARIES.get(type(value).__module__.partition(".")[0])
    if library is not None and not scipy.sparse.issparse(value):
        yield from library(value, data)
    elif isinstance(value, BaseEstimator):
        yield from _of_estimator(value, data)
    elif isinstance(value, np.ndarray):
        yield from _of_array(value)
    elif scipy.sparse.issparse(value):
        yield from _of_sparse(value)
    elif isinstance(value, np.random.RandomState | np.random.Generator | np.random.BitGenerator):
        yield from _of_generator(value)
    elif isinstance(value, np.dtype):
        yield "zeros", lambda: repr(np.zeros(3, value))
    elif isinstance(value, list | tuple | dict | set | frozenset):
        items = itertools.chain(value.keys(), value.values()) if isinstance(value, dict) else value
        for item in itertools.islice(items, _ITEMS_MAX):
            if not isinstance(item, list | tuple | dict | set | frozenset | str | bytes | int):
                yield from uses_of(item, data)
    elif isinstance(value, np.generic):
        yield "scalar", lambda: (value.item(), value == value, hash(value))
    if data is not None and callable(getattr(value, "predict", None)) and not isinstance(value, BaseEstimator):
        yield "predict", lambda: value.predict(data)


def _of_estimator(model: Any, data: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "get_params", model.get_params
    yield "draws", lambda: list(ParameterSampler(model.param_distributions, _DRAWS, random_state=0))
    for name in (*METHODS, *ATTRIBUTES, *_MORE_METHODS):
        yield name, partial(_use, model, name, data)
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype.kind in "if":
        for name, form in itertools.product(_AGAIN, _FORMS):
            yield name, partial(_use_again, model, name, form, data)


def _use(model: Any, name: str, data: Any) -> Any:
    attribute = getattr(model, name)
    if not callable(attribute):
        return repr(attribute)
    if name in ("sample", "get_feature_names_out"):
        return attribute()
    if name == "inverse_transform":
        return attribute(model.transform(data))
    result = attribute(data)
    if name == "staged_predict":
        return list(itertools.islice(result, _ITEMS_MAX))
    return repr(result)


def _use_again(model: Any, name: str, form: Callable[[Any], Any], data: Any) -> Any:
    return getattr(model, name)(form(data))


def _use_field(array: Any, name: str) -> Any:
    return repr(array[name]), array[name].sum()


def _use_layout(matrix: Any, layout: str) -> Any:
    return matrix.asformat(layout).toarray()


def _of_array(array: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "sum", lambda: array.sum()
    yield "sort", lambda: np.sort(array.ravel())
    yield "unique", lambda: np.unique(array)
    yield "add", lambda: array + array
    yield "compare", lambda: array == array.copy()
    yield "list", lambda: array.tolist()
    yield "items", lambda: [array[index] for index in range(min(len(array), 3))]
    yield "text", lambda: array.astype(str)
    yield "objects", lambda: array.astype(object)
    yield "bytes", lambda: array.T.tobytes()
    for name in array.dtype.names or ():
        yield f"field {name}", partial(_use_field, array, name)


def _of_sparse(matrix: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    small = int(np.prod([min(size, _CELLS_MAX + 1) for size in matrix.shape], dtype=float)) <= _CELLS_MAX
    if small:
        yield "dense", lambda: matrix.toarray()
        yield "dot", lambda: matrix @ np.ones(matrix.shape[-1])
        yield "product", lambda: matrix.T @ matrix
        yield "rows", lambda: [matrix[index] for index in range(min(matrix.shape[0], 3))]
        yield "sum", lambda: (matrix.sum(axis=0), matrix.max())
        yield "sorted", lambda: (matrix + matrix).tocsr().sort_indices()
        for layout in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil"):
            yield layout, partial(_use_layout, matrix, layout)
    yield "diagonal", lambda: matrix.diagonal()
    yield "items", lambda: (matrix.nnz, matrix.count_nonzero())


def _of_generator(generator: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    if isinstance(generator, np.random.BitGenerator):
        yield "raw", lambda: generator.random_raw(700)
        yield "jumped", lambda: generator.jumped().random_raw(3)
        yield "spawn", lambda: generator.spawn(1)
        generator = np.random.Generator(generator)
    yield "normal", lambda: generator.normal(size=700)
    yield "uniform", lambda: generator.uniform(size=3)
    yield "permutation", lambda: generator.permutation(9)
    yield "choice", lambda: generator.choice(9, size=3, replace=False)
    yield "gamma", lambda: (generator.gamma(0.5, size=9), generator.poisson(50, size=9), generator.binomial(9, 0.4))
    yield "bytes", lambda: generator.bytes(5)
    if isinstance(generator, np.random.Generator):
        yield "integers", lambda: (generator.integers(9, size=700), generator.integers(9, size=3, dtype=np.uint32))
        yield "floats", lambda: generator.standard_normal(size=9, dtype=np.float32)
    else:
        yield "integers", lambda: (generator.randint(9, size=700), generator.tomaxint(3))
