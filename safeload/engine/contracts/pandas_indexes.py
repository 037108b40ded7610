"""Indexes: rebuilt by their constructors from arrays that were checked, never by ``_new_Index`` with any class.

An index of another length than it says is read past its end.
Sources: pandas/core/indexes/base.py, range.py, interval.py and datetimes.py (the ``_new_`` functions).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_blocks import check_numpy
from safeload.engine.contracts.pandas_freqs import with_freq
from safeload.engine.contracts.pandas_levels import LENGTH_MAX, length_alone, multi_index
from safeload.engine.contracts.pandas_memory import counted
from safeload.engine.contracts.pandas_parts import Part, class_name, everywhere, internal, library, whole
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS", "axis_of"]

Key = tuple[str, str]
_BASE: Key = ("pandas.core.indexes.base", "_new_Index")
_DATETIME: Key = ("pandas.core.indexes.datetimes", "_new_DatetimeIndex")
_INTERVAL: Key = ("pandas.core.indexes.interval", "_new_IntervalIndex")
_TIMEDELTA: Key = ("pandas.core.indexes.timedeltas", "_new_TimedeltaIndex")
_INT64 = 1 << 63
# Series of one frame have as many indexes of intervals, with the same sides.
_SHARED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class LongRange(Part):
    """A RangeIndex that is too long to stand alone; a frame that has as many rows of data may have it."""

    span: range
    name: Any


def axis_of(value: Any, key: Key) -> Any:
    """The index of a frame or a series. What is longer than LENGTH_MAX needs as much data."""
    pandas = library()
    if type(value) is LongRange:
        return pandas.RangeIndex(value.span, name=value.name)
    require(isinstance(value, pandas.Index), key)
    return value


def _index(owner: Key, *args: Any) -> Any:
    """``_new_Index(class, dict)``: any class there would be instantiated without its ``__init__``."""
    require(len(args) == 2 and type(args[1]) is dict, owner)
    pandas, state = library(), dict(args[1])
    # Index stands in other places too, and so is no token.
    name = "Index" if args[0] is pandas.Index and owner == _BASE else class_name(args[0], owner)
    return _MAKERS[name](getattr(pandas, name), state, owner)


def _items(state: dict[str, Any], names: set[str], key: Key) -> dict[str, Any]:
    require(state.keys() == names, key)
    return state


def _plain(kind: Any, state: dict[str, Any], key: Key) -> Any:
    """Of an array of numpy, or one of pandas' own, which came from a contract."""
    import numpy as np

    pandas = library()
    data = _items(state, {"data", "name"}, key)["data"]
    if type(data) is np.ndarray:
        check_numpy(data, key)
    else:
        require(isinstance(data, pandas.api.extensions.ExtensionArray), key)
        require(type(data).__module__.partition(".")[0] == "pandas", key)
    require(data.ndim == 1, key)
    made = pandas.Index(data, dtype=data.dtype, name=state["name"], copy=False)
    require(type(made) is kind and made.dtype == data.dtype, key)
    return made


def _range(kind: Any, state: dict[str, Any], key: Key) -> Any:
    _items(state, {"name", "start", "stop", "step"}, key)
    numbers = [state[name] for name in ("start", "stop", "step")]
    require(all(whole(number, -_INT64, _INT64 - 1) for number in numbers) and numbers[2] != 0, key)
    span = range(*numbers)
    require(len(span) < 1 << 62, key)
    if len(span) > LENGTH_MAX:
        return LongRange(span, state["name"])
    return kind(span, name=state["name"])


def _times(kind: Any, state: dict[str, Any], key: Key) -> Any:
    """A DatetimeIndex or TimedeltaIndex. pandas 3.1 writes the frequency here, older ones into the array."""
    pandas = library()
    array = pandas.arrays.DatetimeArray if kind.__name__ == "DatetimeIndex" else pandas.arrays.TimedeltaArray
    data = _items(state, {"data", "name"} | ({"freq"} & state.keys()), key)["data"]
    require(type(data) is array and data.ndim == 1, key)
    freq = state.get("freq", vars(data).get("_freq"))
    made = kind(array._simple_new(data._ndarray, dtype=data.dtype), name=state["name"], copy=False)
    return with_freq(made, freq, key)


def _intervals(kind: Any, state: dict[str, Any], key: Key) -> Any:
    import numpy as np

    pandas = library()
    _items(state, {"left", "right", "closed", "name"}, key)
    left, right = state["left"], state["right"]
    require(all(isinstance(side, pandas.Index) and not length_alone(side) for side in (left, right)), key)
    require(type(state["closed"]) is str, key)
    # Others are compared by decoding them, however long each value is.
    kinds = ("DatetimeArray", "FloatingArray", "IntegerArray", "TimedeltaArray")
    known = (np.ndarray, *(getattr(pandas.arrays, kind) for kind in kinds))
    require(isinstance(left._values, known) and isinstance(right._values, known), key)
    for side in (left, right):
        counted(side._values, key, _SHARED_MAX)
    return kind.from_arrays(left, right, closed=state["closed"], name=state["name"])


_MAKERS: Mapping[str, Callable[[Any, dict[str, Any], Key], Any]] = {
    "Index": _plain,
    "CategoricalIndex": _plain,
    "PeriodIndex": _plain,
    "RangeIndex": _range,
    "MultiIndex": multi_index,
    "DatetimeIndex": _times,
    "TimedeltaIndex": _times,
    "IntervalIndex": _intervals,
}


def _frozen_list(*args: Any) -> Any:
    """The names of an index."""
    require(len(args) == 1 and type(args[0]) is list, ("pandas.api.typing", "FrozenList"))
    return internal("core.indexes.frozen.FrozenList")(args[0])


GUARDS: Mapping[Key, Callable[..., Any]] = {
    **{key: partial(_index, key) for key in (_BASE, _DATETIME, _INTERVAL, _TIMEDELTA)},
    **everywhere({"FrozenList": _frozen_list}),
}
