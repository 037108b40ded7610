"""Compressed streams by hand, for what no compressor writes."""

from __future__ import annotations

import struct

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_BLOCK = 131_072
RAW, RUN = 0, 1
# RFC 8878 3.1.1.1.1: "Single_Segment_flag" with a content size of 4 bytes; without it, a window of 8 MiB.
SINGLE_SEGMENT = 0b1010_0000
WINDOW_8_MIB = 13 << 3


def zstd_run(size: int, value: int = 0, *, window: bool = False) -> bytes:
    """A frame of `size` equal bytes, 4 bytes for each 128 KiB; with `window` it does not say its size."""
    lengths = [ZSTD_BLOCK] * (size // ZSTD_BLOCK)
    if size % ZSTD_BLOCK or not lengths:
        lengths.append(size % ZSTD_BLOCK)
    blocks = [zstd_block(RUN, length, bytes([value])) for length in lengths[:-1]]
    blocks.append(zstd_block(RUN, lengths[-1], bytes([value]), last=True))
    head = bytes([0, WINDOW_8_MIB]) if window else struct.pack("<BI", SINGLE_SEGMENT, size)
    return ZSTD_MAGIC + head + b"".join(blocks)


def zstd_raw(data: bytes, *, claimed: int | None = None, dictionary: int | None = None) -> bytes:
    """A frame that stores `data`; it may claim another size, or that it needs a dictionary."""
    size = struct.pack("<I", len(data) if claimed is None else claimed)
    flag, id_ = (0, b"") if dictionary is None else (1, bytes([dictionary]))
    return ZSTD_MAGIC + bytes([SINGLE_SEGMENT | flag]) + id_ + size + zstd_block(RAW, len(data), data, last=True)


def zstd_skippable(data: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A50, len(data)) + data


def zstd_block(kind: int, size: int, data: bytes, *, last: bool = False) -> bytes:
    return (last | kind << 1 | size << 3).to_bytes(3, "little") + data
