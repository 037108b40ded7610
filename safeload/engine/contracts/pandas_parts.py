"""What the contracts of pandas share: names across its releases, and what one call hands to the next.

pandas 3 names its classes by where users find them, pandas 2 by where they are defined: both are in files.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any, TypeVar

from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token
from safeload.engine.valid import require
from safeload.errors import CodecError
from safeload.policy.allowlist import confined

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PLACES",
    "PandasStub",
    "Part",
    "as_written",
    "attributes",
    "bare",
    "class_name",
    "everywhere",
    "internal",
    "library",
    "needed",
    "whole",
]

Key = tuple[str, str]
Entry = TypeVar("Entry")

_DTYPES = "pandas.core.dtypes.dtypes"
_STRINGS = "pandas.core.arrays.string_arrow"
_INTEGER, _FLOATING = "pandas.core.arrays.integer", "pandas.core.arrays.floating"

# Name -> its module in pandas 3, and in pandas 2.
PLACES: Mapping[str, tuple[str, str]] = {
    "DataFrame": ("pandas", "pandas.core.frame"),
    "Series": ("pandas", "pandas.core.series"),
    "Interval": ("pandas", "pandas._libs.interval"),
    "Period": ("pandas", "pandas._libs.tslibs.period"),
    "DateOffset": ("pandas", "pandas._libs.tslibs.offsets"),
    "FrozenList": ("pandas.api.typing", "pandas.core.indexes.frozen"),
    "CategoricalDtype": ("pandas", _DTYPES),
    "DatetimeTZDtype": ("pandas", _DTYPES),
    "IntervalDtype": ("pandas", _DTYPES),
    "PeriodDtype": ("pandas", _DTYPES),
    "SparseDtype": ("pandas", _DTYPES),
    "StringDtype": ("pandas", "pandas.core.arrays.string_"),
    "BooleanArray": ("pandas.arrays", "pandas.core.arrays.boolean"),
    "FloatingArray": ("pandas.arrays", _FLOATING),
    "IntegerArray": ("pandas.arrays", _INTEGER),
    "ArrowDtype": ("pandas", _DTYPES),
    "ArrowExtensionArray": ("pandas.arrays", "pandas.core.arrays.arrow.array"),
    "ArrowStringArray": ("pandas.arrays", _STRINGS),
    "ArrowStringArrayNumpySemantics": (_STRINGS, _STRINGS),  # pandas 2 alone
    "SparseArray": ("pandas.arrays", "pandas.core.arrays.sparse.array"),
    "BooleanDtype": ("pandas", "pandas.core.arrays.boolean"),
    **dict.fromkeys(("Float32Dtype", "Float64Dtype"), ("pandas", _FLOATING)),
    **{f"{sign}Int{bits}Dtype": ("pandas", _INTEGER) for sign in ("", "U") for bits in (8, 16, 32, 64)},
}


def everywhere(entries: Mapping[str, Entry]) -> dict[Key, Entry]:
    """``name -> entry`` for each place where pandas has that name."""
    return {(module, name): entry for name, entry in entries.items() for module in PLACES[name]}


@functools.cache
def needed(name: str) -> Any:
    """The module of that name, which only a file that names it needs. Raises CodecError."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CodecError(
            f"the model needs {name}, which cannot be imported here: {error}",
            hint="install what it comes from, or put its folder on PYTHONPATH",
        ) from error


def library() -> Any:
    return needed("pandas")


@functools.cache
def internal(path: str) -> Any:
    """What pandas keeps at `path` below its own name, for what has no public constructor."""
    library()
    module, _, name = path.rpartition(".")
    return getattr(needed(f"pandas.{module}"), name)


def class_name(value: Any, owner: Key) -> str:
    """The name of a class of pandas that is the argument of `owner`. The class need not exist here any more."""
    require(type(value) is Token and (value.module, value.name) in confined()[owner], owner)
    name: str = value.name
    return name


class PandasStub(Stub):
    """An object of pandas that gets its state from BUILD: its own ``__setstate__`` takes that on trust."""

    __slots__ = ()
    what = "pandas object"

    def __new__(cls, *args: Any) -> PandasStub:
        made = super().__new__(cls)
        made.args = args
        return made


def bare(stub: Any, key: Key) -> Any:
    """The state of an object that was made without arguments."""
    require(type(stub) is PandasStub and getattr(stub, "args", ()) == (), key)
    return stub.state


def attributes(stub: Any, key: Key) -> dict[str, Any]:
    """The same, a dict: a copy."""
    state = bare(stub, key)
    require(type(state) is dict, key)
    return dict(state)


def as_written(array: Any, state: dict[str, Any], key: Key) -> Any:
    """`array`, for reading only if `state` says so: pandas 3.1 gives out such of an index."""
    require(type(state.get("_readonly", False)) is bool, key)
    if state.get("_readonly"):
        array._readonly = True
    return array


class Part:
    """What one callable of pandas hands to the next, such as a block to its frame. Itself it can do nothing."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise CodecError("a part of a pandas object stands where it has no place")


def whole(value: Any, least: int, most: int) -> bool:
    """Whether `value` is an int from `least` to `most`."""
    return type(value) is int and least <= value <= most
