"""Opcodes that push plain values, and those that only structure the stream."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers import opcodes as op
from safeload.readers.handling import Handlers

if TYPE_CHECKING:
    from safeload.readers.handling import Handler
    from safeload.readers.machine import Machine

__all__ = ["HANDLERS"]

HANDLERS = Handlers()
# Longer integers cost quadratic time to convert, and no model holds one.
INTEGER_BYTES = 64 * 1024
# From here on an integer takes more than a moment to hash.
_HUGE = 64
# What the picklers write; the unpicklers take more (`I0x1`, `L 1`), and tools disagree about it.
_TEXT_FORMS = {
    op.INT: re.compile(rb"-?[0-9]{1,4000}\Z"),
    op.LONG: re.compile(rb"-?[0-9]{1,4000}L?\Z"),
    op.FLOAT: re.compile(rb"-?(?:[0-9][0-9.]*(?:e[+-]?[0-9]+)?|inf|nan)\Z"),
    op.STRING: re.compile(rb"(?:'[^']*'|\"[^\"]*\"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\Z", re.DOTALL),
}


@HANDLERS.of(op.PROTO)
def _proto(machine: Machine, at: int) -> int:
    if at != machine.start:
        machine.fact("proto-inside", "PROTO stands inside the stream")
    machine.protocol = machine.data.view[at + 1]
    if machine.protocol > 5:
        raise StreamError(f"pickle protocol {machine.protocol} is unknown", offset=at)
    return at + 2


@HANDLERS.of(op.FRAME)
def _frame(machine: Machine, at: int) -> int:
    if machine.frame_end > at:
        machine.fact("frame-crossed", "a frame begins inside another one")
    length = machine.data.number(at + 1, 8)
    if not machine.data.reach(at + 9 + length):
        raise StreamError("a frame reaches past the end of the data", offset=at)
    machine.frame_end = at + 9 + length
    machine.frames.append(at)
    machine.moved = True
    return at + 9


def _sized(width: int, what: str, most: int | None = None) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        length = machine.data.number(at + 1, width)
        end = at + 1 + width + length
        if not machine.data.reach(end):
            raise StreamError(f"{what} reaches past the end of the data", offset=at)
        if length > op.LARGE:
            machine.skipped += length  # however long, it is one object
        if most is not None and length > most:
            machine.fact("huge-integer", f"an integer of {length:,} bytes")
        if what == "an integer" and length >= _HUGE:
            machine.huge.add(at)
        machine.stack.append(at)
        return end

    return handler


HANDLERS.update(
    {
        op.BINUNICODE8: _sized(8, "a string"),
        op.SHORT_BINBYTES: _sized(1, "a byte string"),
        op.BINBYTES: _sized(4, "a byte string"),
        op.BINBYTES8: _sized(8, "a byte string"),
        op.BYTEARRAY8: _sized(8, "a byte array"),
        op.SHORT_BINSTRING: _sized(1, "a byte string"),
        op.BINSTRING: _sized(4, "a byte string"),
        op.LONG1: _sized(1, "an integer"),
        op.LONG4: _sized(4, "an integer", INTEGER_BYTES),
    }
)


@HANDLERS.of(*op.TEXT_LEAVES)
def _text(machine: Machine, at: int) -> int:
    kind = machine.data.view[at]
    line, end = machine.data.line(at + 1)
    form = _TEXT_FORMS.get(kind)
    if form is not None and not form.match(line):
        machine.fact("odd-text", f"{op.opcode_name(kind)} holds what no pickler writes")
    if kind in (op.INT, op.LONG) and len(line) >= _HUGE:
        machine.huge.add(at)
    machine.stack.append(at)
    return end
