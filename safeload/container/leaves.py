"""The leaf table: one digest per 4 MiB of stored payload (docs/format.md, section 4)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.container.layout import DIGEST_SIZE, LEAF, leaf_count
from safeload.container.parallel import each
from safeload.container.places import Places
from safeload.errors import DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.container.source import Source

__all__ = ["DIGESTS", "Edges", "LeafTable", "hash_leaves"]

_ROOT = struct.Struct("<QQ")
# One is read and hashed in a moment, and a processor that slept may take several to wake up.
_LEAVES_APIECE = 2

Hash = Callable[..., bytes]  # of one piece of bytes or several, one behind the other
Edges = dict[int, memoryview]  # leaves that were read and checked, by their number
Look = Callable[[int, memoryview], None]  # at the first byte of a leaf, and at the leaf


def _blake3() -> Hash:
    from blake3 import blake3

    return lambda *pieces: _digest(blake3, *pieces)


def _sha256() -> Hash:
    return lambda *pieces: _digest(hashlib.sha256, *pieces)


def _digest(new: Callable[[bytes | memoryview], Any], first: bytes | memoryview, *others: bytes | memoryview) -> bytes:
    state = new(first)
    for other in others:
        state.update(other)
    digest: bytes = state.digest()
    return digest


DIGESTS: dict[str, Callable[[], Hash]] = {"blake3": _blake3, "sha256": _sha256}


@dataclass(frozen=True, slots=True)
class LeafTable:
    """Digests of the stored payload, `table` being their concatenation in order."""

    digest: str
    payload_len: int
    table: bytes

    @property
    def root(self) -> str:
        """``H("safeload/v1 table\\0" | u64 leaf | u64 payload_len | table)`` in hexadecimal."""
        head = b"safeload/v1 table\0" + _ROOT.pack(LEAF, self.payload_len)
        return DIGESTS[self.digest]()(head + self.table).hex()

    def check_root(self, root: str) -> None:
        if self.root != root:
            raise DigestMismatchError("the leaf table is not the one that was signed", leaf=None)

    def span(self, index: int) -> tuple[int, int]:
        """First byte and end of leaf `index` in the payload."""
        return index * LEAF, min((index + 1) * LEAF, self.payload_len)

    def read(
        self, source: Source, payload_off: int, wanted: Sequence[tuple[int, memoryview]], edges: Edges | None = None
    ) -> None:
        """Fill each view with the payload from its place on, and check each leaf as it comes.

        What is `wanted` is in order, and nothing twice; `edges` are as in `check_span`. Raises DigestMismatchError with
        the number of the first bad leaf.
        """
        places = Places(wanted)
        self.check_span(source, payload_off, places.leaves(), places.copy, edges, places.between)

    def check_all(self, source: Source, payload_off: int, look: Look) -> None:
        """Stream the payload through one buffer a thread, check each leaf, then ``look(offset, leaf)``."""
        self.check_span(source, payload_off, range(leaf_count(self.payload_len)), look)

    def check_span(
        self,
        source: Source,
        payload_off: int,
        leaves: Sequence[int],
        look: Look,
        edges: Edges | None = None,
        into: Callable[[int, int], Sequence[memoryview]] = lambda start, end: (),
    ) -> None:
        """As `check_all`, for some leaves. `look` is called in several threads at once, and its leaf is then gone.

        ``into(start, end)`` is where a leaf is read to, if it stays; `look` does not see that one. With `edges`, leaves
        are taken from there, and the last one is put there: else each of a thousand small members that are read one by
        one would have its leaf hashed anew.
        """
        known: Edges = {} if edges is None else edges

        def make_work() -> Callable[[int], None]:
            digest = DIGESTS[self.digest]()
            buffers: list[memoryview] = []  # of this thread, made when there is something to look at

            def read(index: int, pieces: Sequence[memoryview]) -> None:
                at = payload_off + index * LEAF
                for piece in pieces:
                    source.read_into(at, piece)
                    at += len(piece)
                self._compare(index, digest(*pieces))

            def work(at: int) -> None:
                index = leaves[at]
                start, end = self.span(index)
                if pieces := into(start, end):
                    read(index, pieces)
                    return
                leaf = known.get(index)  # once: another thread may take it away
                if leaf is None:
                    buffer = buffers.pop() if buffers else memoryview(bytearray(min(LEAF, self.payload_len)))
                    leaf = buffer[: end - start]
                    read(index, [leaf])
                    if edges is not None and index == leaves[-1]:
                        edges[index] = leaf
                    else:
                        buffers.append(buffer)
                look(start, leaf)

            return work

        each(make_work, len(leaves), apiece=_LEAVES_APIECE)
        if leaves:
            _keep(known, leaves[-1])

    def _compare(self, index: int, actual: bytes) -> None:
        if actual != self.table[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE]:
            start, end = self.span(index)
            raise DigestMismatchError(
                f"the payload was changed: leaf {index} (payload bytes {start:,} to {end:,}) is not what was signed",
                leaf=index,
            )


def _keep(edges: Edges, index: int) -> None:
    """Only the last leaf of a range can be the first of the next."""
    for other in [*edges]:
        if other != index:
            edges.pop(other, None)  # another thread may have been here


def hash_leaves(digest: str, payload: memoryview) -> LeafTable:
    """The table of `payload`, hashed on all cores."""
    count = leaf_count(len(payload))
    table = bytearray(DIGEST_SIZE * count)

    def make_work() -> Callable[[int], None]:
        function = DIGESTS[digest]()

        def work(index: int) -> None:
            leaf = payload[index * LEAF : (index + 1) * LEAF]
            table[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE] = function(leaf)

        return work

    each(make_work, count)
    return LeafTable(digest, len(payload), bytes(table))
