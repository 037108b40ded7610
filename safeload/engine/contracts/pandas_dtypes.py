"""pandas' dtypes, made by their constructors: ``__setstate__`` takes categories, zones and units on trust.

Sources: pandas/core/dtypes/dtypes.py, core/arrays/string_.py.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_arrays import check_times
from safeload.engine.contracts.pandas_parts import PLACES, PandasStub, attributes, everywhere, internal, library
from safeload.engine.contracts.pandas_zones import is_zone
from safeload.engine.stubs import Stub
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STATES", "STUBS"]

Key = tuple[str, str]
_NUMPY: Key = ("pandas.core.dtypes.dtypes", "NumpyEADtype")
_STRING: Key = ("pandas", "StringDtype")
_STORAGES = ("python", "pyarrow")
_PERIOD = re.compile(r"period\[([A-Za-z0-9-]{1,40})\]\Z")
_MULTIPLE_MAX = 1 << 31
_MASKED = [name for name in PLACES if re.fullmatch(r"BooleanDtype|Float\d+Dtype|U?Int\d+Dtype", name)]


def _state(stub: Any, key: Key, names: set[str]) -> list[Any]:
    """The values of `names`, sorted, in the state of `stub`."""
    state = attributes(stub, key)
    require(state.keys() - {"_cache"} == names, key)
    return [state[name] for name in sorted(names)]


def _categorical(key: Key, stub: Any) -> Any:
    """Categories are an index, which cannot change any more.

    Not through the constructor, which would hash them all to see whether they are unique.
    """
    pandas = library()
    categories, ordered = _state(stub, key, {"categories", "ordered"})
    require(type(ordered) is bool or (ordered is None and categories is None), key)
    require(categories is None or isinstance(categories, pandas.Index), key)
    require(not isinstance(categories, pandas.MultiIndex | pandas.CategoricalIndex), key)
    return pandas.CategoricalDtype._from_fastpath(categories, ordered)


def _zoned(key: Key, stub: Any) -> Any:
    zone, unit = _state(stub, key, {"tz", "unit"})
    require(type(unit) is str and is_zone(zone), key)
    return library().DatetimeTZDtype(unit, zone)


def _interval(key: Key, stub: Any) -> Any:
    import numpy as np

    pandas = library()
    closed, subtype = _state(stub, key, {"closed", "subtype"})
    require(closed is None or type(closed) is str, key)
    if type(subtype) in {getattr(pandas, name) for name in _MASKED}:
        subtype = type(subtype)()  # without what the file says that it kept
    known = isinstance(subtype, np.dtype) and subtype.kind in "iufmM"
    require(known or subtype is None or isinstance(subtype, pandas.api.extensions.ExtensionDtype), key)
    return pandas.IntervalDtype(subtype, closed)


def _sparse(key: Key, stub: Any) -> Any:
    """The value that stands where none is kept is a number, a text, a time, or a missing one."""
    import numpy as np

    pandas = library()
    dtype, fill = _state(stub, key, {"_dtype", "_fill_value"})
    require(isinstance(dtype, np.dtype) and dtype.kind in "biufcOmM", key)
    if dtype.kind in "mM":
        check_times(dtype, dtype.kind, key)
    times = (np.datetime64, np.timedelta64, pandas.Timestamp, pandas.Timedelta, type(pandas.NaT))
    plain = type(fill) in (bool, int, float, complex, str, type(None), *times) or fill is pandas.NA
    require(plain or isinstance(fill, np.number | np.bool_), key)
    return pandas.SparseDtype(dtype, fill)


def _numpy(stub: Any) -> Any:
    import numpy as np

    (dtype,) = _state(stub, _NUMPY, {"_dtype"})
    require(isinstance(dtype, np.dtype), _NUMPY)
    return internal("core.dtypes.dtypes.NumpyEADtype")(dtype)


def _period(*args: Any) -> Any:
    """``PeriodDtype("period[2D]")``: a span of no days, or of less, is no divisor."""
    key = ("pandas", "PeriodDtype")
    match = _PERIOD.match(args[0]) if len(args) == 1 and type(args[0]) is str else None
    require(match is not None, key)
    made = library().PeriodDtype(args[0])
    require(1 <= made.freq.n < _MULTIPLE_MAX, key)
    return made


class StringDType(Stub):
    """``StringDtype(storage, missing value)``; pandas 2.2 makes it without arguments, and BUILDs it."""

    __slots__ = ()

    def __new__(cls, *args: Any) -> Any:
        require(not args or (len(args) == 2 and args[0] in _STORAGES and _is_missing(args[1])), _STRING)
        pandas = library()
        if args and args[1] is not pandas.NA:
            return pandas.StringDtype(*args)
        return pandas.StringDtype(*(args[:1] or ("python",)))


def _string_state(_: Any, state: Any) -> dict[str, Any]:
    """What pandas below 2.3 wrote: pandas would take any name for a storage, and any attribute."""
    require(type(state) is dict and state.keys() <= {"storage", "_na_value", "_cache"}, _STRING)
    require(state.get("storage") in _STORAGES and _is_missing(state.get("_na_value", library().NA)), _STRING)
    return {name: value for name, value in state.items() if name != "_cache"}


def _is_missing(value: Any) -> bool:
    """NA, or the number that is none."""
    return value is library().NA or (type(value) is float and value != value)


def _no_state(kind: Any, state: Any) -> dict[str, Any]:
    """Those of nullable numbers have none, only what they keep for later, and find out again."""
    require(type(state) is dict and state.keys() <= {"_cache"}, ("pandas", kind.__name__))
    return {}


_MAKERS: Mapping[str, Callable[[Key, Any], Any]] = {
    "CategoricalDtype": _categorical,
    "DatetimeTZDtype": _zoned,
    "IntervalDtype": _interval,
    "SparseDtype": _sparse,
}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _NUMPY: _numpy,
    **{(module, name): partial(make, (module, name)) for name, make in _MAKERS.items() for module in PLACES[name]},
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, PandasStub)
GUARDS: Mapping[Key, Callable[..., Any]] = everywhere({"PeriodDtype": _period, "StringDtype": StringDType})
STATES: Mapping[Key, Callable[[Any, Any], Any]] = everywhere(
    {**dict.fromkeys(_MASKED, _no_state), "StringDtype": _string_state}
)
