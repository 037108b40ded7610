"""A form held against one object: places only, since everything else is as it was where the form was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.readers import opcodes as op
from safeload.readers.rows import WIDTH, Split
from safeload.readers.segments import found_in, is_frame, text_at

if TYPE_CHECKING:
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Global
    from safeload.readers.rows import Repeats

__all__ = ["read_alike", "read_object"]

_FRAME_SIZE = 9
_RECENT = 4
_ALIKE_MAX = 32


def read_alike(machine: Machine, source: Global, repeats: Repeats, most: int) -> int:
    """How many objects from `machine.resume` on, at most `most`, say in all segments what one before said, within one
    frame."""
    view, head, alike, rows = machine.data.view, source.head, source.alike, repeats.rows
    at, before = machine.resume, len(rows)
    end_of_all = machine.frame_end if machine.frame_end >= 0 else machine.data.size
    while len(rows) < before + most:
        one = alike.get(bytes(view[at : at + head]))
        if one is None or at + one[0] > end_of_all:
            break
        total, skipped, first, parts = one
        row = [first, at, at + head]
        for found, said, start, end in parts:
            if bytes(view[at + start : at + end]) != said:
                break
            row += (found, at + start, at + end)
        else:
            rows.append(row)
            machine.skipped += skipped
            at += total
            continue
        break
    machine.resume = repeats.end = at
    machine.repeated += len(repeats.form.objects) * (len(rows) - before)
    return len(rows) - before


def read_object(machine: Machine, source: Global, at: int, repeats: Repeats) -> bool:  # noqa: C901  # one loop: calls cost as much
    """Whether the object that begins at `at` matches the form. Machine and `repeats` learn of it only if it does."""
    data, frame_end, skipped, split = machine.data, machine.frame_end, 0, None
    view, size, recent = data.view, data.size, source.recent
    row: list[Any] = []
    for number, segment in enumerate(source.form.segments):
        end = at + segment.longest + _FRAME_SIZE
        if end > size:
            data.peek(end)
            view, size = data.view, data.size
        text = bytes(view[at:end]) if not at <= frame_end < end else text_at(view, at, end, frame_end)
        for one in recent[number]:  # as a rule it says the same as in one of the last objects
            found, said, frame, behind = one
            if text.startswith(said):
                break
        else:
            new = found_in(segment, text)
            if new is None:
                return False
            found, said, frame, behind = one = new, new.text, new.frame, new.size
            source.missed[number] += 1
            # It is no use to compare with what was there before if each says something else.
            few = source.missed[number] < _RECENT + len(repeats.rows) // 2
            recent[number] = (one, *recent[number][: _RECENT - 1]) if few else ()
        start = at
        if frame >= 0:
            if frame_end >= 0:
                return False
            frame_end = at + _FRAME_SIZE + frame
        elif at <= frame_end < at + len(said):
            if split is not None or source.form.objects[-1].meaning is None or not is_frame(data, said, at, frame_end):
                return False
            split = Split(number, frame_end - at, frame_end)
            frame_end += _FRAME_SIZE + data.number(frame_end + 1, 8)
            at += _FRAME_SIZE
        if frame_end > size and not data.reach(frame_end):
            return False
        at += len(said)
        if segment.array is not None:
            if frame_end not in (-1, at):
                return False
            frame_end, at = -1, at + 1 + (view[at] if at < size else data.number(at, 1))
            skipped += behind
        elif behind > op.LARGE:
            skipped += behind
        row += (found, start, at)
        at += behind
        if (at > size and not data.reach(at)) or 0 <= frame_end < at:
            return False
    machine.frame_end = frame_end
    if split is not None:
        repeats.splits[len(repeats.rows)] = split
    elif source.form.unframed:
        _remember(source, row, at, skipped)
    machine.resume = repeats.end = at
    machine.skipped += skipped
    machine.repeated += len(source.form.objects)
    repeats.rows.append(row)
    return True


def _remember(source: Global, row: list[Any], end: int, skipped: int) -> None:
    """How an object stood, relative to where it begins; to be found by what its first segment says."""
    first, at, head = row[0], row[1], len(row[0].text)
    if head != source.head or len(source.alike) >= _ALIKE_MAX:
        source.head, source.alike = head, {}
    rest = zip(*[iter(row[WIDTH:])] * WIDTH, strict=True)
    parts = [(found, found.text, start - at, data - at) for found, start, data in rest]
    source.alike[first.text] = end - at, skipped, first, parts
