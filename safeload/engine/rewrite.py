"""The stream that is loaded, put together from the slices that were analysed.

Raw array bytes and frames are cut out, one frame is put around the whole, and before and behind each BUILD
stands a *checkpoint*: BINPERSID, which hands the object to `persistent_load` and takes what it returns.
A LONG_BINPUT behind the checkpoint puts the real object where the memo held its stub; it adds no entry, so the
numbering of MEMOIZE stays what it was.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from safeload.readers.observations import ArrayData, Stream, WholeWrapper

__all__ = [
    "Checkpoint",
    "Edit",
    "RewrittenStream",
    "before_build",
    "behind_build",
    "in_place_of",
    "next_buffer",
    "rewrite",
    "run_in_place_of",
    "whole_array",
    "without_data",
    "without_frame",
]

_FRAME_SIZE = 9
_NONE, _MEMOISE, _LONG_BINPUT = bytes([op.NONE]), bytes([op.MEMOIZE]), bytes([op.LONG_BINPUT])


# Given what is on top of the stack; what it gives takes that place.
Checkpoint = Callable[[Any], Any]


class RewrittenStream:
    """A file object for the C unpickler, which reads a small head and then the whole body in one piece.

    BytesIO would copy the body once more.
    """

    def __init__(self, head: bytes, body: bytes) -> None:
        self._head = io.BytesIO(head)
        self._body: bytes | None = body

    def read(self, size: int) -> bytes:
        piece = self._head.read(size)
        if piece:
            return piece
        body, self._body = self._body, None
        return body if body is not None and len(body) == size else b""

    def readline(self) -> bytes:
        return b""


class Edit(NamedTuple):
    """At byte `cut`, insert `inserted` and go on at `resume`. `rank` orders edits of one place; each of the `times`
    BINPERSID among the inserted opcodes calls `checkpoint`."""

    cut: int
    rank: int
    resume: int
    inserted: bytes
    checkpoint: Checkpoint | None = None
    times: int = 1


BEHIND, DATA, BEFORE, FRAME = range(4)


def rewrite(view: memoryview, stream: Stream, edits: list[Edit]) -> RewrittenStream:
    """The bytes to unpickle in place of ``view[stream.start:stream.end]``; `edits` are in order."""
    at = stream.start + (2 if view[stream.start] == op.PROTO else 0)
    pieces: list[memoryview | bytes] = []
    for cut, _, resume, inserted, _, _ in edits:
        pieces += (view[at:cut], inserted)
        at = resume
    pieces.append(view[at : stream.end])
    body = b"".join(pieces)
    head = b"\x80" + bytes([stream.protocol]) if stream.protocol >= 2 else b""
    return RewrittenStream(head + bytes([op.FRAME]) + len(body).to_bytes(8, "little"), body)


def without_frame(frame: int) -> Edit:
    """The opcode FRAME at offset `frame` and its argument."""
    return Edit(frame, FRAME, frame + _FRAME_SIZE, b"")


def before_build(build: int, checkpoint: Checkpoint) -> Edit:
    """A checkpoint for the state, on top of the stack."""
    return Edit(build, BEFORE, build, op.BINPERSID, checkpoint)


def behind_build(build: int, memo: int | None, checkpoint: Checkpoint) -> Edit:
    """A checkpoint for the object; what it gives takes its place in the memo too."""
    put = b"" if memo is None else _LONG_BINPUT + memo.to_bytes(4, "little")
    return Edit(build + 1, BEHIND, build + 1, op.BINPERSID + put, checkpoint)


def without_data(array: ArrayData) -> Edit:
    """Raw bytes behind a wrapper that the stream builds."""
    return Edit(array.end_of_build, DATA, array.end, b"")


def next_buffer(at: int, checkpoint: Checkpoint, *, readonly: bool) -> Edit:
    """In place of the opcode that asks for a buffer, and of the one that makes it read-only, a checkpoint."""
    return in_place_of(at, at + 1 + readonly, _NONE, 0, checkpoint)


def whole_array(array: ArrayData, whole: WholeWrapper, checkpoint: Checkpoint) -> Edit:
    """In place of the wrapper and its bytes, a checkpoint that is given the dtype."""
    return in_place_of(whole.start, array.end, whole.get_dtype, whole.memoised, checkpoint)


def run_in_place_of(
    start: int, end: int, opcodes: bytes, memoised: int, checkpoint: Checkpoint, times: int, between: bytes
) -> Edit:
    """In place of `times` stretches that follow one another with the opcodes `between` in between, as many checkpoints,
    of which the first is for what `opcodes` push."""
    behind = op.BINPERSID + _MEMOISE * memoised
    return Edit(start, DATA, end, opcodes + behind + (between + _NONE + behind) * (times - 1), checkpoint, times)


def in_place_of(start: int, end: int, opcodes: bytes, memoised: int, checkpoint: Checkpoint) -> Edit:
    """In place of a stretch, a checkpoint for what `opcodes` push. The stretch's memo entries become its result."""
    return Edit(start, DATA, end, opcodes + op.BINPERSID + _MEMOISE * memoised, checkpoint)
