"""The stream that is loaded, put together from the slices that were analysed.

Raw array bytes and frames are cut out, one frame is put around the whole, and before and behind each BUILD
stands a *checkpoint*: BINPERSID, which hands the object to `persistent_load` and takes what it returns.
A LONG_BINPUT behind the checkpoint puts the real object where the memo held its stub; it adds no entry, so the
numbering of MEMOIZE stays what it was.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.observations import Construction, Stream

__all__ = ["RewrittenStream", "rewrite"]

_FRAME_SIZE = 9


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


def rewrite(view: memoryview, stream: Stream) -> RewrittenStream:
    """The bytes to unpickle in place of ``view[stream.start:stream.end]``."""
    body = b"".join(_pieces(view, stream))
    head = b"\x80" + bytes([stream.protocol]) if stream.protocol >= 2 else b""
    return RewrittenStream(head + bytes([op.FRAME]) + len(body).to_bytes(8, "little"), body)


class _Edit(NamedTuple):
    """At byte `cut`, insert `inserted` and go on at `resume`. `rank` orders edits of one place."""

    cut: int
    rank: int
    resume: int
    inserted: bytes


_BEHIND, _DATA, _BEFORE, _FRAME = range(4)


def _pieces(view: memoryview, stream: Stream) -> Iterator[memoryview | bytes]:
    at = stream.start + (2 if view[stream.start] == op.PROTO else 0)
    for edit in sorted(_edits(stream)):
        yield view[at : edit.cut]
        yield edit.inserted
        at = edit.resume
    yield view[at : stream.end]


def _edits(stream: Stream) -> Iterator[_Edit]:
    for frame in stream.frames:
        yield _Edit(frame, _FRAME, frame + _FRAME_SIZE, b"")
    for made in stream.constructions:
        if made.build is None:
            continue
        if not made.watched:
            yield _Edit(made.build, _BEFORE, made.build, op.BINPERSID)
        yield _Edit(made.build + 1, _BEHIND, made.build + 1, _checkpoint(made))
    for array in stream.arrays:
        if array.whole is None:
            yield _Edit(array.end_of_build, _DATA, array.end, b"")
        else:
            # The dtype goes in, the array comes out, and takes the memo entries that the wrapper's parts had.
            memoise = bytes([op.MEMOIZE]) * array.whole.memoised
            yield _Edit(array.whole.start, _DATA, array.end, array.whole.get_dtype + op.BINPERSID + memoise)


def _checkpoint(made: Construction) -> bytes:
    if made.memo is None or not made.watched:
        return op.BINPERSID
    return op.BINPERSID + bytes([op.LONG_BINPUT]) + made.memo.to_bytes(4, "little")
