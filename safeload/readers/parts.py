"""Walks through what an object is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers.layouts import Built, Call, Constant, Several, Stored, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safeload.readers.layouts import Part

__all__ = ["arrays_kept", "depth", "gets_of", "inside"]


def depth(parts: tuple[Part, ...]) -> int:
    """How deep the deepest of `parts` is."""
    return max(map(_depth_of, parts), default=0)


def _depth_of(part: Part) -> int:
    if type(part) is Several or type(part) is Table:
        return part.depth
    if type(part) is Call:
        return part.args.depth
    return max(_depth_of(part.state), part.call.args.depth) + 1 if type(part) is Built else 0


def inside(meaning: Built) -> Iterator[Built]:
    """The finished objects that this one is made of."""
    return (part for part in _walk([meaning.call, meaning.state], lambda _: True) if type(part) is Built)


def arrays_kept(meaning: Built, copied: Callable[[Built], bool]) -> Iterator[Stored]:
    """Its arrays, but for those of objects of which only copies are kept."""
    return (part for part in _walk([meaning], lambda one: not copied(one)) if type(part) is Stored)


def _walk(waiting: list[Part], enters: Callable[[Built], bool]) -> Iterator[Part]:
    """All parts of these, and of the objects among them that it `enters`."""
    while waiting:
        part = waiting.pop()
        yield part
        if type(part) is Built and enters(part):
            waiting += [part.call, part.state]
        elif type(part) is Call:
            waiting.append(part.args)
        elif type(part) is Several:
            waiting += part.parts
        elif type(part) is Table:
            waiting += part.values


def gets_of(part: Part) -> Iterator[bytes]:
    """The opcodes that fetch what all objects have in common."""
    match part:
        case Constant(get):
            yield get
        case Stored(_, like):
            yield like.get_dtype
        case Several():
            for each in part.parts:
                yield from gets_of(each)
        case Table():
            for each in (*part.keys, *part.values):
                yield from gets_of(each)
        case Call(callee, args):
            yield callee.get
            yield from gets_of(args)
        case Built(_, call, state):
            yield from gets_of(call)
            yield from gets_of(state)
