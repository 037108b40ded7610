"""Plain values by the offsets of their opcodes: numbers, and of texts what tells them from others."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from safeload.readers.data import Data

__all__ = ["CHOICES", "NUMBERS", "plain_value"]

_SIZED = {
    op.SHORT_BINUNICODE: 1, op.BINUNICODE: 4, op.BINUNICODE8: 8, op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8,
    op.SHORT_BINSTRING: 1, op.BINSTRING: 4,
}  # fmt: skip
_ENDS = 256
_DIGITS_MAX = 4_000  # more are refused


def plain_value(data: Data, token: int) -> Hashable:
    """Something that hashes as the value does; but what is no number is seeded here as it is there."""
    return _PLAIN.get(data.view[token], _text)(data, token)


def _text(data: Data, token: int) -> Hashable:
    """Its bytes; of a long one the ends."""
    width = _SIZED.get(data.view[token])
    if width is None:  # a line: what it says may be spelled in more than one way
        return (data.short_string(token) or "").encode("utf-8", "surrogatepass")
    length, start = data.number(token + 1, width), token + 1 + width
    if length <= 2 * _ENDS:
        return bytes(data.view[start : start + length])
    return length, bytes(data.view[start : start + _ENDS]), bytes(data.view[start + length - _ENDS : start + length])


def _long(data: Data, token: int) -> int:
    width = 1 if data.view[token] == op.LONG1 else 4
    start = token + 1 + width
    return int.from_bytes(data.view[start : start + data.number(token + 1, width)], "little", signed=True)


def _decimal(data: Data, token: int) -> int:
    digits = data.line(token + 1)[0].removesuffix(b"L")
    return int(digits) if len(digits) <= 1 + _DIGITS_MAX and digits.removeprefix(b"-").isdigit() else 0


def _float(data: Data, token: int) -> Hashable:
    if data.view[token] == op.BINFLOAT:
        number: float = struct.unpack_from(">d", data.view, token + 1)[0]
    else:
        number = _float_of(data.line(token + 1)[0])
    # nan hashes by its address: another text for each.
    return str(token) if math.isnan(number) else number


def _float_of(line: bytes) -> float:
    try:
        return float(line)
    except ValueError:  # refused otherwise
        return 0.0


_PLAIN: Mapping[int, Callable[[Data, int], Hashable]] = {
    op.NONE: lambda _data, _token: None,
    op.NEWTRUE: lambda _data, _token: True,
    op.NEWFALSE: lambda _data, _token: False,
    op.BININT1: lambda data, token: data.view[token + 1],
    op.BININT2: lambda data, token: data.view[token + 1] | data.view[token + 2] << 8,
    op.BININT: lambda data, token: struct.unpack_from("<i", data.view, token + 1)[0],
    op.LONG1: _long,
    op.LONG4: _long,
    op.INT: _decimal,
    op.LONG: _decimal,
    op.BINFLOAT: _float,
    op.FLOAT: _float,
}
# What a file can choose within a tuple; and as a key of its own, of which there are more than three.
CHOICES = frozenset(_PLAIN)
NUMBERS = CHOICES - {op.NONE, op.NEWTRUE, op.NEWFALSE}
