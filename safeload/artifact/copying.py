"""The beginning of a file into another one: shared where the file system can share, read and written where not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safeload.container.frames import write_all

if TYPE_CHECKING:
    from safeload.container.source import Source

__all__ = ["copy_up_to"]

_COPY = 1 << 30
_CHUNK = 4 << 20


def copy_up_to(source: Source, end: int, fd: int) -> None:
    """The bytes of `source` before `end`."""
    done = 0
    while done < end:
        done += _copy_range(source, fd, done, min(end - done, _COPY))


def _copy_range(source: Source, fd: int, at: int, length: int) -> int:
    try:
        if copied := os.copy_file_range(source.fileno(), fd, length, at, at):
            return copied
    except (OSError, AttributeError):  # not on this system, or not between these two files
        pass
    piece = source.read(at, min(length, _CHUNK))
    write_all(fd, memoryview(piece), at)
    return len(piece)
