"""Objects of one form that follow one another: all that match it are read in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.forms import read_alike, read_object
from safeload.readers.nodes import Bag, Made
from safeload.readers.objects import fill
from safeload.readers.rows import IN_LISTS, Repeats

if TYPE_CHECKING:
    from safeload.readers.layouts import Form
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Global, Node

__all__ = ["read_form"]

_RUN = 64  # objects, until the machine looks at its bounds again


def read_form(machine: Machine, source: Global, at: int) -> Made | None:
    """The last of the objects of `source` that stand from `at` on, one behind the other, if they match the form.

    The GET at `at` fetches the class. All but the last are put on the stack, or into the lists there that each is alone
    in, and `machine.resume` is behind it.
    """
    form, last = source.form, machine.repeats[-1] if machine.repeats else None
    if any(node.depth != depth or node.weight != weight for node, depth, weight in form.extents):
        return None
    between = None if last is None or last.form is not form else _joined(machine, source, last, at)
    repeats = Repeats(form, len(machine.memo)) if last is None or between is None else last
    if not read_object(machine, source, at, repeats):
        return None
    if repeats is last:
        repeats.between = between
    else:
        machine.repeats.append(repeats)
    first = len(repeats.rows) - 1
    while (room := first + _RUN - len(repeats.rows)) > 0:
        if source.alike and not repeats.between and (more := read_alike(machine, source, repeats, room)):
            repeats.between = b""
            room -= more
        between = _next(machine, source, machine.resume) if room else None
        if between is None or repeats.between not in (None, between):
            break
        if not read_object(machine, source, machine.resume + len(between), repeats):
            break
        repeats.between = between
    return _put(machine, source, [row[1] for row in repeats.rows[first:]], repeats.between or b"")


def _joined(machine: Machine, source: Global, last: Repeats, at: int) -> bytes | None:
    """What stands between the objects of `last` and the one at `at`, if that is one more of them."""
    for between in (b"", IN_LISTS):
        if last.end + len(between) == at and last.between in (None, between):
            return between if not between or _is_in_lists(machine, source, last.end) else None
    return None


def _next(machine: Machine, source: Global, at: int) -> bytes | None:
    """What stands at `at`, behind an object of `source`, before the next; None if there is none."""
    view, get, behind = machine.data.view, source.form.get, at + len(IN_LISTS)
    if 0 <= machine.frame_end <= at:
        return None
    if view[at : at + len(get)] == get:
        return b""
    if 0 <= machine.frame_end <= behind or view[behind : behind + len(get)] != get:
        return None
    return IN_LISTS if _is_in_lists(machine, source, at) else None


def _is_in_lists(machine: Machine, source: Global, at: int) -> bool:
    """Whether the opcodes at `at` put an object into the list below, of which nobody knows, and begin another."""
    below = machine.stack[-1] if machine.stack else None
    if machine.data.view[at : at + len(IN_LISTS)] != IN_LISTS or source.watched or source.form.shares:
        return False
    return below.__class__ is Bag and below.kind == "list" and not below.owned


def _put(machine: Machine, source: Global, places: list[int], between: bytes) -> Made:
    """What the stretches that begin at `places` leave. All but the last go to the stack.

    Those are one thing to the analysis, unless they are watched: they are all as deep and as heavy, and no pickler does
    anything to an object that another one stands upon. If a file does, it counts for all of them.
    """
    ends = [*(place - len(between) for place in places[1:]), machine.resume]
    if between and len(places) > 1:
        before = len(machine.memo)
        made = _made(machine, source, places[0], ends[0])
        _put_in_lists(machine, made, machine.memo[before:], ends[0], len(places) - 1)
    elif source.watched:
        for at, end in zip(places[:-1], ends, strict=False):
            machine.stack.append(_made(machine, source, at, end))
    elif len(places) > 1:
        more = len(places) - 2
        before = len(machine.memo)
        machine.stack.append(_made(machine, source, places[0], ends[0]))
        machine.stack += machine.stack[-1:] * more
        machine.memo += machine.memo[before:] * more
    return _made(machine, source, places[-1], ends[-1])


def _put_in_lists(machine: Machine, made: Made, entries: list[Node], at: int, lists: int) -> None:
    """APPEND at `at` puts `made` into the list on the stack; so many lists follow, with one like it in each but the
    last. Each object makes these `entries` of the memo."""
    stack, memo = machine.stack, machine.memo
    machine.at = at
    fill(machine, stack[-1], [made], op.APPEND)
    full = Bag("list")
    if lists > 1:
        stack.append(full)
        memo.append(full)
        memo += entries
        fill(machine, full, [made], op.APPEND)
    for _ in range(lists - 2):
        bag = full.copy()
        stack.append(bag)
        memo.append(bag)
        memo += entries
    last = Bag("list")
    stack.append(last)
    memo.append(last)


def _made(machine: Machine, source: Global, at: int, end: int) -> Made:
    """What the stretch from `at` to `end` leaves. Parts of it are not kept: if one is asked for, all is read anew."""
    form: Form = source.form
    last = form.objects[-1]
    made = Made(source, None, at, watched=source.watched)
    made.build, made.finished, made.depth, made.weight = end - 1, True, form.depth, form.weight
    nodes: list[Node] = [machine.forgotten] * form.memoised
    if last.memo is not None:
        nodes[last.memo] = made
        made.memo = len(machine.memo) + last.memo if source.watched else None
    machine.memo += nodes
    return made
