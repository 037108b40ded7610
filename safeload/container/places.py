"""Pieces of a payload that are to be filled, and the leaves in which they lie."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from safeload.container.layout import LEAF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Places"]


class Places:
    """Views, each with the first byte of the payload that belongs there: in order, and nothing twice."""

    def __init__(self, wanted: Sequence[tuple[int, memoryview]]) -> None:
        self._wanted = wanted
        self._begins = [begin for begin, _ in wanted]

    def leaves(self) -> list[int]:
        """The numbers of the leaves of which something is wanted, in order."""
        found: list[int] = []
        for begin, view in self._wanted:
            first = max(begin // LEAF, found[-1] + 1 if found else 0)
            found.extend(range(first, -(-(begin + len(view)) // LEAF)))
        return found

    def between(self, start: int, stop: int) -> list[memoryview]:
        """What takes all bytes from `start` to `stop`, one behind the other; empty if some are not wanted."""
        pieces = [piece for _, piece in self._pieces(start, stop)]
        return pieces if sum(map(len, pieces)) == stop - start else []

    def copy(self, start: int, leaf: memoryview) -> None:
        """Put what is wanted of the leaf that begins at `start` in its places."""
        for begin, piece in self._pieces(start, start + len(leaf)):
            piece[:] = leaf[begin : begin + len(piece)]

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[int, memoryview]]:
        """With where they begin behind `start`."""
        first = max(0, bisect_right(self._begins, start) - 1)
        for begin, view in self._wanted[first : bisect_left(self._begins, stop)]:
            yield max(begin - start, 0), view[max(start - begin, 0) : max(stop - begin, 0)]
