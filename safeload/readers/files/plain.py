"""Plain bytes of what is compressed, made within limits: in memory while they are few, then in a nameless file."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from safeload.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from safeload.readers.files.look import Budget

__all__ = ["Decoder", "behind_zeros", "collected", "decoded"]

_CHUNK, _FEW, _FIRST = 1 << 20, 256, 1 << 10
_IN_MEMORY, _LET_GO = 32 << 20, 16 << 20


class Decoder(Protocol):
    """What the standard library's and others' decoders of one stream have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> Any: ...


def decoded(make: Callable[[], Decoder], stored: memoryview, start: int = 0) -> Generator[bytes, None, int]:
    """The pieces of the one stream at `start`; what is returned at last is where it ends. Raises StreamError."""
    decoder, at, given, let_go, step = make(), start, 0, start, _FIRST
    while not decoder.eof:
        chunk = b""
        if decoder.needs_input:
            chunk = bytes(stored[at : at + step])
            at += len(chunk)
            step = min(4 * step, _CHUNK)  # many a stream is short
            if not chunk:
                raise StreamError("the compressed data end too early", offset=at)
            if at - let_go >= _LET_GO:
                let_go = at
                _let_go(stored)
        try:
            piece = decoder.decompress(chunk, _CHUNK)
        except Exception as error:  # each library has errors of its own
            yield _until_it_breaks(make(), stored, start, given)
            raise StreamError(f"the compressed data are broken: {error}", offset=at) from error
        given += len(piece)
        yield piece
    return at - len(decoder.unused_data or b"")  # lz4 has None


def _let_go(view: memoryview) -> None:
    """Of a mapped file, what was read need not stay in memory."""
    if isinstance(view.obj, mmap.mmap):
        view.obj.madvise(mmap.MADV_DONTNEED)


def _until_it_breaks(decoder: Decoder, stored: memoryview, start: int, given: int) -> bytes:
    """What stands between the last piece and the broken place: a decoder keeps that to itself. Byte for byte."""
    at, found = start, bytearray()
    with contextlib.suppress(Exception):
        while not decoder.eof and len(found) < _CHUNK:
            chunk = b""
            if decoder.needs_input:
                chunk = bytes(stored[at : at + _FEW])
                at += len(chunk)
                if not chunk:
                    break
            piece = decoder.decompress(chunk, min(given, _CHUNK) or 1)
            given -= min(given, len(piece))
            found += piece if not given and len(piece) == 1 else b""
    return bytes(found)


def collected(pieces: Iterable[bytes], budget: Budget) -> tuple[memoryview, StreamError | None]:
    """All pieces, and the error that ended them early, if one did: what came before it may have been meant to be read.

    Raises LimitError.
    """
    broken: StreamError | None = None
    # A file of its own, which nobody can name, and which is gone with the process.
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        try:
            for piece in pieces:
                budget.expand(len(piece))
                file.write(piece)
        except StreamError as error:
            broken = error
        size = file.tell()
        if size <= _IN_MEMORY:
            file.seek(0)
            return memoryview(file.read()), broken
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)), broken


def behind_zeros(view: memoryview) -> int:
    """Where the first byte stands that is no zero: padding is none of anybody's business. The end, if there is none."""
    for at in range(0, len(view), _CHUNK):
        piece = bytes(view[at : at + _CHUNK])
        if rest := piece.lstrip(b"\0"):
            return at + len(piece) - len(rest)
    return len(view)
