"""A file object on memory, for libraries that read archives."""

from __future__ import annotations

import io
import os
import tempfile
from typing import IO, Any

__all__ = ["ViewFile", "unnamed_file"]


class ViewFile(io.RawIOBase):
    """Reads `view`, without a copy of it."""

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        self._view, self._at = view, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._view)}[whence]
        if base + offset < 0:
            raise OSError("seek before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._view[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def unnamed_file() -> IO[bytes]:
    """A file for another process, in memory where the system can do that: what was encrypted stays off the disk."""
    try:
        return os.fdopen(os.memfd_create("safeload"), "w+b")
    except (AttributeError, OSError):
        return tempfile.TemporaryFile()
