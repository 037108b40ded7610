"""pandas' arrays around one array of numpy, and intervals around two: made anew from checked parts.

``NDArrayBacked.__setstate__`` takes any array for its memory, and sets whatever attributes the state names.
Sources: pandas/_libs/arrays.pyx, interval.pyx, and pandas/core/arrays (categorical, datetimes, interval, period ...).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_blocks import check_numpy
from safeload.engine.contracts.pandas_freqs import freq_of
from safeload.engine.contracts.pandas_memory import copied, counted, inside
from safeload.engine.contracts.pandas_parts import PandasStub, as_written, class_name, library
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "STUBS", "check_times"]

Key = tuple[str, str]
_BACKED: Key = ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")
_INTERVAL: Key = ("pandas._libs.interval", "__pyx_unpickle_IntervalMixin")
# What the object kept for later is left for it to find out again.
_EXTRA = {"_freq", "_cache", "_readonly"}
_CODES = ("i1", "i2", "i4", "i8")
_SIDES = ("DatetimeArray", "FloatingArray", "IntegerArray", "TimedeltaArray")
_UNITS = frozenset({"s", "ms", "us", "ns"})


def _made_by(stub: Any, owner: Key) -> str:
    """The name of the class that ``__pyx_unpickle_X(class, checksum, None)`` would instantiate."""
    require(type(stub) is PandasStub and len(stub.args) == 3 and type(stub.args[1]) is int, owner)
    require(stub.args[2] is None and type(stub.state) is tuple, owner)
    return class_name(stub.args[0], owner)


def _backed(stub: Any) -> Any:
    """Checkpoint: the state is (dtype, array[, attributes])."""
    import numpy as np

    make = _MAKERS[_made_by(stub, _BACKED)]
    require(len(stub.state) in (2, 3), _BACKED)
    dtype, values, *rest = stub.state
    extra = rest[0] if rest else {}
    require(type(extra) is dict and extra.keys() <= _EXTRA, _BACKED)
    require(type(values) is np.ndarray and values.ndim in (1, 2), _BACKED)
    made = make(dtype, values)
    if extra.get("_freq") is not None:
        made._freq = freq_of(extra["_freq"], _BACKED)
    return as_written(made, extra, _BACKED)


def check_times(dtype: Any, kind: str, key: Key) -> None:
    """A dtype of numpy for dates or times that pandas computes with."""
    import numpy as np

    require(isinstance(dtype, np.dtype) and dtype.kind == kind and dtype.isnative, key)
    require(np.datetime_data(dtype) in {(unit, 1) for unit in _UNITS}, key)


def _datetimes(dtype: Any, values: Any) -> Any:
    pandas = library()
    check_times(values.dtype, "M", _BACKED)
    if isinstance(dtype, pandas.DatetimeTZDtype):
        require(dtype.unit == _unit(values), _BACKED)
    else:
        require(dtype == values.dtype, _BACKED)
    return pandas.arrays.DatetimeArray._simple_new(values, dtype=dtype)


def _unit(values: Any) -> str:
    import numpy as np

    return np.datetime_data(values.dtype)[0]


def _timedeltas(dtype: Any, values: Any) -> Any:
    check_times(values.dtype, "m", _BACKED)
    require(dtype == values.dtype, _BACKED)
    return library().arrays.TimedeltaArray._simple_new(values, dtype=dtype)


def _periods(dtype: Any, values: Any) -> Any:
    pandas = library()
    require(type(dtype) is pandas.PeriodDtype and values.dtype == "i8", _BACKED)
    return pandas.arrays.PeriodArray(values, dtype=dtype, copy=False)


def _categorical(dtype: Any, codes: Any) -> Any:
    """Codes that the categories have; -1 is none of them. A copy, for pandas looks no more, and writes to it."""
    pandas = library()
    require(type(dtype) is pandas.CategoricalDtype and dtype.categories is not None, _BACKED)
    require(codes.ndim == 1 and codes.dtype in _CODES, _BACKED)
    require(inside(codes, -1, len(dtype.categories)), _BACKED)
    return pandas.Categorical.from_codes(copied(codes, _BACKED), dtype=dtype, validate=False)


def _strings(dtype: Any, values: Any) -> Any:
    """The constructor looks at each value."""
    pandas = library()
    require(isinstance(dtype, pandas.StringDtype) and dtype.storage == "python", _BACKED)
    require(values.dtype == object and values.ndim == 1, _BACKED)
    kind = dtype.construct_array_type()
    # Without it pandas 3 takes another dtype where pyarrow is installed; older ones have a class for each instead.
    options = {"dtype": dtype} if "dtype" in inspect.signature(kind).parameters else {}
    made = kind(copied(values, _BACKED), **options)
    require(made.dtype == dtype, _BACKED)
    return made


def _numpy(dtype: Any, values: Any) -> Any:
    check_numpy(values, _BACKED)
    require(getattr(dtype, "numpy_dtype", None) == values.dtype, _BACKED)
    return library().arrays.NumpyExtensionArray(values)


def _interval(stub: Any) -> Any:
    """Checkpoint: both sides, compared by the constructor."""
    import numpy as np

    require(_made_by(stub, _INTERVAL) == "IntervalArray" and len(stub.state) == 1, _INTERVAL)
    state = stub.state[0]
    require(type(state) is dict and state.keys() - {"_cache", "_readonly"} == {"_left", "_right", "_dtype"}, _INTERVAL)
    pandas = library()
    left, right, dtype = state["_left"], state["_right"], state["_dtype"]
    kinds = (np.ndarray, *(getattr(pandas.arrays, name) for name in _SIDES))
    require(type(left) is type(right) and type(left) in kinds and left.ndim == right.ndim == 1, _INTERVAL)
    require(type(dtype) is pandas.IntervalDtype and dtype.subtype == left.dtype == right.dtype, _INTERVAL)
    for side in (left, right):
        counted(side, _INTERVAL)
    made = pandas.arrays.IntervalArray.from_arrays(left, right, closed=dtype.closed, copy=True)
    require(made.dtype == dtype, _INTERVAL)
    return as_written(made, state, _INTERVAL)


_MAKERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Categorical": _categorical,
    "DatetimeArray": _datetimes,
    "NumpyExtensionArray": _numpy,
    "PeriodArray": _periods,
    "StringArray": _strings,
    "StringArrayNumpySemantics": _strings,
    "TimedeltaArray": _timedeltas,
}
STUBS: Mapping[Key, type[Stub]] = {_BACKED: PandasStub, _INTERVAL: PandasStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_BACKED: _backed, _INTERVAL: _interval}
