"""The leaf table: one digest per 4 MiB of stored payload (docs/format.md, section 4)."""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.container.layout import DIGEST_SIZE, LEAF, leaf_count
from safeload.container.parallel import each
from safeload.errors import DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.container.source import Source

__all__ = ["DIGESTS", "Edges", "LeafTable", "Wanted", "hash_leaves"]

_ROOT = struct.Struct("<QQ")
# One is read and hashed in a moment, and a processor that slept may take several to wake up.
_LEAVES_APIECE = 2

Hash = Callable[..., bytes]  # of one piece of bytes or several, one behind the other
Edges = dict[int, memoryview]  # leaves that were read and checked, by their number
Wanted = tuple[int, memoryview]  # a place in the payload, and what is to be filled from there on


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

    def read(self, source: Source, payload_off: int, wanted: Sequence[Wanted], edges: Edges) -> None:
        """Fill each view with the payload from its place on, and check each leaf as it comes.

        What is `wanted` is in order, and nothing twice. A last leaf of which only a part is asked for is put into
        `edges`, and the first taken from there: else each of a thousand small members that are read one by one would
        have its leaf hashed anew. Raises DigestMismatchError with the number of the first bad leaf.
        """
        leaves = self._leaves(wanted)
        begins = [begin for begin, _ in wanted]

        def make_work() -> Callable[[int], None]:
            digest = DIGESTS[self.digest]()
            buffers: list[memoryview] = []  # of this thread, made for the first leaf of which not all is wanted

            def read(index: int, pieces: Sequence[memoryview]) -> None:
                at = payload_off + index * LEAF
                for piece in pieces:
                    source.read_into(at, piece)
                    at += len(piece)
                self._compare(index, digest(*pieces))

            def whole(index: int, size: int) -> memoryview:
                known = edges.get(index)  # once: another thread may take it away
                if known is not None:
                    return known
                leaf = buffers.pop()[:size] if buffers else memoryview(bytearray(LEAF))[:size]
                read(index, [leaf])
                if index == leaves[-1]:
                    edges[index] = leaf
                else:
                    buffers.append(leaf)
                return leaf

            def work(at: int) -> None:
                start, stop = self.span(leaves[at])
                owners = wanted[max(0, bisect_right(begins, start) - 1) : bisect_left(begins, stop)]
                parts = [_part(begin, view, start, stop) for begin, view in owners]
                if sum(map(len, parts)) == stop - start:
                    read(leaves[at], parts)
                    return
                leaf = whole(leaves[at], stop - start)
                for (begin, _), part in zip(owners, parts, strict=True):
                    first = max(begin - start, 0)
                    part[:] = leaf[first : first + len(part)]

            return work

        each(make_work, len(leaves), apiece=_LEAVES_APIECE)
        if leaves:
            _keep(edges, leaves[-1])

    @staticmethod
    def _leaves(wanted: Sequence[Wanted]) -> list[int]:
        """The numbers of the leaves in which something lies that is wanted, in order."""
        found: list[int] = []
        for begin, view in wanted:
            first = max(begin // LEAF, found[-1] + 1 if found else 0)
            found.extend(range(first, -(-(begin + len(view)) // LEAF)))
        return found

    def check_all(self, source: Source, payload_off: int, look: Callable[[int, memoryview], None]) -> None:
        """Stream the payload through one buffer a thread, check each leaf, then ``look(offset, leaf)``."""
        self.check_span(source, payload_off, range(leaf_count(self.payload_len)), look)

    def check_span(
        self,
        source: Source,
        payload_off: int,
        leaves: Sequence[int],
        look: Callable[[int, memoryview], None],
        edges: Edges | None = None,
    ) -> None:
        """As `check_all`, for some leaves. `look` is called in several threads at once, and its leaf is then gone.

        With `edges`, leaves are taken from there, and the last one is put there, as in `read`.
        """
        known = {} if edges is None else edges

        def make_work() -> Callable[[int], None]:
            digest = DIGESTS[self.digest]()
            buffer = memoryview(bytearray(min(LEAF, self.payload_len)))

            def work(at: int) -> None:
                index = leaves[at]
                start, end = self.span(index)
                piece = known.get(index)
                if piece is None:
                    piece = buffer[: end - start]
                    source.read_into(payload_off + start, piece)
                    self._compare(index, digest(piece))
                    if edges is not None and index == leaves[-1]:
                        edges[index] = memoryview(bytes(piece))
                look(start, piece)

            return work

        each(make_work, len(leaves))
        if leaves:
            _keep(known, leaves[-1])

    def _compare(self, index: int, actual: bytes) -> None:
        if actual != self.table[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE]:
            start, end = self.span(index)
            raise DigestMismatchError(
                f"the payload was changed: leaf {index} (payload bytes {start:,} to {end:,}) is not what was signed",
                leaf=index,
            )


def _part(begin: int, view: memoryview, start: int, stop: int) -> memoryview:
    """What of `view`, which begins at `begin`, lies between `start` and `stop`."""
    return view[max(start - begin, 0) : max(stop - begin, 0)]


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
