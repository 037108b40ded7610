"""Blocks: some columns of one dtype, the places where they stand, and their values.

Cython writes to a column's place without looking whether there is one, and reads as many values as the index is long.
Sources: pandas/_libs/internals.pyx (``BlockPlacement``, ``_rebuild_blknos_and_blklocs``), core/internals/blocks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_memory import inside, once
from safeload.engine.contracts.pandas_parts import Part, internal, library, whole
from safeload.engine.valid import require

if TYPE_CHECKING:
    import numpy as np

__all__ = ["BlockPart", "block_of", "check_numpy", "check_truth", "row_of", "span_of", "unpickle_block"]

Key = tuple[str, str]
_KEY: Key = ("pandas._libs.internals", "_unpickle_block")
# Text and bytes of numpy are objects in pandas; its dates and times are arrays of its own.
_KINDS = "biufcO"
# Of pandas' own arrays, those that stand for several columns at once, and those that are one column.
_WIDE = frozenset({"DatetimeArray", "PeriodArray", "TimedeltaArray"})
_NARROW = frozenset(
    {"ArrowExtensionArray", "BooleanArray", "Categorical", "FloatingArray", "IntegerArray", "IntervalArray"}
    | {"SparseArray", "StringArray"}
)
# pandas shares a block between a few frames at most.
_USES_MAX = 64


@dataclass(slots=True, eq=False)
class BlockPart(Part):
    """What becomes one block: nothing of it is looked at before its frame is known."""

    values: Any
    places: Any
    dimensions: Any
    uses: int = 0


def unpickle_block(*args: Any) -> BlockPart:
    require(len(args) == 3, _KEY)
    return BlockPart(*args)


def block_of(part: BlockPart, columns: int, rows: int, key: Key) -> Any:
    """The block of a frame with so many columns and rows."""
    require(part.dimensions == 2, key)
    places = _places(part.places, columns, key)
    return _block(part, places, (len(span_of(places)), rows), key)


def row_of(part: BlockPart, rows: int, key: Key) -> Any:
    """The block of a series of so many rows."""
    require(part.dimensions == 1, key)
    return _block(part, slice(0, rows, 1), (rows,), key)


def _block(part: BlockPart, places: Any, shape: tuple[int, ...], key: Key) -> Any:
    part.uses += 1  # each costs more than the name of a block does
    require(part.uses <= _USES_MAX, key)
    _check_values(part.values, shape, key)
    placement = internal("_libs.internals.BlockPlacement")(places)
    return internal("core.internals.blocks.new_block")(part.values, placement=placement, ndim=len(shape))


def _places(places: Any, columns: int, key: Key) -> Any:
    """A slice or an array of columns that exist. A copy: whoever writes to the file's array moves no column."""
    import numpy as np

    if type(places) is slice:
        require(whole(places.start, 0, columns) and type(places.step) is int and places.step != 0, key)
        require(type(places.stop) is int or (places.stop is None and places.step < 0), key)
        span = span_of(places)
        require(len(span) == 0 or (0 <= span[-1] < columns and span[0] < columns), key)
        return places
    require(type(places) is np.ndarray and places.ndim == 1 and places.dtype == np.intp, key)
    require(inside(places, 0, columns), key)
    return once(places, "places", places.copy)


def span_of(places: Any) -> Any:
    """The columns of a slice or an array. Downwards to the first, a slice has no end."""
    if type(places) is not slice:
        return places
    return range(places.start, -1 if places.stop is None else places.stop, places.step)


def _check_values(values: Any, shape: tuple[int, ...], key: Key) -> None:
    import numpy as np

    if type(values) is np.ndarray:
        require(values.shape == shape, key)
        check_numpy(values, key)
    elif _is_one_of(values, _WIDE):
        require(values.shape == shape, key)
    else:
        require(_is_one_of(values, _NARROW), key)
        require(values.shape == shape[-1:] and shape[:-1] in ((), (1,)), key)


def _is_one_of(values: Any, names: frozenset[str]) -> bool:
    """Whether `values` is such an array, and pandas' own: each came from a contract that checked it."""
    kinds = tuple(getattr(library().arrays, name) for name in names)
    return isinstance(values, kinds) and type(values).__module__.partition(".")[0] == "pandas"


def check_numpy(values: np.ndarray[Any, Any], key: Key) -> None:
    """Numbers, objects, or truth values that are 0 or 1."""
    require(values.dtype.kind in _KINDS and values.dtype.names is None, key)
    if values.dtype.kind == "b":
        check_truth(values, key)
    elif values.dtype.kind == "O":
        require(once(values, "lengths", lambda: _even(values)), key)


def _even(values: np.ndarray[Any, Any]) -> bool:
    """No value yields more items than it says: ``explode`` makes room for as many as it says, and writes all of them.

    A frame says its rows, and yields its columns. So may an ensemble, whose estimators are what its state says.
    """
    frame, items = library().DataFrame, values.ravel().tolist()
    plain = not any(kind.__dictoffset__ for kind in set(map(type, items)))
    for item in () if plain else items:
        inner = item if isinstance(item, frame) else getattr(item, "__dict__", {}).get("estimators_")
        if isinstance(inner, frame) and 0 < len(inner) < len(inner.columns):
            return False
    return True


def check_truth(values: np.ndarray[Any, Any], key: Key) -> None:
    """A byte that is neither 0 nor 1 is true for one half of C, and another number for the other."""
    require(values.dtype == bool, key)
    require(once(values, "truth", lambda: values.size == 0 or int(values.view("u1").max()) <= 1), key)
