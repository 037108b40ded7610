"""The objects of one form, one after the other as the unpickler asks for them, made some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import VIEW_MIN
from safeload.engine.meanings import Meaning
from safeload.readers import opcodes as op
from safeload.readers.parts import arrays_kept, gets_of
from safeload.readers.rows import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.engine.meanings import Make
    from safeload.engine.rewrite import Checkpoint
    from safeload.readers.layouts import Built, Stored
    from safeload.readers.observations import Stream

__all__ = ["Turns"]

_MARK, _TUPLE = bytes([op.MARK]), bytes([op.TUPLE])
_AT_ONCE = 256  # so few that their arrays are still in the processor's cache
_BYTES_AT_ONCE = 1 << 20


class Turns:
    """What makes the objects that `built` describes, in one stream. `whole` says that nothing else stands in a row."""

    def __init__(
        self, built: Built, stream: Stream, memory: Memory, checkpoints: Checkpoints, *, whole: bool = False
    ) -> None:
        self._built, self._whole = built, whole
        self._stream, self._memory, self._checkpoints = stream, memory, checkpoints
        self._gets = tuple(dict.fromkeys(gets_of(built)))
        self._make: Make | None = None

    @property
    def opcodes(self) -> bytes:
        """What pushes the argument of the first maker for its first object: what all have in common, from the memo,
        where nothing overwrites it. The others need none."""
        return _MARK + b"".join(self._gets) + _TUPLE

    def maker(self, rows: list[list[Any]]) -> Checkpoint:
        """What gives one after the other of the objects of `rows`, and makes some before their turn."""
        values = self._in_turn(rows)

        def make(given: Any) -> Any:
            if given is not None:
                common = dict(zip(self._gets, given, strict=True))
                self._make = Meaning(common, self._stream, self._memory, self._checkpoints).of(self._built)
            return next(values)

        return make

    def _in_turn(self, rows: list[list[Any]]) -> Iterator[Any]:
        give_back = self._giver()
        for some in _pieces(rows) if give_back else _parts(rows):
            assert self._make is not None  # noqa: S101  # the first maker was given what all have in common
            made = self._make(list(zip(*some, strict=True)))
            if give_back:
                give_back(some)
            yield from made

    def _giver(self) -> Callable[[list[list[Any]]], None] | None:
        """What lets go of the bytes of some objects that were made: all of it was copied, or half of a large model
        would be there twice. None if they may be needed."""
        give_back, kept = self._memory.give_back, list(self._kept())
        # What a contract takes is where it was read, however small it is, and some contracts keep it.
        if give_back is None or not self._whole or any(one.like.consumed for one in kept):
            return None
        columns = [one.segment * WIDTH for one in kept]

        def let_go(rows: list[list[Any]]) -> None:
            if any(row[column].size >= VIEW_MIN for column in columns for row in rows):
                return  # these arrays are where they were read
            for start, end in _stretches(rows):
                give_back(start, end)

        return let_go

    def _kept(self) -> Iterator[Stored]:
        globals_, many = self._stream.globals, self._checkpoints.finisher_of_many
        return arrays_kept(self._built, lambda one: one.watched and many(globals_[one.source]) is not None)


def _parts(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    return (rows[first : first + _AT_ONCE] for first in range(0, len(rows), _AT_ONCE))


def _pieces(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """The same, of so few bytes that it is little to have them twice."""
    first = size = 0
    for index, row in enumerate(rows):
        size += _end(row) - row[1]
        if size >= _BYTES_AT_ONCE or index - first >= _AT_ONCE:
            yield rows[first : index + 1]
            first, size = index + 1, 0
    if first < len(rows):
        yield rows[first:]


def _stretches(rows: list[list[Any]]) -> Iterator[tuple[int, int]]:
    """From where to where they stand, those at once that stand side by side."""
    start, end = rows[0][1], _end(rows[0])
    for row in rows[1:]:
        if row[1] != end:
            yield start, end
            start = row[1]
        end = _end(row)
    yield start, end


def _end(row: list[Any]) -> int:
    """Where the object ends: behind its last segment, or behind the bytes of that."""
    return int(row[-1]) + int(row[-WIDTH].size)
