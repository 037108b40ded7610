"""The stream that is loaded, put together from the slices that were analysed.

Raw array bytes and frames are cut out, one frame is put around the whole, and before and behind each BUILD
stands a *checkpoint*: BINPERSID, which hands the object to `persistent_load` and takes what it returns.
A LONG_BINPUT behind the checkpoint puts the real object where the memo held its stub; it adds no entry, so the
numbering of MEMOIZE stays what it was.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from safeload.readers.observations import Stream

__all__ = ["RewrittenStream", "rewrite"]

_FRAME_SIZE = 9
_MEMOISE, _LONG_BINPUT = bytes([op.MEMOIZE]), bytes([op.LONG_BINPUT])


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


# At byte `cut`, insert `inserted` and go on at `resume`. `rank` orders edits of one place.
_Edit = tuple[int, int, int, bytes]  # cut, rank, resume, inserted
_BEHIND, _DATA, _BEFORE, _FRAME = range(4)


def _pieces(view: memoryview, stream: Stream) -> list[memoryview | bytes]:
    at = stream.start + (2 if view[stream.start] == op.PROTO else 0)
    pieces: list[memoryview | bytes] = []
    for cut, _, resume, inserted in sorted(_edits(stream)):
        pieces += (view[at:cut], inserted)
        at = resume
    pieces.append(view[at : stream.end])
    return pieces


def _edits(stream: Stream) -> list[_Edit]:
    edits: list[_Edit] = [(frame, _FRAME, frame + _FRAME_SIZE, b"") for frame in stream.frames]
    for _, _, build, memo, watched in stream.constructions:
        if build is None:
            continue
        if not watched:
            edits.append((build, _BEFORE, build, op.BINPERSID))
            edits.append((build + 1, _BEHIND, build + 1, op.BINPERSID))
        else:
            edits.append((build + 1, _BEHIND, build + 1, _checkpoint(memo)))
    for array in stream.arrays:
        if array.whole is None:
            edits.append((array.end_of_build, _DATA, array.end, b""))
        else:
            # The dtype goes in, the array comes out, and takes the memo entries that the wrapper's parts had.
            memoise = _MEMOISE * array.whole.memoised
            edits.append((array.whole.start, _DATA, array.end, array.whole.get_dtype + op.BINPERSID + memoise))
    return edits


def _checkpoint(memo: int | None) -> bytes:
    return op.BINPERSID if memo is None else op.BINPERSID + _LONG_BINPUT + memo.to_bytes(4, "little")
