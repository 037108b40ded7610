"""Plain bytes of what is compressed, made within limits: in memory while they are few, then in a nameless file."""

from __future__ import annotations

import mmap
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from safeload.errors import MissingExtraError, StreamError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from safeload.readers.files.look import Budget

__all__ = ["Decoder", "collected", "decoded"]

_CHUNK = 1 << 20
_IN_MEMORY = 32 << 20


class Decoder(Protocol):
    """What the standard library's and others' decoders of one stream have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> Any: ...


def decoded(decoder: Decoder, stored: memoryview, start: int = 0) -> Generator[bytes, None, int]:
    """The pieces of the one stream at `start`; what is returned at last is where it ends. Raises StreamError."""
    at = start
    while not decoder.eof:
        chunk = b""
        if decoder.needs_input:
            chunk = bytes(stored[at : at + _CHUNK])
            at += len(chunk)
            if not chunk:
                raise StreamError("the compressed data end too early", offset=at)
        try:
            yield decoder.decompress(chunk, _CHUNK)
        except MissingExtraError:
            raise
        except Exception as error:  # each library has errors of its own
            raise StreamError(f"the compressed data are broken: {error}", offset=at) from error
    return at - len(decoder.unused_data or b"")  # lz4 has None


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
