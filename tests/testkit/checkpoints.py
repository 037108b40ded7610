"""Indexes of TensorFlow's variables, with checksums that hold: what a writer who means ill would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["crc32c", "index_of", "masked"]

_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = (_byte >> 1) ^ (0x82F63B78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """As LevelDB keeps a checksum."""
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def index_of(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A table of one block, whose keys share nothing."""
    data = b""
    places = []
    last = max((key for key, _ in entries), default=b"")
    for content in ([], entries):  # the block about blocks is empty
        places.append(_varint(len(data)) + _varint(len(_block(content))))
        data += _sealed(_block(content))
    index = _block([(last, places[1])])
    footer = places[0] + _varint(len(data)) + _varint(len(index))
    return data + _sealed(index) + footer.ljust(40, b"\0") + _MAGIC


def _block(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    data, starts = b"", []
    for key, value in entries:
        starts.append(len(data))
        data += b"\0" + _varint(len(key)) + _varint(len(value)) + key + value
    starts = starts or [0]
    return data + b"".join(start.to_bytes(4, "little") for start in [*starts, len(starts)])


def _sealed(block: bytes) -> bytes:
    return block + b"\0" + masked(block + b"\0").to_bytes(4, "little")


def _varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])
