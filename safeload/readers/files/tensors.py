"""Files that hold numbers and a description: safetensors, GGUF.

Sources: https://github.com/huggingface/safetensors (format), https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.errors import StreamError
from safeload.readers.files.templates import look_into_template
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["SafeTensor", "read_gguf", "read_safetensors", "safetensors_header"]

_RANK_MAX = 64
_HEADER_MAX = 100_000_000  # safetensors' own
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class SafeTensor(NamedTuple):
    """Where a tensor's bytes are, from the start of the file."""

    start: int
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def read_safetensors(look: Look, view: memoryview) -> None:
    look.span(0, 8 + int.from_bytes(view[:8], "little"), "header")
    try:
        _, tensors = safetensors_header(view)
    except StreamError as error:
        look.unread(8, error.message)
        return
    _extents(look, tensors, 8 + int.from_bytes(view[:8], "little"), len(view))


def safetensors_header(view: memoryview) -> tuple[dict[str, Any], list[SafeTensor]]:
    """What the file says of itself, and its tensors, as they lie in it. Raises StreamError.

    Each has as many bytes as its shape needs; whether these are there, and nobody else's, is not looked at.
    """
    length = int.from_bytes(view[:8], "little")
    if length > _HEADER_MAX:
        raise StreamError("the header is longer than the format allows", offset=0)
    try:
        header = json.loads(bytes(view[8 : 8 + length]), object_pairs_hook=_unique)
        metadata = dict((header.pop("__metadata__", None) or {}).items())
        return metadata, sorted(_tensor(8 + length, *entry) for entry in header.items())
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise StreamError(f"the header cannot be read: {printable(str(error), 80)}", offset=8) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _tensor(base: int, name: str, entry: Any) -> SafeTensor:
    start, end = entry["data_offsets"]
    dtype, shape = entry["dtype"], tuple(entry["shape"])
    if len(shape) > _RANK_MAX or any(type(n) is not int or not 0 <= n < 1 << 63 for n in (start, end, *shape)):
        raise ValueError("a number is none")
    if dtype not in _BITS or math.prod(shape) * _BITS[dtype] != 8 * (end - start):
        raise ValueError(f"{name} has another size than its shape says")
    return SafeTensor(base + start, base + end, name, dtype, shape)


def _extents(look: Look, tensors: list[SafeTensor], at: int, size: int) -> None:
    for start, end, name, _, _ in tensors:
        shown = printable(name, 80)
        if end > size:
            look.unread(start, f"{shown} reaches past the end of the file")
            return
        if start < at:
            look.say("overlap", start, f"{shown} shares its bytes with another tensor")
        elif start > at:
            look.say("hole", at, f"{start - at:,} bytes before {shown} belong to no tensor")
            look.unread(at, "what stands in the hole is unknown")
        look.span(start, end, "array", shown)
        at = max(at, end)
    if at < size:
        look.say("after-stop", at, f"{size - at:,} bytes follow after the last tensor")
        look.unread(at, "what follows is unknown")


_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_ENTRIES_MAX, _ITEMS_MAX, _TEXT_MAX = 100_000, 50_000_000, 1 << 24


class _Gguf:
    def __init__(self, view: memoryview) -> None:
        self.view, self.at = view, 4

    def number(self, code: str) -> int:
        size = struct.calcsize(code)
        if self.at + size > len(self.view):
            raise StreamError("the header is cut off", offset=self.at)
        (found,) = struct.unpack_from(f"<{code}", self.view, self.at)
        self.at += size
        return int(found)

    def text(self) -> str:
        length = self.number("Q")
        if length > _TEXT_MAX or self.at + length > len(self.view):
            raise StreamError("a text is longer than the file", offset=self.at)
        found = str(bytes(self.view[self.at : self.at + length]), "utf-8", "replace")
        self.at += length
        return found

    def skip(self, kind: int) -> str:
        """A value; what it says, if it is a text."""
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            self._skip_array()
        elif kind in _SIZES:
            self.at += _SIZES[kind]
        else:
            raise StreamError("a value is of an unknown type", offset=self.at)
        return ""

    def _skip_array(self) -> None:
        kind, count = self.number("I"), self.number("Q")
        if kind in _SIZES:
            self.at += count * _SIZES[kind]
        elif kind == _STRING and count <= _ITEMS_MAX:
            for _ in range(count):
                self.at += self.number("Q")
                if self.at > len(self.view):
                    raise StreamError("a text is longer than the file", offset=self.at)
        else:
            raise StreamError("a list is of an unknown type", offset=self.at)


def read_gguf(look: Look, view: memoryview) -> None:
    reader = _Gguf(view)
    try:
        _entries(look, reader)
    except StreamError as error:
        look.unread(error.offset, error.message)
        return
    look.span(0, reader.at, "header")
    look.span(reader.at, len(view), "array", "tensors")
    look.say("native", 0, "GGUF is read by C++")


def _entries(look: Look, reader: _Gguf) -> None:
    version = reader.number("I")
    if version not in (2, 3):
        raise StreamError(f"version {version} is unknown", offset=4)
    _, entries = reader.number("Q"), reader.number("Q")
    if entries > _ENTRIES_MAX:
        raise StreamError("more entries than any model has", offset=16)
    for _ in range(entries):
        at, name = reader.at, reader.text()
        value = reader.skip(reader.number("I"))
        if "template" in name and value:
            look_into_template(look, name, value, at)
    if reader.at > len(reader.view):
        raise StreamError("a list is longer than the file", offset=reader.at)
