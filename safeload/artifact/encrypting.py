"""A plain payload into its ciphertext, on all cores (docs/format.md, section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.container.ciphertext import CHUNK, HEAD, STORED, chunk_count, stored_length
from safeload.container.frames import write_all
from safeload.container.parallel import each

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.keys import FileKey

__all__ = ["write_ciphertext"]

_RUN = 256  # chunks that one thread seals and writes at once: 4 MiB


def write_ciphertext(key: FileKey, head: bytes, plain: memoryview, fd: int, offset: int) -> None:
    """Write `head` and the sealed chunks of `plain` into the file from `offset` on."""
    count, length = chunk_count(len(plain)), stored_length(len(plain))
    write_all(fd, memoryview(head), offset)

    def make_work() -> Callable[[int], None]:
        buffer = memoryview(bytearray(_RUN * STORED))

        def work(run: int) -> None:
            first = run * _RUN
            begin = HEAD + first * STORED
            stored = buffer[: min(begin + _RUN * STORED, length) - begin]
            key.chunks.seal(first, plain[first * CHUNK : (first + _RUN) * CHUNK], stored)
            write_all(fd, stored, offset + begin)

        return work

    each(make_work, -(-count // _RUN))
