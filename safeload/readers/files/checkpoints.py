"""The index of a checkpoint of TensorFlow: which variables there are, and where in which file each one stands.

Sources: tensorflow/core/lib/io/format.h and table_format.txt (a table of LevelDB's), core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import StreamError
from safeload.readers.files.wire import Field, fields, varint
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["STRING", "Entry", "Index", "check_strings", "read_index"]

_FOOTER, _MAGIC, _TRAILER = 48, b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", 5
_KEY_MAX = 1 << 14
_KEYS_MAX = 1 << 26  # bytes of all names: each can repeat the one before in three
_RANK_MAX = 254
_SHARDS_MAX = 100_000
STRING = 7
# Number of a dtype (core/framework/types.proto) -> bytes an item. Resources and variants are not numbers.
_ITEMS: Mapping[int, int] = {
    **dict.fromkeys((4, 6, 10, 11, 12, 24, 25, 29, 30), 1),
    **dict.fromkeys((5, 14, 15, 16, 17, 19), 2),
    **dict.fromkeys((1, 3, 13, 22), 4),
    **dict.fromkeys((2, 8, 9, 23), 8),
    18: 16,
}


class Entry(NamedTuple):
    """A variable: `size` bytes at `offset` of file `shard`, `items` of `dtype`."""

    name: str
    dtype: int
    items: int
    shard: int
    offset: int
    size: int


class Index(NamedTuple):
    """`shards` is how many files there are."""

    shards: int
    entries: tuple[Entry, ...]


def read_index(view: memoryview) -> Index:
    """The index, all of which adds up. Raises StreamError."""
    if len(view) < _FOOTER or bytes(view[-8:]) != _MAGIC:
        raise StreamError("this is no index of variables", offset=0)
    at, end = len(view) - _FOOTER, len(view) - 8
    for _ in range(2):  # the first is of a block about blocks, which is empty and checked like others
        start, at = varint(view, at, end)
        size, at = varint(view, at, end)
        blocks = list(_block(view, start, size))
    left, last, found = _KEYS_MAX, b"", list[tuple[bytes, Field]]()
    for _, place in blocks:
        start, at = varint(view, place.start, place.end)
        size, at = varint(view, at, place.end)
        for key, value in _block(view, start, size):
            if found and key <= last:
                raise StreamError("the names of the variables are not in order", offset=value.start)
            last, left = key, left - len(key)
            if left < 0:
                raise StreamError("the names of the variables are longer than any", offset=value.start)
            found.append((key, value))
    if not found or found[0][0]:
        raise StreamError("the index has no header", offset=0)
    shards = _header(view, found[0][1])
    return Index(shards, tuple(_entry(view, key, value, shards) for key, value in found[1:]))


def _block(view: memoryview, start: int, size: int) -> Iterator[tuple[bytes, Field]]:
    """Its keys, and where the values stand."""
    end = start + size
    if end + _TRAILER > len(view) - _FOOTER or size < 8:
        raise StreamError("a block reaches past the end of the index", offset=start)
    if view[end]:
        raise StreamError("a block is compressed, as no index of variables is", offset=end)
    restarts = int.from_bytes(view[end - 4 : end], "little")
    limit = end - 4 - 4 * restarts
    if restarts < 1 or limit < start:
        raise StreamError("a block has more restarts than bytes", offset=end - 4)
    fresh, at, key = {0}, start, b""
    while at < limit:
        first = at
        shared, at = varint(view, at, limit)
        fresh_bytes, at = varint(view, at, limit)
        length, at = varint(view, at, limit)
        if shared > len(key) or shared + fresh_bytes > _KEY_MAX or fresh_bytes + length > limit - at:
            raise StreamError("an entry reaches past the end of its block", offset=first)
        if not shared:
            fresh.add(first - start)
        key = key[:shared] + bytes(view[at : at + fresh_bytes])
        at += fresh_bytes + length
        yield key, Field(0, at - length, at, -1, first)
    for place in range(limit, end - 4, 4):  # where a search begins
        if int.from_bytes(view[place : place + 4], "little") not in fresh:
            raise StreamError("a block restarts where no entry begins", offset=place)


def _header(view: memoryview, value: Field) -> int:
    found = {field.number: field for field in fields(view, value.start, value.end)}
    shards = found[1].value if 1 in found else 0
    if not 0 < shards <= _SHARDS_MAX or (2 in found and found[2].value != 0):
        raise StreamError("the header of the index is not one of this byte order", offset=value.start)
    return shards


def _entry(view: memoryview, key: bytes, value: Field, shards: int) -> Entry:
    name = printable(str(key, "utf-8", "replace"), 80)
    found: dict[int, Field] = {}
    for field in fields(view, value.start, value.end):
        if field.number in found or field.number not in (1, 2, 3, 4, 5, 6) or field.is_bytes != (field.number == 2):
            raise StreamError(f"{name} has what is not read here, such as slices", offset=field.at)
        found[field.number] = field
    dtype, shard, offset, size = (found[number].value if number in found else 0 for number in (1, 3, 4, 5))
    count = math.prod(_dims(view, found[2])) if 2 in found else 1
    if dtype != STRING and (dtype not in _ITEMS or size != count * _ITEMS[dtype]):
        raise StreamError(f"{name} does not have the bytes that its shape asks for", offset=value.start)
    if shard >= shards or count > max(size, 1):
        raise StreamError(f"{name} is where there is nothing", offset=value.start)
    return Entry(name, dtype, count, shard, offset, size)


def _dims(view: memoryview, shape: Field) -> Iterator[int]:
    for rank, field in enumerate(fields(view, shape.start, shape.end)):
        sizes = [part for part in fields(view, field.start, field.end) if part.number == 1] if field.is_bytes else []
        if field.number != 2 or not field.is_bytes or len(sizes) > 1 or rank >= _RANK_MAX:
            raise StreamError("a variable's shape is none", offset=field.at)
        size = sizes[0].value if sizes else 0
        if not 0 <= size < 1 << 40:
            raise StreamError("a variable's shape is none", offset=field.at)
        yield size


def check_strings(entry: Entry, data: memoryview) -> None:
    """Raise StreamError unless the bytes are as many lengths as items, their checksum, and texts of these lengths."""
    at = total = 0
    for _ in range(entry.items):
        length, at = varint(data, at, len(data))
        total += length
    if at + 4 + total != len(data):
        raise StreamError(f"the texts of {entry.name} do not have the lengths that stand there", offset=entry.offset)
