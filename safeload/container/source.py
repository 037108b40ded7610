"""Where bytes come from: an open file, or a buffer; and the private memory that they are read into."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
import weakref
from typing import IO, TYPE_CHECKING, Protocol

from safeload.errors import FormatError
from safeload.pages import Pages

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BufferSource", "FileSource", "Source", "allocate", "open_source"]

_CHUNK = 4 << 20
_SMALL = 1 << 20
_HUGE_PAGE = 2 << 20
_WASTE = 16  # the part of what is asked for that may be given in addition
# Linux transfers at most 0x7ffff000 bytes a call; leaves are smaller, members need not be.
_READ_MAX = 1 << 30


class Source(Protocol):
    """Bytes of known size that several threads may read at once."""

    size: int

    def read_into(self, offset: int, view: memoryview) -> None: ...

    def read(self, offset: int, length: int) -> bytes: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class FileSource:
    """A regular file, opened once: what the name points to later does not matter."""

    def __init__(self, path: str | Path) -> None:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        self._fd = os.open(path, flags)
        # `verify(path).load()` leaves nothing to close: the descriptor goes with the object, without a warning.
        self._closed = weakref.finalize(self, os.close, self._fd)
        info = os.fstat(self._fd)
        # A pipe or a device has no size to hold the sections against, and may block for ever.
        if not stat.S_ISREG(info.st_mode):
            self.close()
            if stat.S_ISDIR(info.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            raise OSError(errno.ESPIPE, "not a regular file; pass an open file object to read from a pipe", str(path))
        self.size = info.st_size

    def fileno(self) -> int:
        if not self._closed.alive:
            raise ValueError("the artifact is closed")
        return self._fd

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view` from byte `offset` on. Raises FormatError if the file ends first."""
        done = 0
        while done < len(view):
            count = os.preadv(self.fileno(), [view[done : done + _READ_MAX]], offset + done)
            if count == 0:
                raise FormatError("truncated", f"the file ends at byte {offset + done:,}; it was cut while being read")
            done += count

    def read(self, offset: int, length: int) -> bytes:
        buffer = bytearray(length)
        self.read_into(offset, memoryview(buffer))
        return bytes(buffer)

    def close(self) -> None:
        self._closed()


class BufferSource:
    """Bytes in memory, such as what a file object gave."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data).cast("B").toreadonly()
        self.size = len(self._view)

    def read_into(self, offset: int, view: memoryview) -> None:
        piece = self._view[offset : offset + len(view)]
        if len(piece) != len(view):
            raise FormatError("truncated", f"the data ends at byte {self.size:,}")
        view[:] = piece

    def read(self, offset: int, length: int) -> bytes:
        piece = self._view[offset : offset + length]
        if len(piece) != length:
            raise FormatError("truncated", f"the data ends at byte {self.size:,}")
        return bytes(piece)

    def fileno(self) -> int:
        raise OSError("bytes in memory have no file descriptor")

    def close(self) -> None:
        """Nothing to give back."""


def open_source(file: str | os.PathLike[str] | IO[bytes] | memoryview) -> FileSource | BufferSource:
    """A path, or a file object from its position to its end, or bytes, of which no copy is made."""
    if isinstance(file, memoryview):
        return BufferSource(file)
    if isinstance(file, (str, os.PathLike)):
        return FileSource(os.fspath(file))
    if not hasattr(file, "read"):
        raise TypeError(f"expected a path or a file object, got {type(file).__name__}")
    chunks: list[bytes] = []
    while chunk := file.read(_CHUNK):
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError("the file object is open for text; open it with mode 'rb'")
        chunks.append(bytes(chunk))
    # Plain bytes: a buffer of a BytesIO that the collector takes first brings CPython 3.12 down.
    return BufferSource(b"".join(chunks))


def allocate(size: int) -> memoryview:
    """Private writable memory of `size` bytes, in huge pages where the system has them.

    Private, because a fork must not share what the model writes later.
    """
    if size < _SMALL:
        return memoryview(bytearray(size))
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return memoryview(mmap.mmap(-1, size))
    # Whole huge pages: Linux 6.7 and later begins these where one begins.
    whole = -(-size // _HUGE_PAGE) * _HUGE_PAGE
    memory = Pages(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # The last one, in part: half of it unused is much for a megabyte, and nothing for a hundred.
        huge = whole if (whole - size) * _WASTE <= size else whole - _HUGE_PAGE
        with contextlib.suppress(OSError):  # a kernel without huge pages: slower, not wrong
            if huge < whole:
                memory.madvise(mmap.MADV_NOHUGEPAGE, huge)
            if huge:
                memory.madvise(mmap.MADV_HUGEPAGE, 0, huge)
    return memoryview(memory)[:size]
