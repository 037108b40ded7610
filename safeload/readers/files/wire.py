"""Protocol buffers, as they stand on the wire: fields of a message, one after the other, without a copy of any.

A model's weights are one field of a gigabyte, which a library would copy to look at the field beside it.
Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Field", "fields", "varint"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_MAX = 10
_NUMBER_MAX = (1 << 29) - 1


class Field(NamedTuple):
    """Field `number`: bytes `start` to `end`, or a number, and then `start` is `end`."""

    number: int
    start: int
    end: int
    value: int
    at: int

    @property
    def is_bytes(self) -> bool:
        return self.value < 0


def fields(view: memoryview, start: int, end: int) -> Iterator[Field]:
    """The fields between `start` and `end`. Raises StreamError."""
    at = start
    while at < end:
        first = at
        tag, at = varint(view, at, end)
        number, wire = tag >> 3, tag & 7
        if not 0 < number <= _NUMBER_MAX:
            raise StreamError("a field has a number that none has", offset=first)
        if wire == _VARINT:
            value, at = varint(view, at, end)
            yield Field(number, at, at, value, first)
        elif wire == _BYTES:
            size, at = varint(view, at, end)
            if size > end - at:
                raise StreamError("a field reaches past the end of its message", offset=first)
            yield Field(number, at, at + size, -1, first)
            at += size
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
            if size > end - at:
                raise StreamError("a field reaches past the end of its message", offset=first)
            yield Field(number, at + size, at + size, int.from_bytes(view[at : at + size], "little"), first)
            at += size
        else:
            raise StreamError("a field is of an unknown wire type", offset=first)


def varint(view: memoryview, at: int, end: int) -> tuple[int, int]:
    """A number, and where it ends. Raises StreamError."""
    value = 0
    for shift in range(0, 7 * _VARINT_MAX, 7):
        if at >= end:
            break
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise StreamError("a number is cut off, or longer than any", offset=at)
