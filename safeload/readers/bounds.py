"""What reading may cost, asked each time the loop has read a window, a frame, or some opcodes of a compressed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError, StreamError
from safeload.readers.extents import NESTING_MAX, too_deep

if TYPE_CHECKING:
    from safeload.readers.buffer import Work
    from safeload.readers.machine import Machine

__all__ = ["boundary"]

_BUILT_WEIGHT = 4
_CHECKED = 1 << 16  # bytes of opcodes between two looks at what they cost
# An object waits with its class, arguments and keywords, a key before its value: no pickler leaves more below a mark.
_WAITING_MAX = 4 * NESTING_MAX


def boundary(machine: Machine, at: int, base: int, length: int, margin: int) -> int:
    """How far the loop may read opcodes in its window of `length` bytes at `base` before it asks again.

    `at` is the next opcode. The answer is relative to `base`. Raises StreamError at the end of the data, LimitError.
    """
    data = machine.data
    machine.at, limit = at, length
    if at > data.size:
        raise StreamError("the stream ends inside an opcode's argument", offset=data.size)
    if not machine.marks and len(machine.stack) > _WAITING_MAX and not data.buffer.describe:
        raise too_deep()
    if data.work is not None:
        limit = _check_work(machine, data.work, at, base)
    if at == data.size:
        raise StreamError("the stream ends without STOP", offset=at)
    if 0 <= machine.frame_end <= at:
        if machine.frame_end < at:
            # cpython#154848: what crosses a frame's end is read differently by different unpicklers.
            machine.fact("frame-crossed", "an opcode reaches across the end of its frame")
        machine.frame_end = -1
    limit = min(limit, length if base + length >= data.size else length - margin)
    return min(limit, machine.frame_end - base) if machine.frame_end >= 0 else limit


def _check_work(machine: Machine, work: Work, at: int, base: int) -> int:
    """How far to read before the next check. Raises LimitError."""
    if at - machine.skipped > work.opcodes:
        raise LimitError("expansion", f"more than {work.opcodes:,} bytes of opcodes in so small a file")
    # An object that gets a state costs more than a number, with the analysis and without.
    built = _BUILT_WEIGHT * (len(machine.made) + machine.repeated)
    if len(machine.stack) + len(machine.memo) + built > work.objects:
        raise LimitError("expansion", f"more than {work.objects:,} objects in so small a file")
    if machine.calls > work.calls:
        raise LimitError("expansion", f"more than {work.calls:,} calls in so small a file")
    return at - base + _CHECKED
