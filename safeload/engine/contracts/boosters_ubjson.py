"""Universal Binary JSON, as xgboost writes it: what its C++ is to read, read before it in bounds.

Source: xgboost/src/common/json.cc (``UBJReader``). Arrays of numbers have one type and a length; they become arrays of
numpy's on the same memory. Whatever xgboost does not write is refused.
"""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["read_ubjson"]

_DEPTH_MAX = 50
_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_LONG = struct.Struct(">q")
_CONSTANTS = {b"T": True, b"F": False, b"Z": None}


def read_ubjson(data: bytes | bytearray | memoryview) -> Any:
    """The document that `data` is, to its last byte. Raises ValueError."""
    reader = _Reader(memoryview(data))
    value = reader.value(0)
    if reader.at != len(data):
        raise ValueError("bytes follow after the document")
    return value


class _Reader:
    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.at = 0

    def value(self, depth: int) -> Any:
        import numpy as np

        if depth > _DEPTH_MAX:
            raise ValueError("it is nested too deep")
        marker = self._take(1)
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        if marker == b"S":
            return str(self._take(self._length()), "utf-8")
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        dtype = np.dtype(self._type(marker))
        return np.frombuffer(self._take(dtype.itemsize), dtype)[0].item()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._peek() != b"}":
            key = str(self._take(self._length()), "utf-8")
            if key in found:
                raise ValueError("a key stands there twice")
            found[key] = self.value(depth + 1)
        self.at += 1
        return found

    def _array(self, depth: int) -> Any:
        import numpy as np

        marker = self._peek()
        if marker == b"$":
            self.at += 1
            dtype = np.dtype(self._type(self._take(1)))
            count, start = self._count(), self.at
            self._skip(count * dtype.itemsize)
            return np.frombuffer(self._view[start : self.at], dtype)
        if marker == b"#":
            return [self.value(depth + 1) for _ in range(self._count())]
        found = []
        while self._peek() != b"]":
            found.append(self.value(depth + 1))
        self.at += 1
        return found

    def _count(self) -> int:
        if self._take(1) != b"#":
            raise ValueError("an array has no length")
        return self._length()

    def _length(self) -> int:
        if self._take(1) != b"L":
            raise ValueError("a length is not of eight bytes")
        (length,) = _LONG.unpack(self._take(_LONG.size))
        if not 0 <= length <= len(self._view) - self.at:  # whatever it counts takes a byte, or is of no use
            raise ValueError("a length reaches past the end")
        return int(length)

    @staticmethod
    def _type(marker: bytes) -> str:
        if marker not in _NUMBERS:
            raise ValueError("a type is none that xgboost writes")
        return _NUMBERS[marker]

    def _peek(self) -> bytes:
        return bytes(self._view[self.at : self.at + 1])

    def _skip(self, size: int) -> None:
        if size > len(self._view) - self.at:
            raise ValueError("it is cut off")
        self.at += size

    def _take(self, size: int) -> bytes:
        self._skip(size)
        return bytes(self._view[self.at - size : self.at])
