"""Arrays with a mask, and sparse ones: two arrays that belong together, and C code that reads both by one number.

Sources: pandas/core/arrays/masked.py, core/arrays/sparse/array.py, pandas/_libs/sparse.pyx.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_blocks import check_truth
from safeload.engine.contracts.pandas_levels import LENGTH_MAX
from safeload.engine.contracts.pandas_memory import copied
from safeload.engine.contracts.pandas_parts import PLACES, PandasStub, as_written, attributes, internal, library, whole
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

Key = tuple[str, str]
_KINDS: Mapping[str, str] = {"BooleanArray": "b", "FloatingArray": "f", "IntegerArray": "iu"}
_INT: Key = ("pandas._libs.sparse", "IntIndex")
_BLOCK: Key = ("pandas._libs.sparse", "BlockIndex")


def _checked_state(stub: Any, key: Key, names: set[str]) -> dict[str, Any]:
    """The state of `stub`, whose ``_cache`` is left for the new object to find out."""
    state = attributes(stub, key)
    require(state.keys() - {"_cache", "_readonly"} == names, key)
    return state


def _masked(key: Key, stub: Any) -> Any:
    """Checkpoint: values and mask."""
    import numpy as np

    kind = _KINDS[key[1]]
    state = _checked_state(stub, key, {"_data", "_mask"} | ({"_dtype"} if kind == "b" else set()))
    data, mask = state["_data"], state["_mask"]
    require(type(data) is type(mask) is np.ndarray and data.ndim == 1 and data.shape == mask.shape, key)
    require(data.dtype.kind in kind, key)
    check_truth(mask, key)
    if kind == "b":
        data = _truth(data, mask, key)
    return as_written(getattr(library().arrays, key[1])(data, mask), state, key)


def _truth(data: Any, mask: Any, key: Key) -> Any:
    """Truth values; where one is missing, pandas' reader of CSV leaves a byte that is none."""
    import numpy as np

    require(data.dtype == np.bool_, key)
    if data.size and int(data.view("u1").max()) > 1:
        data = copied(data, key)
        data[mask] = False
        check_truth(data, key)
    return data


def _sparse(key: Key, stub: Any) -> Any:
    """Checkpoint: as many values as the index has points, and all of the dtype's own kind."""
    import numpy as np

    pandas = library()
    state = _checked_state(stub, key, {"_sparse_index", "_sparse_values", "_dtype"})
    index, values, dtype = state["_sparse_index"], state["_sparse_values"], state["_dtype"]
    require(isinstance(index, internal("_libs.sparse.SparseIndex")) and type(dtype) is pandas.SparseDtype, key)
    require(type(values) is np.ndarray and values.shape == (index.npoints,) and values.dtype == dtype.subtype, key)
    if values.dtype.kind == "b":
        check_truth(values, key)
    return as_written(pandas.arrays.SparseArray._simple_new(values, index, dtype), state, key)


def _int_index(*args: Any) -> Any:
    """``IntIndex(length, places)``: ascending, and inside."""
    require(len(args) == 2, _INT)
    length, places = args
    places = _places(places, _INT)
    require(whole(length, 0, LENGTH_MAX) and _ascends(places, 1, length), _INT)
    return internal("_libs.sparse.IntIndex")(length, places)


def _block_index(*args: Any) -> Any:
    """``BlockIndex(length, starts, lengths)``. pandas compares neighbours, and takes a block of negative length."""
    require(len(args) == 3, _BLOCK)
    length, starts, lengths = args
    starts, lengths = _places(starts, _BLOCK), _places(lengths, _BLOCK)
    require(whole(length, 0, LENGTH_MAX) and len(starts) == len(lengths), _BLOCK)
    require(len(lengths) == 0 or (int(lengths.min()) >= 1 and int(lengths.max()) <= length), _BLOCK)
    require(_ascends(starts, lengths, length), _BLOCK)
    return internal("_libs.sparse.BlockIndex")(length, starts, lengths)


def _places(places: Any, key: Key) -> Any:
    """A copy: C code follows it."""
    import numpy as np

    require(type(places) is np.ndarray and places.ndim == 1 and places.dtype == np.int32, key)
    return copied(places, key)


def _ascends(starts: Any, lengths: Any, end: int) -> bool:
    """Whether ranges of `lengths` at `starts` follow one another from 0 to before `end`."""
    import numpy as np

    ends = starts.astype(np.int64) + lengths
    return bool(
        len(starts) == 0 or (starts[0] >= 0 and (ends[:-1] <= starts[1:]).all() and (starts[1:] > starts[:-1]).all())
    ) and bool(len(starts) == 0 or int(ends.max()) <= end)


FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    (module, name): partial(_sparse if name == "SparseArray" else _masked, (module, name))
    for name in (*_KINDS, "SparseArray")
    for module in PLACES[name]
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, PandasStub)
GUARDS: Mapping[Key, Callable[..., Any]] = {_INT: _int_index, _BLOCK: _block_index}
