"""Memory of nobody else, in pages of the system, that can be given back page by page."""

from __future__ import annotations

import contextlib
import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pages", "returner"]

_WORTH = 32 << 20  # bytes


class Pages(mmap.mmap):
    """What belongs to whoever asked for it alone, and to no file."""


def returner(view: memoryview) -> Callable[[int, int], None] | None:
    """What gives the whole pages of ``view[start:end]`` back to the system, given these two; they read as zeros from
    then on. What was given back right before it counts as one with it. None for memory that is not to be given back: of
    somebody else, or little."""
    pages = view.obj
    if not isinstance(pages, Pages) or view.nbytes < _WORTH or not hasattr(mmap, "MADV_DONTNEED"):
        return None
    before = _address(view) - _address(memoryview(pages))
    begin = behind = -1  # of what was given back last, with what stands right before it

    def give_back(start: int, end: int) -> None:
        nonlocal begin, behind
        begin, behind = begin if start == behind else start, end
        # The page at the border of the two, too: one that stays keeps the huge page that it is in.
        first = max(_whole(before + begin), (before + start) // mmap.PAGESIZE * mmap.PAGESIZE)
        length = (before + end) // mmap.PAGESIZE * mmap.PAGESIZE - first
        if length > 0:
            with contextlib.suppress(OSError):  # of a process that has locked its memory: it stays twice
                pages.madvise(mmap.MADV_DONTNEED, first, length)

    return give_back


def _whole(place: int) -> int:
    """Where the first page begins of which nothing is before `place`."""
    return -(-place // mmap.PAGESIZE) * mmap.PAGESIZE


def _address(view: memoryview) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(view))
