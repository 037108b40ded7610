"""pyarrow's arrays of one flat type, of which frames keep texts and nullable columns: made anew from checked memory.

``_restore_array`` hands buffers to C++ that reads as far as a length and offsets say. Here sizes are compared with
what the type needs, and Arrow's own full validation, which is made for untrusted data, looks at offsets, texts and
indices. Sources: pyarrow/array.pxi, pyarrow/types.pxi; https://arrow.apache.org/docs/format/Columnar.html and
https://arrow.apache.org/docs/cpp/security.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_levels import LENGTH_MAX
from safeload.engine.contracts.pandas_memory import counted
from safeload.engine.contracts.pandas_parts import needed, whole
from safeload.engine.contracts.pandas_zones import is_zone_name
from safeload.engine.outofband import Ticket
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS", "is_flat"]

Key = tuple[str, str]
_BUFFER: Key = ("pyarrow.lib", "py_buffer")
_ARRAY: Key = ("pyarrow.lib", "_restore_array")
_ALIAS: Key = ("pyarrow.lib", "type_for_alias")

_UNITS = ("s", "ms", "us", "ns")
_WHOLE = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_ALIASES = frozenset(
    {"null", "bool", "halffloat", "float", "double", "date32[day]", "date64[ms]", "time32[s]", "time32[ms]"}
    | {"time64[us]", "time64[ns]", "string", "large_string", "binary", "large_binary"}
    | {f"duration[{unit}]" for unit in _UNITS}
    | _WHOLE
)
# Bytes of one offset into the texts; all other types have values of one width.
_OFFSETS: Mapping[str, int] = {"string": 4, "binary": 4, "large_string": 8, "large_binary": 8}
_ITEMS_MAX = 1 << 40
_WIDTH_MAX = 1 << 16
# Digits that fit into the bits of a decimal number.
_DIGITS: Mapping[str, int] = {"decimal32": 9, "decimal64": 18, "decimal128": 38, "decimal256": 76}


def _library() -> Any:
    return needed("pyarrow")


def _buffer(*args: Any) -> Any:
    """``py_buffer(bytes)``. A bytearray is copied, for who has a name for it could write behind the check."""
    require(len(args) == 1 and type(args[0]) in (bytes, bytearray, Ticket), _BUFFER)
    data = args[0].take().toreadonly() if type(args[0]) is Ticket else bytes(args[0])
    return _library().py_buffer(data)


def _alias(*args: Any) -> Any:
    require(len(args) == 1 and type(args[0]) is str and args[0] in _ALIASES, _ALIAS)
    return _library().type_for_alias(args[0])


def _timestamp(*args: Any) -> Any:
    """``timestamp(unit, zone)``: the zone is looked up when the column is used, below a folder of zones."""
    require(len(args) == 2 and args[0] in _UNITS, ("pyarrow.lib", "timestamp"))
    require(args[1] is None or is_zone_name(args[1]), ("pyarrow.lib", "timestamp"))
    return _library().timestamp(*args)


def _decimal(name: str) -> Callable[..., Any]:
    def guard(*args: Any) -> Any:
        """``decimal128(digits, digits behind the point)``"""
        key = ("pyarrow.lib", name)
        require(len(args) == 2 and whole(args[0], 1, _DIGITS[name]) and whole(args[1], 0, args[0]), key)
        return getattr(_library(), name)(*args)

    return guard


def _binary(*args: Any) -> Any:
    """``binary(16)``: as many bytes for each value."""
    require(len(args) == 1 and whole(args[0], 1, _WIDTH_MAX), ("pyarrow.lib", "binary"))
    return _library().binary(*args)


def _dictionary(*args: Any) -> Any:
    """``dictionary(type of the indices, type of the values, whether these are ordered)``"""
    key = ("pyarrow.lib", "dictionary")
    require(len(args) == 3 and is_flat(args[0]) and str(args[0]) in _WHOLE, key)
    require(is_flat(args[1]) and not _is_dictionary(args[1]) and type(args[2]) is bool, key)
    require(str(args[1]) != "null", key)  # whose values C++ reads where there is no memory
    return _library().dictionary(*args)


def is_flat(kind: Any) -> bool:
    """Whether `kind` is a type of Arrow that was made here; such as hold arrays of others are not."""
    types = _library().types
    return isinstance(kind, _library().DataType) and (types.is_dictionary(kind) or not types.is_nested(kind))


def _is_dictionary(kind: Any) -> bool:
    made: bool = _library().types.is_dictionary(kind)
    return made


def _restore(*args: Any) -> Any:
    """``_restore_array((type, length, nulls, offset, buffers, children, dictionary))``"""
    require(len(args) == 1, _ARRAY)
    made = _array(args[0])
    made.validate(full=True)
    return made


def _array(parts: Any) -> Any:
    require(type(parts) is tuple and len(parts) == 7, _ARRAY)
    kind, length, nulls, offset, buffers, children, dictionary = parts
    require(is_flat(kind) and type(buffers) is list and type(children) is list and not children, _ARRAY)
    require(whole(length, 0, _ITEMS_MAX) and whole(offset, 0, _ITEMS_MAX) and whole(nulls, -1, length), _ARRAY)
    if _is_dictionary(kind):
        return _with_dictionary(kind, parts)
    require(dictionary is None, _ARRAY)
    needs = _needs(kind, length, offset)
    require(len(buffers) == len(needs), _ARRAY)
    # Without memory Arrow's functions crash, though its validation lets an empty array have none.
    given = [buffers[0], *(_buffer(b"") if part is None else part for part in buffers[1:])]
    memory = [_memory(part, need) for part, need in zip(given, needs, strict=True)]
    # How many values are null Arrow counts itself.
    return _library().Array.from_buffers(kind, length, memory, -1, offset)


def _with_dictionary(kind: Any, parts: tuple[Any, ...]) -> Any:
    """Indices, and the values that they stand for. Below a null, too, an index stands for a value: the first.

    Arrow's validation does not look there, and functions that bring two dictionaries together read there all the same.
    """
    _, *middle, dictionary = parts
    indices = _array((kind.index_type, *middle, None))
    if indices.null_count:
        nothing = _library().scalar(None, kind.index_type)
        indices = needed("pyarrow.compute").if_else(indices.is_null(), nothing, indices.fill_null(0))
    values = _array(dictionary)
    require(values.type == kind.value_type, _ARRAY)
    require(_lies_inside(indices, max(len(values), 1)), _ARRAY)
    return _library().DictionaryArray.from_arrays(indices, values, ordered=kind.ordered, safe=True)


def _lies_inside(indices: Any, end: int) -> bool:
    """Whether all indices are from 0 to before `end`, those below nulls too."""
    import numpy as np

    raw = np.frombuffer(indices.buffers()[1], indices.type.to_pandas_dtype())
    raw = raw[indices.offset : indices.offset + len(indices)]
    return raw.size == 0 or (int(raw.min()) >= 0 and int(raw.max()) < end)


def _needs(kind: Any, length: int, offset: int) -> list[int | None]:
    """How many bytes each buffer has at least; None: no buffer. The first says which values are null."""
    name, items = str(kind), length + offset
    if name == "null":  # as many as the file says, and no data behind them
        require(items <= LENGTH_MAX, _ARRAY)
        return [None]
    nulls = (items + 7) // 8
    if name in _OFFSETS:
        return [nulls, (items + 1) * _OFFSETS[name] if items else 0, 0]
    return [nulls, (items * kind.bit_width + 7) // 8]


def _memory(buffer: Any, need: int | None) -> Any:
    """The array's alone, else a name of it, three bytes, would cost as much as a look at it."""
    if buffer is None:
        return None  # no value is null
    require(need is not None and type(buffer) is _library().Buffer and buffer.size >= need, _ARRAY)
    counted(buffer, _ARRAY, most=1)
    return buffer


GUARDS: Mapping[Key, Callable[..., Any]] = {
    _BUFFER: _buffer,
    _ARRAY: _restore,
    _ALIAS: _alias,
    ("pyarrow.lib", "timestamp"): _timestamp,
    ("pyarrow.lib", "binary"): _binary,
    ("pyarrow.lib", "dictionary"): _dictionary,
    **{("pyarrow.lib", name): _decimal(name) for name in _DIGITS},
}
