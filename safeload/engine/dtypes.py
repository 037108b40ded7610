"""numpy dtypes from their pickled description, by public constructors only (numpy: ``dtype.__reduce__``).

The state is ``(version, byte order, subarray, names, fields, itemsize, _, flags[, metadata])``.
numpy's constructors check what its ``__setstate__`` takes on trust: fields inside the item, no object that
overlaps anything, true flags.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from safeload.engine.stubs import DTypeStub
from safeload.engine.tokens import Token, closed
from safeload.errors import CodecError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["dtype_from_stub"]

_LETTERS = re.compile(r"(?:[biufcSUVOMm][0-9]{0,9}|[?bhilqpBHILQPefdgFDGO])\Z")
_DTYPE = ("numpy", "dtype")
_UNITS = frozenset({"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "generic"})
_FLAG_ALIGNED = 0x80
# Far below 2**31: numpy adds offsets and sizes as ``int``, and a field beyond the item passes where the sum overflows.
_ITEM_MAX = 1 << 28
_OBJECT_ITEM_MAX = 1 << 16  # of items that hold objects the file has no bytes
_COUNT_MAX = (1 << 31) - 1
_LEAVES_MAX = 2_000


def dtype_from_stub(stub: Any) -> np.dtype[Any]:
    """Checkpoint: the dtype that `stub` describes. Raises CodecError for what numpy would not write."""
    import numpy as np

    if type(stub) is not DTypeStub:
        raise CodecError("something else stands where a numpy.dtype was made")
    state = _state(stub.state)
    record = bool(stub.args) and type(stub.args[0]) is Token
    letters = _record(stub.args) if record else _letters(stub.args)
    _, order, subarray, names, fields, itemsize, _alignment, flags = state[:8]
    metadata = state[8] if len(state) == 9 else None
    try:
        if names is not None:
            result = _structured(names, fields, itemsize, bool(flags & _FLAG_ALIGNED))
            result = np.dtype((np.record, result)) if record else result
        elif record:
            raise CodecError("a numpy.dtype of records has no fields")
        elif subarray is not None:
            result = _subarray(subarray)
        elif letters[0] in "Mm":
            result = np.dtype(f"{order}{letters[0]}8{_unit(metadata)}")
        else:
            result = np.dtype(order + letters if order in "<>" else letters)
        if isinstance(metadata, dict) and metadata:
            result = np.dtype(result, metadata=metadata)
    except (TypeError, ValueError, KeyError) as error:
        raise CodecError(f"a numpy.dtype does not describe one: {error}") from error
    if itemsize not in (-1, result.itemsize) or result.itemsize > (_OBJECT_ITEM_MAX if result.hasobject else _ITEM_MAX):
        raise CodecError("a numpy.dtype does not have the size that it claims")
    return result


def _letters(args: Any) -> str:
    if (
        not args
        or type(args[0]) is not str
        or not _LETTERS.match(args[0])
        or any(type(a) is not bool for a in args[1:])
    ):
        raise CodecError("a numpy.dtype is made from something else than its letters")
    return args[0]


def _record(args: Any) -> str:
    """``dtype(numpy.record, False, True)``: fields are attributes of the items. V is the letter of all with fields."""
    if closed(args[0], _DTYPE) is None or any(type(a) is not bool for a in args[1:]):
        raise CodecError("a numpy.dtype is made from something else than its letters")
    return "V"


def _state(state: Any) -> tuple[Any, ...]:
    if (
        type(state) is not tuple
        or len(state) not in (8, 9)
        or state[0] not in (3, 4)
        or state[1] not in ("<", ">", "|", "=")
        or any(type(number) is not int for number in state[5:8])
        or not -1 <= state[5] <= _ITEM_MAX
    ):
        raise CodecError("a numpy.dtype has a state that numpy does not write")
    return state


def _structured(names: Any, fields: Any, itemsize: int, aligned: bool) -> np.dtype[Any]:
    import numpy as np

    if type(names) is not tuple or type(fields) is not dict:
        raise CodecError("a numpy.dtype has a state that numpy does not write")
    parts = [_part(fields[name], itemsize) for name in names]
    if sum(_leaves(part[0]) for part in parts) > _LEAVES_MAX:
        raise CodecError(f"a numpy.dtype has more than {_LEAVES_MAX:,} fields, counted with repetition")
    titles = [part[2] if len(part) == 3 else None for part in parts]
    # An extra key would be a field that no name shows: numpy writes titles there, nothing else.
    if set(fields) != {*names, *(title for title in titles if title is not None)}:
        raise CodecError("a numpy.dtype has fields without a name")
    if any(type(text) is not str for text in fields):
        raise CodecError("a field of a numpy.dtype has a name that is no text")
    description = {
        "names": list(names),
        "formats": [part[0] for part in parts],
        "offsets": [part[1] for part in parts],
        "itemsize": itemsize,
    }
    if any(title is not None for title in titles):
        description["titles"] = titles
    return np.dtype(description, align=aligned)  # type: ignore[call-overload, no-any-return]


def _leaves(dtype: Any) -> int:
    """Plain fields in `dtype`, counted with repetition, up to the bound: fifteen levels of ten are 10**15."""
    left, count = [dtype], 0
    while left and count <= _LEAVES_MAX:
        dtype = left.pop()
        fields = getattr(getattr(dtype, "base", dtype), "fields", None)  # those of a subarray's items
        count += 1
        left += [part[0] for part in fields.values()] if fields else []
    return count


def _part(part: Any, itemsize: int) -> tuple[Any, ...]:
    """``(dtype, offset[, title])``, inside of the item: numpy's own check is of the overflown sum."""
    if type(part) is not tuple or len(part) not in (2, 3) or type(part[1]) is not int:
        raise CodecError("a numpy.dtype has a state that numpy does not write")
    if not 0 <= part[1] <= part[1] + _is_dtype(part[0]).itemsize <= itemsize:
        raise CodecError("a field of a numpy.dtype is not inside of its item")
    return part


def _subarray(subarray: Any) -> np.dtype[Any]:
    """Sizes only: in their place numpy would take another dtype, and read the memory as that."""
    import numpy as np

    base, shape = subarray if type(subarray) is tuple and len(subarray) == 2 else (None, None)
    if type(shape) is not tuple or any(type(size) is not int or size < 0 for size in shape):
        raise CodecError("a numpy.dtype has a state that numpy does not write")
    # Counted even where an item has no bytes, so that it is not repeated without end.
    if math.prod(shape) * max(_is_dtype(base).itemsize, 1) > _ITEM_MAX:
        raise CodecError("a numpy.dtype is larger than any that is used")
    return np.dtype((base, shape))


def _is_dtype(value: Any) -> np.dtype[Any]:
    import numpy as np

    if not isinstance(value, np.dtype):
        raise CodecError("a field of a numpy.dtype is not a dtype")
    return value


def _unit(metadata: Any) -> str:
    """``[25us]`` from ``(None, (b"us", 25, 1, 1))``."""
    try:
        _, (unit, count, denominator, _) = metadata
        name = unit.decode("ascii") if type(unit) is bytes else unit
    except (TypeError, ValueError, AttributeError):
        raise CodecError("a datetime dtype has no unit") from None
    if name not in _UNITS or type(count) is not int or not 1 <= count <= _COUNT_MAX or denominator != 1:
        raise CodecError("a datetime dtype has an odd unit")
    return "" if name == "generic" else f"[{count}{name}]"
