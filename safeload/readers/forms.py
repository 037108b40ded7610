"""A form held against a stream: places only, since everything else is as it was where the form was learnt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.nodes import Forgotten, Made
from safeload.readers.observations import ArrayData
from safeload.readers.wrappers import sizes

if TYPE_CHECKING:
    import re

    from safeload.readers.machine import Machine
    from safeload.readers.repeats import Form, Segment

__all__ = ["read_form"]

_SHARED_MIN = 256


def read_form(machine: Machine, form: Form, at: int) -> Made | None:
    """The object whose class the GET at `at` fetches, if the form matches: then `machine.resume` is behind it."""
    stretch = _Stretch(machine, at)
    for segment in form.segments:
        if not stretch.read(segment):
            return None
    return stretch.done(form)


class _Stretch:
    """What was found so far. The machine learns of it only when all of the form has matched."""

    __slots__ = ("_arrays", "_at", "_builds", "_bytes", "_frame_end", "_frames", "_machine", "_raw", "_start")

    def __init__(self, machine: Machine, at: int) -> None:
        self._machine, self._start, self._at = machine, at, at
        self._frame_end, self._raw = machine.frame_end, 0
        self._builds: list[int] = []
        self._arrays: list[ArrayData] = []
        self._bytes: list[int] = []
        self._frames: list[int] = []

    def read(self, segment: Segment) -> bool:
        data, at = self._machine.data, self._at
        if at + segment.longest > data.size:
            data.peek(at + segment.longest)
        match = segment.pattern.match(data.view, at)
        if match is None:
            return False
        if segment.framed:
            if self._frame_end >= 0:
                return False
            self._frames.append(at)
            self._frame_end = at + 9 + int.from_bytes(match[1], "little")
            if not data.reach(self._frame_end):
                return False
        for group in segment.builds:
            self._builds.append(match.start(group))
        self._at = match.end()
        if segment.array is not None:
            return self._read_array(segment.array, match, len(segment.builds) + segment.framed + 1)
        if segment.raw:
            return self._read_bytes(match, len(segment.builds) + segment.framed + 1)
        return self._frame_end < 0 or self._at <= self._frame_end

    def _read_array(self, like: ArrayData, match: re.Match[bytes], group: int) -> bool:
        data, at, whole = self._machine.data, self._at, like.whole
        if self._frame_end not in (-1, at) or whole is None:
            return False
        shape = sizes(match[group + 1], len(like.shape))
        if shape is None:
            return False
        start = at + 1 + data.number(at, 1)
        end = start + math.prod(shape) * like.itemsize
        if not data.reach(end):
            return False
        whole = whole._replace(start=match.start(group))
        self._arrays.append(ArrayData(at, start, end, like.dtype, shape, None, whole, like.itemsize, like.consumed))
        self._raw += end - start
        self._frame_end, self._at = -1, end
        return True

    def _read_bytes(self, match: re.Match[bytes], group: int) -> bool:
        length = int.from_bytes(match[group + 1] or match[group + 2] or match[group + 3], "little")
        self._at += length
        if length > op.LARGE:
            self._raw += length
        if length >= _SHARED_MIN:
            self._bytes.append(match.start(group))
        return self._machine.data.reach(self._at) and (self._frame_end < 0 or self._at <= self._frame_end)

    def done(self, form: Form) -> Made:
        machine, memo = self._machine, len(self._machine.memo)
        nodes: list[Forgotten | Made] = [machine.forgotten] * form.memoised
        for (like, key), build in zip(form.objects, self._builds, strict=True):
            made = Made(like.source, None, self._start, watched=like.watched)
            made.build, made.finished, made.depth, made.weight = build, True, like.depth, like.weight
            if key >= 0:
                made.memo = memo + key if like.watched else None
                nodes[key] = made
            machine.made.append(made)
        machine.memo += nodes
        machine.arrays += self._arrays
        machine.frames += self._frames
        machine.taken.update(self._bytes)
        machine.skipped += self._raw
        machine.frame_end, machine.resume = self._frame_end, self._at
        return machine.made[-1]
