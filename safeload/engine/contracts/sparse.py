"""scipy's sparse matrices in arrays: their C++ follows index arrays, offsets and block sizes without looking.

Sources: scipy/sparse/_compressed.py, _bsr.py, _coo.py and _dia.py (constructors and ``check_format``), and
scipy/sparse/sparsetools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.stubs import Stub
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["SparseStub", "bsr", "checked_state", "compressed", "coo", "dia", "shape_of"]

Key = tuple[str, str]
_FLAGS = {"_has_canonical_format", "_has_sorted_indices", "has_canonical_format", "has_sorted_indices"}
_COMMON = {"_shape", "maxprint"}


class SparseStub(Stub):
    """Made without ``__init__``; without its state a matrix has no shape."""

    __slots__ = ()
    what = "scipy sparse matrix"

    def __new__(cls, *args: Any) -> SparseStub:
        made = super().__new__(cls)
        made.args = args
        return made


def checked_state(stub: Any, key: Key, names: Collection[str]) -> dict[str, Any]:
    """The state of `stub`, which has `names`, and besides only what every sparse class may have."""
    require(type(stub) is SparseStub and type(stub.state) is dict, key)
    require(stub.args == () or "dok" in key[1], key)
    state: dict[str, Any] = stub.state
    require(set(names) <= state.keys() and "_shape" in state, key)
    require(state.keys() - names <= _COMMON | _FLAGS, key)
    require(type(state.get("maxprint", 0)) is int, key)
    require(all(type(state.get(flag, False)) is bool for flag in _FLAGS), key)
    return state


def shape_of(state: dict[str, Any], key: Key, dimensions: Collection[int]) -> tuple[int, ...]:
    shape: Any = state["_shape"]
    require(type(shape) is tuple and len(shape) in dimensions, key)
    require(all(type(size) is int and 0 <= size < 1 << 63 for size in shape), key)
    return tuple(shape)


def _indices(array: Any, key: Key) -> Any:
    """Index arrays that nothing else in the file reaches: they must stay what was checked.

    joblib's arrays cannot be named twice, so no second object writes to them. Those of numpy's own reducers are copied.
    """
    import numpy as np

    require(type(array) is np.ndarray and array.ndim == 1 and array.dtype in (np.int32, np.int64), key)
    return array if type(array.base) in (bytearray, memoryview) else array.copy()


def _values(array: Any, key: Key, dimensions: int) -> Any:
    """Numbers in memory as C++ wants it. No objects: scipy says that it does not support them."""
    import numpy as np

    require(type(array) is np.ndarray and array.ndim == dimensions and array.dtype.kind in "biufc", key)
    return array


def _check_inside(indices: Any, size: int, key: Key) -> None:
    if len(indices):
        require(int(indices.min()) >= 0 and int(indices.max()) < size, key)


def _check_pointers(indptr: Any, rows: int, count: int, key: Key) -> None:
    require(len(indptr) == rows + 1 and int(indptr[0]) == 0 and int(indptr[-1]) <= count, key)
    require(bool((indptr[1:] >= indptr[:-1]).all()), key)


def _kept(made: Any, state: dict[str, Any]) -> Any:
    made.maxprint = state.get("maxprint", made.maxprint)
    return made


def _finished(made: Any, indices: Any, indptr: Any, state: dict[str, Any]) -> Any:
    """The constructor narrows indices where they fit; whoever made them wide sees them so again.

    Whether they are sorted and canonical is left for scipy to find out when it wants to know: a false flag makes
    wrong results.
    """
    if made.indices.dtype != indices.dtype or made.indptr.dtype != indptr.dtype:
        made.indices, made.indptr = indices[: len(made.indices)], indptr
    return _kept(made, state)


def compressed(cls: Any, stub: Any, key: Key) -> Any:
    """csr and csc: ``data``, ``indices`` and ``indptr``."""
    state = checked_state(stub, key, {"data", "indices", "indptr"})
    shape = shape_of(state, key, (1, 2) if key[1] == "csr_array" else (2,))
    rows, columns = (1, *shape)[-2:] if "csr" in key[1] else shape[::-1]
    data = _values(state["data"], key, 1)
    indices, indptr = _indices(state["indices"], key), _indices(state["indptr"], key)
    require(len(data) == len(indices), key)
    _check_pointers(indptr, rows, len(indices), key)
    _check_inside(indices, columns, key)
    return _finished(cls((data, indices, indptr), shape=shape), indices, indptr, state)


def bsr(cls: Any, stub: Any, key: Key) -> Any:
    """Like csr, with blocks: the shape is a multiple of theirs, and none is empty (a division by zero)."""
    state = checked_state(stub, key, {"data", "indices", "indptr"})
    rows, columns = shape_of(state, key, (2,))
    data = _values(state["data"], key, 3)
    indices, indptr = _indices(state["indices"], key), _indices(state["indptr"], key)
    height, width = data.shape[1:]
    require(height >= 1 and width >= 1 and rows % height == 0 and columns % width == 0, key)
    require(len(data) == len(indices), key)
    _check_pointers(indptr, rows // height, len(indices), key)
    _check_inside(indices, columns // width, key)
    return _finished(cls((data, indices, indptr), shape=(rows, columns)), indices, indptr, state)


def coo(cls: Any, stub: Any, key: Key) -> Any:
    """One index array a dimension; scipy below 1.13 calls them ``row`` and ``col``."""
    old = type(stub) is SparseStub and type(stub.state) is dict and "coords" not in stub.state
    state = checked_state(stub, key, {"data", "row", "col"} if old else {"data", "coords"})
    shape = shape_of(state, key, range(1, 65) if key[1] == "coo_array" else (2,))
    data = _values(state["data"], key, 1)
    coords: Any = (state["row"], state["col"]) if old else state["coords"]
    require(type(coords) is tuple and len(coords) == len(shape), key)
    # The tuple, and with it any array, may stand in another object as well.
    arrays = tuple(_indices(each, key).copy() for each in coords)
    for array, size in zip(arrays, shape, strict=True):
        require(len(array) == len(data), key)
        _check_inside(array, size, key)
    made = cls((data, arrays), shape=shape)
    made.has_canonical_format = state.get("has_canonical_format", False) and _is_canonical(arrays)
    return _finished_coo(made, arrays, state)


def _finished_coo(made: Any, coords: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """As wide as they were; before scipy 1.13 the arrays are two plain attributes."""
    if hasattr(made, "coords"):
        made.coords = coords
    else:
        made.row, made.col = coords
    return _kept(made, state)


def _is_canonical(coords: tuple[Any, ...]) -> bool:
    """Sorted, the first dimension first or the last, and without duplicates (scipy's releases differ in the order)."""
    return _ascends(coords) or _ascends(coords[::-1])


def _ascends(coords: tuple[Any, ...]) -> bool:
    import numpy as np

    equal: Any = np.ones(max(len(coords[0]) - 1, 0), dtype=bool)
    less = ~equal
    for each in coords:
        less |= equal & (each[:-1] < each[1:])
        equal &= each[:-1] == each[1:]
    return bool(less.all())


def dia(cls: Any, stub: Any, key: Key) -> Any:
    """Diagonals in the rows of ``data``. An offset far outside overflows ``int`` where C++ adds the number of rows."""
    state = checked_state(stub, key, {"data", "offsets"})
    shape = shape_of(state, key, (2,))
    data, offsets = _values(state["data"], key, 2), _indices(state["offsets"], key)
    require(len(data) == len(offsets), key)
    require(bool(((offsets >= -shape[0]) & (offsets <= shape[1])).all()), key)
    made = cls((data, offsets), shape=shape)
    made.offsets = offsets
    return _kept(made, state)
