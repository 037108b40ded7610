"""Members as frames: compressed and decompressed on all cores, bounded before memory is spent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safeload.container.encodings import ENCODINGS, Compression, decode_frame
from safeload.container.layout import LEAF, leaf_count
from safeload.container.parallel import each
from safeload.container.source import allocate

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.container.manifest import Member

__all__ = ["FRAME", "decode_member", "write_frames"]

FRAME = LEAF
# Frames in memory at once while writing, so that compressing a large model costs little memory.
_BATCH = 16


def decode_member(member: Member, stored: memoryview) -> memoryview:
    """The plain bytes of a framed member in new private memory. Raises CorruptMemberError."""
    starts = [0]
    for length in member.frames or ():
        starts.append(starts[-1] + length)
    plain = allocate(member.size)

    def make_work() -> Callable[[int], None]:
        def work(index: int) -> None:
            data = stored[starts[index] : starts[index + 1]]
            decode_frame(member.encoding, data, plain[index * FRAME : (index + 1) * FRAME], member.name)

        return work

    each(make_work, len(starts) - 1)
    return plain


def write_frames(plain: memoryview, compression: Compression, fd: int, offset: int) -> tuple[int, ...]:
    """Compress `plain` into the file at `offset`; returns the stored length of each frame."""
    compress = ENCODINGS[compression.encoding].compress
    lengths: list[int] = []
    for first in range(0, leaf_count(len(plain)), _BATCH):
        batch = plain[first * FRAME : (first + _BATCH) * FRAME]
        for frame in _compress_batch(compress, batch, compression.level):
            write_all(fd, memoryview(frame), offset)
            offset += len(frame)
            lengths.append(len(frame))
    return tuple(lengths)


def _compress_batch(
    compress: Callable[[memoryview, int | None], bytes], batch: memoryview, level: int | None
) -> list[bytes]:
    frames = [b""] * leaf_count(len(batch))

    def make_work() -> Callable[[int], None]:
        def work(index: int) -> None:
            frames[index] = compress(batch[index * FRAME : (index + 1) * FRAME], level)

        return work

    each(make_work, len(frames))
    return frames


def write_all(fd: int, view: memoryview, offset: int) -> None:
    """``pwrite`` until all is written: a signal or a full pipe may cut one call short."""
    done = 0
    while done < len(view):
        done += os.pwrite(fd, view[done : done + (1 << 30)], offset + done)
