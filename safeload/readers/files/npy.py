"""NumPy's ``.npy``: a header, a Python literal, and raw items or, where the dtype holds objects, a pickle.

Source: numpy/lib/_format_impl.py. The header is never evaluated.
"""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.errors import StreamError

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["NpyHeader", "npy_header", "read"]

_HEADER_MAX = 1 << 16
_DEPTH_MAX = 16
_DIMENSIONS_MAX = 64
# Units of time as numpy writes them: one that is divided, or taken 0 times, ends the process that makes a dtype of it.
_UNIT = r"\[(?:[1-9]\d{0,9})?(?:[YMWDhms]|[munpfa]s|generic)\]"
_DESCR = re.compile(rf"([<>|=]?)(?:([?bBiufcOSaUVT])(\d{{0,9}})|([mM])8?(?:{_UNIT})?)\Z")


class NpyHeader(NamedTuple):
    """`descr` is what numpy makes a dtype of; `end` is where the items begin."""

    shape: tuple[int, ...]
    itemsize: int
    has_object: bool
    end: int
    descr: Any
    fortran: bool


def read(look: Look, view: memoryview) -> None:
    try:
        header = npy_header(view)
    except StreamError as error:
        look.unread(error.offset, error.message)
        return
    look.span(0, header.end, "header")
    label = f"{str(header.descr)[:40]} {header.shape}"
    if header.has_object:
        look.say("object-array", header.end, "the items are objects, which numpy unpickles")
        look.span(header.end, len(view), "nested", label)
        look.into("objects", view[header.end :], header.end, kind="pickle")
        return
    end = header.end + math.prod(header.shape) * header.itemsize
    look.span(header.end, min(end, len(view)), "array", label)
    if end > len(view):
        look.unread(len(view), f"the array reaches {end - len(view):,} bytes past the end of the data")
    elif end < len(view):
        look.say("after-stop", end, f"{len(view) - end:,} bytes follow after the array")
        look.into("behind the array", view[end:], end)


def npy_header(view: memoryview) -> NpyHeader:
    """Raises StreamError."""
    width = 2 if len(view) > 6 and view[6] == 1 else 4
    start = 8 + width
    if len(view) < start or view[6] not in (1, 2, 3):
        raise StreamError("the header is cut off, or of an unknown version", offset=0)
    length = int.from_bytes(view[8:start], "little")
    if length > _HEADER_MAX or start + length > len(view):
        raise StreamError("the header is longer than any, or cut off", offset=8)
    try:
        found = ast.literal_eval(
            str(bytes(view[start : start + length]), "utf-8" if view[6] == 3 else "latin1").strip()
        )
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        raise StreamError("the header is no literal", offset=start) from None
    if type(found) is not dict or found.keys() != {"descr", "fortran_order", "shape"}:
        raise StreamError("the header is not one that numpy writes", offset=start)
    shape = found["shape"]
    if type(shape) is not tuple or len(shape) > _DIMENSIONS_MAX or any(type(n) is not int or n < 0 for n in shape):
        raise StreamError("the shape is not one that numpy writes", offset=start)
    itemsize, has_object = _items(found["descr"], 0)
    return NpyHeader(shape, itemsize, has_object, start + length, found["descr"], bool(found["fortran_order"]))


def _items(descr: Any, depth: int) -> tuple[int, bool]:
    """Bytes of one item, and whether it holds objects."""
    if depth > _DEPTH_MAX:
        raise StreamError("the dtype is deeper than any", offset=0)
    if type(descr) is str and (match := _DESCR.match(descr)):
        letter, digits = match[2] or match[4], match[3]
        size = 8 if match[4] else int(digits) if digits else 1
        return size * (4 if letter == "U" else 1), letter in "OT"
    if type(descr) is list:
        parts = [_field(field, depth) for field in descr]
        return sum(size for size, _ in parts), any(objects for _, objects in parts)
    if type(descr) is tuple and len(descr) == 2:  # a subarray
        size, objects = _items(descr[0], depth + 1)
        return size * _times(descr[1]), objects
    raise StreamError("the dtype is not one that numpy writes", offset=0)


def _field(field: Any, depth: int) -> tuple[int, bool]:
    if type(field) is not tuple or len(field) not in (2, 3):
        raise StreamError("the dtype is not one that numpy writes", offset=0)
    size, objects = _items(field[1], depth + 1)
    return size * (_times(field[2]) if len(field) == 3 else 1), objects


def _times(shape: Any) -> int:
    sizes = shape if type(shape) is tuple else (shape,)
    if any(type(size) is not int or size < 0 for size in sizes):
        raise StreamError("the dtype is not one that numpy writes", offset=0)
    return math.prod(sizes)
