"""What becomes of objects of one form: what can be asked once for all of them is asked once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_reader
from safeload.engine.rewrite import Edit, before_build, behind_build, in_place_of, run_in_place_of, without_frame
from safeload.engine.turns import Turns
from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.readers.layouts import ArrayForm, Built, FormObject
    from safeload.readers.observations import Stream
    from safeload.readers.rows import Repeats

    Step = Callable[[Repeats, int], Edit]

__all__ = ["repeat_edits"]

_NONE = bytes([op.NONE])
_FIRST, _LAST = -1, 1 << 30  # of a segment: its frame, what stands behind it


def repeat_edits(stream: Stream, memory: Memory, checkpoints: Checkpoints) -> Iterator[Edit]:
    """The edits for all repeats of `stream`."""
    same: dict[int, list[Repeats]] = {}
    for repeats in stream.repeats:
        same.setdefault(id(repeats.form), []).append(repeats)
    for runs in same.values():
        yield from _Plan(runs, stream, memory, checkpoints).edits()


class _Plan:
    """For all repeats of one form."""

    def __init__(self, runs: list[Repeats], stream: Stream, memory: Memory, checkpoints: Checkpoints) -> None:
        self._runs, self._form = runs, runs[0].form
        self._stream, self._memory, self._checkpoints = stream, memory, checkpoints
        self._cuts = [(_start_of(one), (one.segment, one.group)) for one in self._form.objects if one.meaning]

    def edits(self) -> Iterator[Edit]:
        for one in self._form.objects:
            if one.inner:
                continue
            if one.meaning is not None:
                yield from self._cut(one, one.meaning)
            else:
                for step in self._built(one):
                    yield from self._each(step)
        for step in self._parts():
            yield from self._each(step)

    def _each(self, step: Step) -> Iterator[Edit]:
        for repeats in self._runs:
            for index in range(len(repeats.rows)):
                yield step(repeats, index)

    def _parts(self) -> Iterator[Step]:
        """Frames and arrays that are not part of what is cut out."""
        for number, segment in enumerate(self._form.segments):
            if segment.framed and not self._is_cut(number, _FIRST):
                yield partial(_without_frame, number)
            if segment.array is not None and not self._is_cut(number, _LAST):
                yield partial(_whole_array, segment.array, number, self._memory)

    def _is_cut(self, segment: int, group: int) -> bool:
        return any(start < (segment, group) < end for start, end in self._cuts)

    def _cut(self, one: FormObject, built: Built) -> Iterator[Edit]:
        """The whole objects are cut out, as many as follow one another at once, and made from what is noted."""
        whole = all(self._is_whole(one, repeats) for repeats in self._runs)
        turns = Turns(built, self._stream, self._memory, self._checkpoints, whole=whole)
        opcodes = turns.opcodes
        # Made before its turn, an object would see what it shares as it was, and not as it is by then.
        make = None if self._form.shares else turns.maker([row for repeats in self._runs for row in repeats.rows])
        for repeats, first, end in self._stretches(one):
            cut, resume = repeats.place(first, *_start_of(one)), repeats.place(end - 1, one.segment, one.group) + 1
            checkpoint = make or turns.maker(repeats.rows[first:end])
            between = repeats.between or b""
            yield run_in_place_of(cut, resume, opcodes, one.memoised, checkpoint, end - first, between)
            opcodes = _NONE

    def _stretches(self, one: FormObject) -> Iterator[tuple[Repeats, int, int]]:
        """Repeats in which `one` begins where it ended in the one before: from which on, and up to which."""
        for repeats in self._runs:
            count = len(repeats.rows)
            if self._is_whole(one, repeats):
                yield repeats, 0, count
            else:
                yield from ((repeats, index, index + 1) for index in range(count))

    def _is_whole(self, one: FormObject, repeats: Repeats) -> bool:
        """Whether `one` is all that each of `repeats` is."""
        return one is self._form.objects[-1] and repeats.place(0, *_start_of(one)) == repeats.start(0)

    def _built(self, one: FormObject) -> Iterator[Step]:
        used, place = self._stream.globals[one.source], (one.segment, one.group)
        if one.watched:
            finisher, memo = self._checkpoints.finisher(used), one.memo
            assert memo is not None  # noqa: S101  # forms have no others
            yield lambda repeats, i: behind_build(repeats.place(i, *place), repeats.key(i) + memo, finisher)
            return
        before, keep = self._checkpoints.before(used, one.names), self._checkpoints.keep
        if before is not None:
            yield lambda repeats, i: before_build(repeats.place(i, *place), before)
        yield lambda repeats, i: behind_build(repeats.place(i, *place), None, keep)


def _start_of(one: FormObject) -> tuple[int, int]:
    assert one.meaning is not None  # noqa: S101  # the callers looked
    callee = one.meaning.call.callee
    return callee.segment, callee.group


def _without_frame(number: int, repeats: Repeats, index: int) -> Edit:
    return without_frame(repeats.start(index, number))


def _whole_array(like: ArrayForm, number: int, memory: Memory, repeats: Repeats, index: int) -> Edit:
    found, start = repeats.found(index, number), repeats.data(index, number)
    first = repeats.place(index, number, found.match.re.groups - 1)

    def checkpoint(dtype: Any) -> Any:
        read = array_reader(memory, dtype, like.order, itemsize=like.itemsize, consumed=like.consumed)
        return read([(start, found.size, found.shape)])[0]

    return in_place_of(first, start + found.size, like.get_dtype, like.memoised, checkpoint)
