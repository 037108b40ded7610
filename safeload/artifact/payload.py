"""Ranges of the plain payload in private memory: each leaf is hashed as it is read, and decrypted if need be."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from safeload.container.ciphertext import CHUNK, HEAD, STORED, chunk_count
from safeload.container.layout import ALIGNMENT, LEAF
from safeload.container.source import allocate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.container.leaves import Edges, LeafTable
    from safeload.container.source import Source
    from safeload.keys import FileKey

__all__ = ["ClearPayload", "EncryptedPayload", "Payload", "ciphertext_head", "read_members"]


_TOGETHER_MAX = 8 << 20  # bytes that whoever keeps a few of them keeps
Span = tuple[int, int]  # first byte of the plain payload, and end


class Payload(Protocol):
    """The plain bytes of each of some spans, in order and apart, each in writable memory of its own."""

    def read(self, spans: Sequence[Span]) -> list[memoryview]: ...


def read_members(payload: Payload, spans: Sequence[Span], kinds: Sequence[str]) -> list[memoryview]:
    """As `read`; but small ones of one kind that stand side by side lie in the same pages.

    The system gives memory by the page, which for a thousand small arrays takes longer than to read them. Whoever keeps
    an array keeps others like it, and not the words of the stream that it came with.
    """
    joined: list[Span] = []
    last = ""
    for (begin, end), kind in zip(spans, kinds, strict=True):
        if joined and joined[-1][1] == begin and kind == last and end - joined[-1][0] <= _TOGETHER_MAX:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
        last = kind
    found = {begin: view for (begin, _), view in zip(joined, payload.read(joined), strict=True)}
    firsts = [*found]
    views = []
    for begin, end in spans:
        first = firsts[bisect_right(firsts, begin) - 1]
        views.append(found[first][begin - first : end - first])
    return views


@dataclass(frozen=True, slots=True)
class ClearPayload:
    """What lies in the file as it is."""

    source: Source
    offset: int
    table: LeafTable
    edges: Edges = field(default_factory=dict, repr=False, compare=False)

    def read(self, spans: Sequence[Span]) -> list[memoryview]:
        """Raises DigestMismatchError."""
        found = []
        for begin, end in spans:
            before = begin % ALIGNMENT  # what is aligned in the file is so in memory
            found.append(allocate(before + end - begin)[before:])
        wanted = [(begin, memory) for (begin, _), memory in zip(spans, found, strict=True)]
        self.table.read(self.source, self.offset, wanted, self.edges)
        return found


def ciphertext_head(source: Source, offset: int, table: LeafTable) -> bytes:
    """Salt and key commitment, out of the first leaf as it was verified. Raises DigestMismatchError."""
    found: list[bytes] = []
    table.check_span(source, offset, range(1), lambda start, leaf: found.append(bytes(leaf[:HEAD])))
    return found[0]


@dataclass(frozen=True, slots=True)
class EncryptedPayload:
    """What is decrypted as it is read; `size` is that of the plaintext. All of a range passes, or none is given out."""

    source: Source
    offset: int
    table: LeafTable
    size: int
    key: FileKey
    edges: Edges = field(default_factory=dict, repr=False, compare=False)

    def read(self, spans: Sequence[Span]) -> list[memoryview]:
        """Raises DigestMismatchError, CorruptCiphertextError."""
        openings = [self._opening(begin, end) for begin, end in spans]
        busy = [opening for opening in openings if opening.leaves]  # an empty span may have none
        firsts = [opening.leaves.start for opening in busy]
        lasts = [opening.leaves.stop for opening in busy]

        def look(start: int, leaf: memoryview) -> None:
            number = start // LEAF
            for opening in busy[bisect_right(lasts, number) : bisect_right(firsts, number)]:
                opening.look(start, leaf)

        leaves = sorted({number for opening in openings for number in opening.leaves})
        self.table.check_span(self.source, self.offset, leaves, look, self.edges)
        for opening in openings:
            opening.finish()
        return [opening.plain(begin, end) for opening, (begin, end) in zip(openings, spans, strict=True)]

    def _opening(self, begin: int, end: int) -> _Opening:
        # The last chunk belongs to the end of the payload also where it is empty: it is what says that this is the end.
        run = _Run(begin // CHUNK, chunk_count(self.size) if end == self.size else -(-end // CHUNK))
        return _Opening(self.key, run, self.size, self.table.payload_len)


@dataclass(frozen=True, slots=True)
class _Run:
    """Chunks from number `first` to before `last`."""

    first: int
    last: int

    def leaves(self, payload_len: int) -> range:
        """The leaves in which they lie."""
        if self.first >= self.last:
            return range(0)
        end = min(HEAD + self.last * STORED, payload_len)
        return range((HEAD + self.first * STORED) // LEAF, -(-end // LEAF))


class _Opening:
    """Opens the chunks of a run as leaves come, in any order and several at once.

    Leaves and chunks have no common border: a chunk across one is put together, and opened when both sides are there.
    """

    def __init__(self, key: FileKey, run: _Run, size: int, payload_len: int) -> None:
        self._key, self._run, self._payload_len = key, run, payload_len
        self.leaves = run.leaves(payload_len)
        self._base = run.first * CHUNK
        self._plain = allocate(max(0, min(run.last * CHUNK, size) - self._base))
        self._across = {number: bytearray(self._end(number) - _begin(number)) for number in self._borders()}

    def plain(self, begin: int, end: int) -> memoryview:
        """What lies between two places of the plaintext, once all of it was opened."""
        found = self._plain[begin - self._base : end - self._base]
        # A few bytes would keep the chunk that they are in, and a file may have many members of a few bytes.
        return found if 2 * len(found) > len(self._plain) else memoryview(bytearray(found))

    def _borders(self) -> list[int]:
        chunks = ((leaf * LEAF - HEAD) // STORED for leaf in self.leaves[1:])
        return [number for number in chunks if number in range(self._run.first, self._run.last)]

    def look(self, start: int, leaf: memoryview) -> None:
        """A verified leaf that begins at byte `start` of the ciphertext."""
        end = start + len(leaf)
        first = max(self._run.first, -(-max(0, start - HEAD) // STORED))
        last = min(self._run.last, self._whole_before(end))
        if first < last:
            stored = leaf[_begin(first) - start : self._end(last - 1) - start]
            self._open(first, last, stored)
        for number in {(edge - HEAD) // STORED for edge in (start, end)} & self._across.keys():
            self._keep(number, start, leaf)

    def _whole_before(self, end: int) -> int:
        """The number of the first chunk that does not end at or before byte `end`."""
        if end == self._payload_len:
            return self._run.last
        return max(0, end - HEAD) // STORED

    def _keep(self, number: int, start: int, leaf: memoryview) -> None:
        begin, end = max(_begin(number), start), min(self._end(number), start + len(leaf))
        if begin < end:
            at = begin - _begin(number)
            self._across[number][at : at + end - begin] = leaf[begin - start : end - start]

    def finish(self) -> None:
        """Open what lay across the borders of leaves; after this all chunks were authentic."""
        for number, stored in self._across.items():
            self._open(number, number + 1, memoryview(stored))

    def _open(self, first: int, last: int, stored: memoryview) -> None:
        base = self._run.first
        self._key.chunks.open(first, stored, self._plain[(first - base) * CHUNK : (last - base) * CHUNK])

    def _end(self, number: int) -> int:
        return min(_begin(number + 1), self._payload_len)


def _begin(number: int) -> int:
    """Where chunk `number` begins in the ciphertext."""
    return HEAD + number * STORED
