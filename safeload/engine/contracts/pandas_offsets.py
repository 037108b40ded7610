"""Offsets, which are the frequencies of indexes and periods, and dateutil's relativedelta inside of one of them.

Their constructors look at what they are given; here only that it is plain: a calendar would be asked for its holidays.
Sources: pandas/_libs/tslibs/offsets.pyx, dateutil/relativedelta.py.
"""

from __future__ import annotations

import datetime
import math
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_parts import PLACES, PandasStub, attributes, internal, library, needed, whole
from safeload.engine.valid import require
from safeload.policy.allowlist import allow_list
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

Key = tuple[str, str]
_MODULE = "pandas._libs.tslibs.offsets"
_RELATIVE: Key = ("dateutil.relativedelta", "relativedelta")
_INT64 = 1 << 63
_TEXT_MAX = 100
_ITEMS_MAX = 5_000  # holidays
# What the constructor makes of the parts.
_DERIVED = frozenset({"_offset", "_use_relativedelta"})
_RELATIVE_PARTS = ("years", "months", "days", "leapdays", "hours", "minutes", "seconds", "microseconds")
_ABSOLUTE_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_PARTS = {*_RELATIVE_PARTS, *_ABSOLUTE_PARTS, "milliseconds", "nanosecond", "nanoseconds", "weekday", "weeks"}
_RELATIVE_MAX = 1 << 31


def _is_plain(value: Any) -> bool:
    """Whether `value` is a number, a short text, a time, or several of these."""
    import numpy as np

    if type(value) in (list, tuple):
        return len(value) <= _ITEMS_MAX and all(type(item) not in (list, tuple) and _is_plain(item) for item in value)
    if type(value) is str:
        return len(value) <= _TEXT_MAX
    if type(value) is int:
        return -_INT64 <= value < _INT64
    return value is None or type(value) in (bool, datetime.time, datetime.timedelta, datetime.date, np.datetime64)


def _offset(name: str, *args: Any) -> Any:
    """``Class(n, normalize, ...)``."""
    key = (_MODULE, name)
    require(len(args) >= 2 and whole(args[0], -_INT64, _INT64 - 1) and type(args[1]) is bool, key)
    require(all(map(_is_plain, args)), key)
    return internal(f"_libs.tslibs.offsets.{name}")(*args)


def _date_offset(key: Key, stub: Any) -> Any:
    """Checkpoint: numbers by name. A weekday that counts ("the second Monday") is an object, and left out."""
    state = attributes(stub, key)
    count, normalize = state.pop("n", None), state.pop("normalize", None)
    require(whole(count, -_INT64, _INT64 - 1) and type(normalize) is bool, key)
    parts = {name: value for name, value in state.items() if name not in _DERIVED}
    require(parts.keys() <= _PARTS and all(map(_is_number, parts.values())), key)
    return library().DateOffset(count, normalize, **parts)


def _is_number(value: Any) -> bool:
    return whole(value, -_RELATIVE_MAX, _RELATIVE_MAX) or (
        type(value) is float and math.isfinite(value) and abs(value) <= _RELATIVE_MAX
    )


def _relativedelta(stub: Any) -> Any:
    """Checkpoint: numbers, and those that replace a part of a date, or None."""
    state = attributes(stub, _RELATIVE)
    state.pop("_has_time", None)
    require(state.keys() - {"weekday"} <= {*_RELATIVE_PARTS, *_ABSOLUTE_PARTS}, _RELATIVE)
    require(all(_is_number(state.get(name, 0)) for name in _RELATIVE_PARTS), _RELATIVE)
    require(all(state.get(name) is None or whole(state[name], 0, 1 << 31) for name in _ABSOLUTE_PARTS), _RELATIVE)
    require(state.get("weekday") is None, _RELATIVE)
    return needed(_RELATIVE[0]).relativedelta(**state)


FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _RELATIVE: _relativedelta,
    **{(module, "DateOffset"): partial(_date_offset, (module, "DateOffset")) for module in PLACES["DateOffset"]},
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, PandasStub)
GUARDS: Mapping[Key, Callable[..., Any]] = {
    (module, name): partial(_offset, name)
    for (module, name), use in allow_list("pandas").items()
    if module == _MODULE and Use.CALLED in use
}
