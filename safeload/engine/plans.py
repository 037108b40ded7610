"""What becomes of objects of one form: what can be asked once for all of them is asked once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_reader
from safeload.engine.meanings import Meaning
from safeload.engine.rewrite import Edit, before_build, behind_build, in_place_of, run_in_place_of, without_frame
from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.readers.layouts import ArrayForm, Built, FormObject, Repeat
    from safeload.readers.observations import Stream

    Step = Callable[[Repeat], Edit]

__all__ = ["repeat_edits"]

_NONE = bytes([op.NONE])
_FIRST, _LAST = -1, 1 << 30  # of a segment: its frame, what stands behind it


def repeat_edits(stream: Stream, memory: Memory, checkpoints: Checkpoints) -> Iterator[Edit]:
    """The edits for all repeats of `stream`."""
    same: dict[int, list[Repeat]] = {}
    for repeat in stream.repeats:
        same.setdefault(id(repeat.form), []).append(repeat)
    for repeats in same.values():
        yield from _Plan(repeats, stream, memory, checkpoints).edits()


class _Plan:
    """For all repeats of one form."""

    def __init__(self, repeats: list[Repeat], stream: Stream, memory: Memory, checkpoints: Checkpoints) -> None:
        self._repeats, self._form = repeats, repeats[0].form
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
                    yield from map(step, self._repeats)
        for step in self._parts():
            yield from map(step, self._repeats)

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
        meaning = Meaning(built, self._stream, self._memory, self._checkpoints)
        opcodes = meaning.opcodes
        # Made before its turn, an object would see what it shares as it was, and not as it is by then.
        make = None if self._form.shares else meaning.maker(self._repeats)
        for run in self._runs(one):
            start, end = run[0].place(*_start_of(one)), run[-1].place(one.segment, one.group) + 1
            yield run_in_place_of(start, end, opcodes, one.memoised, make or meaning.maker(run), len(run))
            opcodes = _NONE

    def _runs(self, one: FormObject) -> Iterator[list[Repeat]]:
        """Repeats in which the object begins where it ended in the one before."""
        first, last = _start_of(one), (one.segment, one.group)
        run: list[Repeat] = []
        for repeat in self._repeats:
            if run and run[-1].place(*last) + 1 != repeat.place(*first):
                yield run
                run = []
            run.append(repeat)
        yield run

    def _built(self, one: FormObject) -> Iterator[Step]:
        used, place = self._stream.globals[one.source], (one.segment, one.group)
        if one.watched:
            finisher, memo = self._checkpoints.finisher(used), one.memo
            assert memo is not None  # noqa: S101  # forms have no others
            yield lambda repeat: behind_build(repeat.place(*place), repeat.memo + memo, finisher)
            return
        before, keep = self._checkpoints.before(used, one.names), self._checkpoints.keep
        if before is not None:
            yield lambda repeat: before_build(repeat.place(*place), before)
        yield lambda repeat: behind_build(repeat.place(*place), None, keep)


def _start_of(one: FormObject) -> tuple[int, int]:
    assert one.meaning is not None  # noqa: S101  # the callers looked
    callee = one.meaning.call.callee
    return callee.segment, callee.group


def _without_frame(number: int, repeat: Repeat) -> Edit:
    return without_frame(repeat.at[number])


def _whole_array(like: ArrayForm, number: int, memory: Memory, repeat: Repeat) -> Edit:
    found, start = repeat.found[number], repeat.data[number]
    first = repeat.place(number, found.match.re.groups - 1)

    def checkpoint(dtype: Any) -> Any:
        return array_reader(memory, dtype, like.order, consumed=like.consumed)(start, found.size, found.shape)

    return in_place_of(first, start + found.size, like.get_dtype, like.memoised, checkpoint)
