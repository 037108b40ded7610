"""File objects on memory and on pieces of files, for libraries that read archives."""

from __future__ import annotations

import io
import os
import tempfile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safeload.mapped import Place

__all__ = ["PlaceFile", "ViewFile", "unnamed_file"]


class _BytesFile(io.RawIOBase):
    """A file of `size` bytes; ``_take(at, buffer)`` fills a buffer that is within them, and says with how many."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("seek before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = self._take(self._at, memoryview(buffer)[: max(0, self._size - self._at)])
        self._at += count
        return count

    def _take(self, at: int, buffer: memoryview) -> int:
        raise NotImplementedError


class ViewFile(_BytesFile):
    """Reads `view`, without a copy of it."""

    def __init__(self, view: memoryview) -> None:
        super().__init__(len(view))
        self._view = view

    def _take(self, at: int, buffer: memoryview) -> int:
        buffer[:] = self._view[at : at + len(buffer)]
        return len(buffer)


class PlaceFile(_BytesFile):
    """Reads a piece of an open file, wherever others read it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.size)
        self._place = place

    def _take(self, at: int, buffer: memoryview) -> int:
        return os.preadv(self._place.fd, [buffer], self._place.start + at)


def unnamed_file() -> IO[bytes]:
    """A file for another process, in memory where the system can do that: what was encrypted stays off the disk."""
    try:
        return os.fdopen(os.memfd_create("safeload"), "w+b")
    except (AttributeError, OSError):
        return tempfile.TemporaryFile()
