"""One segment of a form, held against the bytes of a stream."""

from __future__ import annotations

import functools
import math
import struct
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.rows import Found
from safeload.readers.wrappers import sizes

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.layouts import Segment

__all__ = ["found_in", "is_frame", "text_at"]

_FRAME, _FRAME_SIZE = bytes([op.FRAME]), 9
_LENGTHS = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8}
_SIZES = {op.BINGET: 2, op.LONG_BINGET: 5, **{kind: 1 + width for kind, width in _LENGTHS.items()}}
_PLAIN = {op.NONE: None, op.NEWTRUE: True, op.NEWFALSE: False}
_new = tuple.__new__  # in half of the time that a call of the class takes


def is_frame(data: Data, text: bytes, start: int, at: int) -> bool:
    """Whether the frame that ends at `at` is followed by another, between two opcodes of the `text` from `start` on."""
    place = 0
    while place < at - start:
        kind = text[place]
        place += op.LEAF_SIZES[kind] or _SIZES.get(kind, 1)
        if kind in _LENGTHS:
            place += int.from_bytes(text[place - _LENGTHS[kind] : place], "little")
    return place == at - start and data.view[at] == op.FRAME


def text_at(view: memoryview, at: int, end: int, frame_end: int) -> bytes:
    """The bytes that a segment at `at` may have, without the FRAME among them."""
    if view[frame_end : frame_end + 1] == _FRAME:
        return bytes(view[at:frame_end]) + bytes(view[frame_end + _FRAME_SIZE : end])
    return bytes(view[at:end])


def found_in(segment: Segment, text: bytes) -> Found | None:
    pattern, framed, array, raw, _, leaves = segment
    match = pattern.match(text)
    if match is None:
        return None
    values = list(match.groups())
    size, last = 0, values[-1]
    shape: tuple[int, ...] = ()
    if array is not None:
        known = sizes(last, array.dimensions)
        if known is None:
            return None
        shape, size = known, math.prod(known) * array.itemsize
    elif raw:
        size = int.from_bytes(last[1:], "little")
    frame = int.from_bytes(values[0][1:], "little") if framed else -1
    for some in leaves:
        values[some] = map(_value, values[some])
    return _new(Found, (match[0], match, tuple(values), frame, size, shape))


@functools.lru_cache(maxsize=10_000)
def _value(opcode: bytes) -> float | bool | None:
    """The number, None or bool that one opcode pushes."""
    kind, rest = opcode[0], opcode[1:]
    if kind == op.BINFLOAT:
        return float(struct.unpack(">d", rest)[0])
    return int.from_bytes(rest, "little", signed=kind == op.BININT) if rest else _PLAIN[kind]
