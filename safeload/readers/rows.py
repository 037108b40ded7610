"""Where the objects of one form stand in a stream: a row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import re

    from safeload.readers.layouts import Form

from safeload.readers import opcodes as op

__all__ = ["IN_LISTS", "WIDTH", "Found", "Repeats", "Split"]

_FRAME_SIZE = 9
WIDTH = 3  # entries of a row for each segment
# Between two objects of which each stands in a list of its own, one list behind the other.
IN_LISTS = bytes([op.APPEND, op.EMPTY_LIST, op.MEMOIZE])


class Found(NamedTuple):
    """A segment as it stood once: all its bytes, and what of them each group matched.

    `values` has an entry for each group: what the opcode of a leaf pushes, the bytes of others. `frame` is the length
    in a FRAME at its beginning, or -1; `size` and `shape` are those of the bytes or the array behind it.
    """

    text: bytes
    match: re.Match[bytes]
    values: tuple[Any, ...]
    frame: int
    size: int
    shape: tuple[int, ...]


class Split(NamedTuple):
    """A FRAME at `at` that stands in the segment `segment`, behind `offset` of its bytes."""

    segment: int
    offset: int
    at: int


class Repeats:
    """Objects of one form that follow one another in the stream, with the opcodes `between` in between: none, or
    :data:`IN_LISTS`; None as long as there is only one.

    `memo` is the first key of the first of them. `rows` has an entry for each: for one segment after the other, how it
    stood (:class:`Found`), where it begins, and where the bytes behind it do. `splits` are those that have one, `end`
    is where the last of them ends.
    """

    __slots__ = ("between", "end", "form", "memo", "rows", "splits")

    def __init__(self, form: Form, memo: int) -> None:
        self.form, self.memo = form, memo
        self.between: bytes | None = None
        self.rows: list[list[Any]] = []
        self.splits: dict[int, Split] = {}
        self.end = -1

    def found(self, index: int, segment: int) -> Found:
        found: Found = self.rows[index][WIDTH * segment]
        return found

    def start(self, index: int, segment: int = 0) -> int:
        """Where the segment begins."""
        return int(self.rows[index][WIDTH * segment + 1])

    def data(self, index: int, segment: int) -> int:
        """Where the bytes behind the segment begin."""
        return int(self.rows[index][WIDTH * segment + 2])

    def key(self, index: int) -> int:
        """The first memo key of an object."""
        return self.memo + index * (self.form.memoised + bool(self.between))  # each list has a key, too

    def place(self, index: int, segment: int, group: int) -> int:
        """Where a group begins."""
        return self._behind(index, segment, self.found(index, segment).match.start(group))

    def end_of(self, index: int, segment: int) -> int:
        """Where the opcodes of a segment end."""
        return self._behind(index, segment, len(self.found(index, segment).text))

    def _behind(self, index: int, segment: int, offset: int) -> int:
        split = self.splits.get(index)
        if split is not None and split.segment == segment and split.offset <= offset:
            offset += _FRAME_SIZE
        return self.start(index, segment) + offset
