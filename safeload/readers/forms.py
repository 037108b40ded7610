"""A form held against a stream: places only, since everything else is as it was where the form was learnt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.layouts import Found, Repeat, Split
from safeload.readers.nodes import Made
from safeload.readers.wrappers import sizes

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.layouts import Segment
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Global, Node

__all__ = ["read_form"]

_FRAME, _FRAME_SIZE = bytes([op.FRAME]), 9
_LENGTHS = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8}
_SIZES = {op.BINGET: 2, op.LONG_BINGET: 5, **{kind: 1 + width for kind, width in _LENGTHS.items()}}
_RECENT = 4
_RUN = 64  # objects, until the machine looks at its bounds again


def read_form(machine: Machine, source: Global, at: int) -> Made | None:
    """The last of the objects of `source` that stand from `at` on, one behind the other, if they match the form.

    The GET at `at` fetches the class. All but the last are put on the stack, and `machine.resume` is behind it.
    """
    made = _object(machine, source, at)
    if made is None:
        return None
    get = source.form.get
    for _ in range(_RUN - 1):
        at = machine.resume
        if machine.data.view[at : at + len(get)] != get or 0 <= machine.frame_end <= at:
            break
        more = _object(machine, source, at)
        if more is None:
            break
        machine.stack.append(made)
        made = more
    return made


def _object(machine: Machine, source: Global, at: int) -> Made | None:  # noqa: C901  # one loop: calls cost as much
    """The object that begins at `at`, if the form matches. The machine learns of it only when all of it has."""
    data, form, frame_end, skipped, split = machine.data, source.form, machine.frame_end, 0, None
    found: list[Found] = []
    recent = source.recent
    places: list[int] = []
    starts: list[int] = []
    for number, segment in enumerate(form.segments):
        end = at + segment.longest + _FRAME_SIZE
        if end > data.size:
            data.peek(end)
        text = _text(data, at, end, frame_end) if frame_end >= 0 else bytes(data.view[at:end])
        for one in recent[number]:  # as a rule it says the same as in one of the last objects
            if text.startswith(one.text):
                break
        else:
            new = _found(segment, text)
            if new is None:
                return None
            one = new
            recent[number] = (one, *recent[number][: _RECENT - 1])
        found.append(one)
        places.append(at)
        if one.frame >= 0:
            if frame_end >= 0:
                return None
            frame_end = at + _FRAME_SIZE + one.frame
            if not data.reach(frame_end):
                return None
        elif at <= frame_end < at + len(one.text):
            if split is not None or form.objects[-1].meaning is None or not _is_frame(data, one.text, at, frame_end):
                return None
            split = Split(number, frame_end - at, frame_end)
            frame_end += _FRAME_SIZE + data.number(frame_end + 1, 8)
            at += _FRAME_SIZE
            if not data.reach(frame_end):
                return None
        at += len(one.text)
        if segment.array is not None:
            if frame_end not in (-1, at):
                return None
            frame_end, at = -1, at + 1 + (data.view[at] if at < data.size else data.number(at, 1))
            skipped += one.size
        elif one.size > op.LARGE:
            skipped += one.size
        starts.append(at)
        at += one.size
        if (at > data.size and not data.reach(at)) or 0 <= frame_end < at:
            return None
    machine.frame_end, machine.resume = frame_end, at
    machine.skipped += skipped
    return _made(machine, source, Repeat(form, len(machine.memo), tuple(found), tuple(places), tuple(starts), split))


def _is_frame(data: Data, text: bytes, start: int, at: int) -> bool:
    """Whether the frame that ends at `at` is followed by another, between two opcodes of the `text` from `start` on."""
    place = 0
    while place < at - start:
        kind = text[place]
        place += op.LEAF_SIZES[kind] or _SIZES.get(kind, 1)
        if kind in _LENGTHS:
            place += int.from_bytes(text[place - _LENGTHS[kind] : place], "little")
    return place == at - start and data.view[at] == op.FRAME


def _text(data: Data, at: int, end: int, frame_end: int) -> bytes:
    """The bytes that a segment at `at` may have, without the FRAME among them."""
    if at <= frame_end < end and data.view[frame_end : frame_end + 1] == _FRAME:
        return bytes(data.view[at:frame_end]) + bytes(data.view[frame_end + _FRAME_SIZE : end])
    return bytes(data.view[at:end])


def _found(segment: Segment, text: bytes) -> Found | None:
    match = segment.pattern.match(text)
    if match is None:
        return None
    size, last = 0, match[segment.pattern.groups]
    shape: tuple[int, ...] = ()
    if segment.array is not None:
        like = segment.array
        known = sizes(last, like.dimensions)
        if known is None:
            return None
        shape, size = known, math.prod(known) * like.itemsize
    elif segment.raw:
        size = int.from_bytes(last[1:], "little")
    frame = int.from_bytes(match[1][1:], "little") if segment.framed else -1
    return Found(match[0], match, frame, size, shape)


def _made(machine: Machine, source: Global, repeat: Repeat) -> Made:
    """What the stretch leaves on the stack. Parts of it are not kept: if one is asked for, all is read anew."""
    form, last = repeat.form, repeat.form.objects[-1]
    made = Made(source, None, repeat.at[0], watched=source.watched)
    made.build, made.finished, made.depth, made.weight = machine.resume - 1, True, form.depth, form.weight
    nodes: list[Node] = [machine.forgotten] * form.memoised
    if last.memo is not None:
        nodes[last.memo] = made
        made.memo = repeat.memo + last.memo if source.watched else None
    machine.memo += nodes
    machine.repeats.append(repeat)
    return made
