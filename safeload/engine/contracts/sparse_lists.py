"""scipy's sparse matrices in dicts and lists, one Python object an item.

Sources: scipy/sparse/_dok.py, _lil.py and _csparsetools.pyx, which reads as many values of a row as it has indices.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.sparse import SparseStub, checked_state, shape_of
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dok", "lil"]

Key = tuple[str, str]


def _dtype(state: dict[str, Any], key: Key) -> Any:
    import numpy as np

    dtype = state["dtype"]
    # An older dok has the scalar type's dtype; no objects: scipy says that it does not support them.
    require(isinstance(dtype, np.dtype) and dtype.kind in "biufc", key)
    return dtype


def _check_types(values: Iterable[Any], allowed: tuple[type, ...], key: Key) -> None:
    """No object of a model's own, whose methods would be called."""
    import numpy as np

    kinds = set(map(type, values))
    require(all(kind in allowed or (issubclass(kind, np.number) or kind is np.bool_) for kind in kinds), key)


def _int64(values: list[Any], key: Key) -> Any:
    """The indices in one array; what is not whole is none."""
    import numpy as np

    require(all(kind is int or issubclass(kind, np.integer) for kind in set(map(type, values))), key)
    require(all(-1 < value < 1 << 63 for value in values), key)
    return np.array(values, dtype=np.int64)


def dok(cls: Any, stub: Any, key: Key) -> Any:
    """Made over ``object``, or over ``dict`` with the items, which the state repeats since scipy 1.13."""
    require(type(stub) is SparseStub and (stub.args == () or (len(stub.args) == 2 and stub.args[0] is dict)), key)
    items: Any = stub.args[1] if stub.args else None
    old = items is not None and type(getattr(stub, "state", None)) is dict and "_dict" not in stub.state
    state = checked_state(stub, key, {"dtype"} if old else {"dtype", "_dict"})
    items = items if old else state["_dict"]
    shape = shape_of(state, key, (1, 2) if key[1] == "dok_array" else (2,))
    require(type(items) is dict, key)
    keys: list[Any] = list(items)
    if len(shape) == 2:
        require(all(type(each) is tuple and len(each) == 2 for each in keys), key)
        columns: list[list[Any]] = [[each[axis] for each in keys] for axis in (0, 1)]
    else:
        columns = [keys]
    for column, size in zip(columns, shape, strict=True):
        require(bool((_int64(column, key) < size).all()), key)
    _check_types(items.values(), (int, float, complex, bool), key)
    made = cls(shape, dtype=_dtype(state, key))
    if hasattr(made, "_dict"):
        made._dict.update(items)
    else:  # scipy below 1.13: the matrix is the dict
        dict.update(made, items)
    made.maxprint = state.get("maxprint", made.maxprint)
    return made


def lil(cls: Any, stub: Any, key: Key) -> Any:
    """``rows`` and ``data``: two arrays of lists, the column indices of each row in order and as many values."""
    state = checked_state(stub, key, {"rows", "data", "dtype"})
    shape = shape_of(state, key, (2,))
    rows, data = _lists(state["rows"], shape[0], key), _lists(state["data"], shape[0], key)
    require(list(map(len, rows)) == list(map(len, data)), key)
    _check_columns(rows, shape[1], key)
    _check_types(chain.from_iterable(data), (int, float, complex, bool), key)
    made = cls(shape, dtype=_dtype(state, key))
    for index, (columns, values) in enumerate(zip(rows, data, strict=True)):
        # Copies: the file may append to its own lists later.
        made.rows[index], made.data[index] = columns.copy(), values.copy()
    made.maxprint = state.get("maxprint", made.maxprint)
    return made


def _lists(array: Any, count: int, key: Key) -> list[list[Any]]:
    import numpy as np

    require(type(array) is np.ndarray and array.dtype == object and array.shape == (count,), key)
    lists: list[list[Any]] = array.tolist()
    require(all(type(each) is list for each in lists), key)
    return lists


def _check_columns(rows: list[list[Any]], size: int, key: Key) -> None:
    import numpy as np

    flat = _int64(list(chain.from_iterable(rows)), key)
    require(bool((flat < size).all()), key)
    starts = np.cumsum([0, *map(len, rows)])[1:-1]
    ascends = np.diff(flat) > 0
    ascends[starts[(starts > 0) & (starts < len(flat))] - 1] = True  # from the last of a row to the first of the next
    require(bool(ascends.all()), key)
