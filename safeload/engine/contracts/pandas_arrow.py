"""pandas' columns that pyarrow holds, since pandas 3 all texts where pyarrow is installed.

``__setstate__`` would set whatever the state names. Sources: pandas/core/arrays/arrow/array.py, string_arrow.py, and
``ArrowDtype`` of pandas/core/dtypes/dtypes.py.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.arrow import is_flat
from safeload.engine.contracts.pandas_memory import counted
from safeload.engine.contracts.pandas_parts import PLACES, PandasStub, as_written, attributes, library, needed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "STUBS"]

Key = tuple[str, str]
# What pandas kept for later, and finds out again.
_LATER = {"_cache", "_readonly"}


def _dtype(key: Key, stub: Any) -> Any:
    """Checkpoint: the type, and the word "pyarrow" for what holds it."""
    state = attributes(stub, key)
    require(state.keys() - {"_cache", "_storage", "storage"} == {"pyarrow_dtype"}, key)
    require(is_flat(state["pyarrow_dtype"]), key)
    return library().ArrowDtype(state["pyarrow_dtype"])


def _values(stub: Any, key: Key) -> tuple[Any, Any, dict[str, Any]]:
    state = attributes(stub, key)
    require(state.keys() - _LATER == {"_pa_array", "_dtype"}, key)
    require(isinstance(state["_pa_array"], needed("pyarrow").Array), key)
    counted(state["_pa_array"], key)  # older texts are copied, into ones with longer offsets
    return state["_pa_array"], state["_dtype"], state


def _column(key: Key, stub: Any) -> Any:
    """Checkpoint: values of any type that Arrow has checked; the dtype is theirs."""
    pandas = library()
    values, dtype, state = _values(stub, key)
    require(type(dtype) is pandas.ArrowDtype and dtype.pyarrow_dtype == values.type, key)
    return as_written(pandas.arrays.ArrowExtensionArray(values), state, key)


def _texts(key: Key, stub: Any) -> Any:
    """Checkpoint: texts, and what stands for a missing one."""
    pandas, arrow = library(), needed("pyarrow")
    values, dtype, state = _values(stub, key)
    require(type(dtype) is pandas.StringDtype and dtype.storage == "pyarrow", key)
    require(values.type in (arrow.string(), arrow.large_string()), key)
    made = dtype.construct_array_type()(values)
    require(isinstance(made, pandas.arrays.ArrowStringArray), key)
    made._dtype = dtype
    return as_written(made, state, key)


_MAKERS: Mapping[str, Callable[[Key, Any], Any]] = {
    "ArrowDtype": _dtype,
    "ArrowExtensionArray": _column,
    "ArrowStringArray": _texts,
    "ArrowStringArrayNumpySemantics": _texts,
}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    (module, name): partial(make, (module, name)) for name, make in _MAKERS.items() for module in PLACES[name]
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, PandasStub)
