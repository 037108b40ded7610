"""A file as memory that knows which file it is, so that another process can read it without a copy."""

from __future__ import annotations

import mmap
import os
import weakref
from typing import IO, NamedTuple

__all__ = ["Place", "mapped", "place_of"]


_WORDS = 16  # more than CPython's Py_buffer has, of which the first is where the bytes begin


class Place(NamedTuple):
    """`size` bytes of the open file `fd`, from byte `start` on."""

    fd: int
    start: int
    size: int


class _Mapped(mmap.mmap):
    fd: int


def mapped(file: IO[bytes]) -> memoryview:
    """All of a file, to be read; it stays open as long as that is there. What nobody looks at takes no memory."""
    size = os.fstat(file.fileno()).st_size
    if not size:
        return memoryview(b"")
    pages = _Mapped(file.fileno(), size, access=mmap.ACCESS_READ)
    pages.fd = os.dup(file.fileno())
    weakref.finalize(pages, os.close, pages.fd)
    return memoryview(pages)


def place_of(view: memoryview) -> Place | None:
    """Where the bytes of `view` stand in a file that was mapped here; None for other memory. Good as long as `view`."""
    pages = view.obj
    if not isinstance(pages, _Mapped) or not len(view):
        return None
    return Place(pages.fd, _address(view) - _address(memoryview(pages)), len(view))


def _address(view: memoryview) -> int:
    """Also of what may only be read, which ctypes' own arrays are not made of."""
    import ctypes

    api = ctypes.pythonapi
    found = (ctypes.c_void_p * _WORDS)()
    api.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(found), 0)
    try:
        return int(found[0] or 0)
    finally:
        api.PyBuffer_Release(ctypes.byref(found))
