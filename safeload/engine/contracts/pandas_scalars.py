"""Single times, spans and intervals.

Sources: pandas/_libs/tslibs/timestamps.pyx, timedeltas.pyx, nattype.pyx, period.pyx, pandas/_libs/interval.pyx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_freqs import freq_of
from safeload.engine.contracts.pandas_parts import everywhere, internal, library, whole
from safeload.engine.contracts.pandas_zones import is_zone
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS"]

Key = tuple[str, str]
_TIMESTAMP: Key = ("pandas._libs.tslibs.timestamps", "_unpickle_timestamp")
_TIMEDELTA: Key = ("pandas._libs.tslibs.timedeltas", "_timedelta_unpickle")
_INT64 = 1 << 63
# NPY_DATETIMEUNIT: seconds, milliseconds, microseconds, nanoseconds
_RESOLUTIONS = range(7, 11)
_MULTIPLE_MAX = 1 << 31


def _is_count(value: Any, resolution: Any) -> bool:
    return whole(value, -_INT64, _INT64 - 1) and type(resolution) is int and resolution in _RESOLUTIONS


def _timestamp(*args: Any) -> Any:
    """``(count, None, zone[, resolution])``: a date that does not exist raises."""
    require(len(args) in (3, 4) and args[1] is None and _is_count(args[0], (*args, 10)[3]), _TIMESTAMP)
    require(args[2] is None or is_zone(args[2]), _TIMESTAMP)
    return internal("_libs.tslibs.timestamps._unpickle_timestamp")(*args)


def _timedelta(*args: Any) -> Any:
    require(len(args) == 2 and _is_count(*args), _TIMEDELTA)
    return internal("_libs.tslibs.timedeltas._timedelta_unpickle")(*args)


def _nat(*args: Any) -> Any:
    """There is but one."""
    return library().NaT


def _period(*args: Any) -> Any:
    """``Period(None, offset, count)``."""
    key = ("pandas", "Period")
    require(len(args) == 3 and args[0] is None and whole(args[2], -_INT64, _INT64 - 1), key)
    freq = freq_of(args[1], key)
    require(freq is not None and 1 <= freq.n < _MULTIPLE_MAX, key)
    return library().Period(None, freq, args[2])


def _interval(*args: Any) -> Any:
    """Numbers, or times: the constructor compares them."""
    import numpy as np

    pandas, key = library(), ("pandas", "Interval")
    require(len(args) == 3 and type(args[2]) is str, key)
    kinds = (int, float, pandas.Timestamp, pandas.Timedelta)
    require(all(type(side) in kinds or isinstance(side, np.number) for side in args[:2]), key)
    return pandas.Interval(*args)


GUARDS: Mapping[Key, Callable[..., Any]] = {
    _TIMESTAMP: _timestamp,
    _TIMEDELTA: _timedelta,
    ("pandas._libs.tslibs.nattype", "_nat_unpickle"): _nat,
    ("pandas._libs.tslibs.nattype", "__nat_unpickle"): _nat,
    **everywhere({"Interval": _interval, "Period": _period}),
}
