"""Objects that a stream writes again and again, read in one step.

The trees of a forest differ in nothing but numbers, bytes and arrays: the same opcodes ask the memo for the same
entries. From one of them, read opcode by opcode, a *form* is learnt: regular expressions for what stands between raw
arrays and byte strings. What a form matches has the same meaning as what it was learnt from, so only places are
noted. What does not match is read opcode by opcode, with the same result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from safeload.readers import opcodes as op
from safeload.readers.nodes import Global, Made, Place
from safeload.readers.wrappers import MATCH

if TYPE_CHECKING:
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node
    from safeload.readers.observations import ArrayData

__all__ = ["Form", "Segment", "learn"]

_DTYPE = ("numpy", "dtype")
_OPCODES_MAX = 1_000
_SEGMENTS_MAX = 32
_TRIES = 3
_SHORT_BYTES = 256
# How many items each takes from the stack, and how many it leaves.
_SIMPLE = {
    op.MEMOIZE: (1, 1),
    op.EMPTY_TUPLE: (0, 1),
    op.EMPTY_DICT: (0, 1),
    op.EMPTY_LIST: (0, 1),
    op.TUPLE1: (1, 1),
    op.TUPLE2: (2, 1),
    op.TUPLE3: (3, 1),
    op.SETITEM: (3, 1),
    op.APPEND: (2, 1),
    op.NEWOBJ: (2, 1),
    op.REDUCE: (2, 1),
    op.BUILD: (2, 1),
}
# These take what is above the last mark; all but TUPLE put it into what is below.
_TO_MARK = {op.TUPLE: 0, op.SETITEMS: 1, op.APPENDS: 1}
_GETS = {op.BINGET: 2, op.LONG_BINGET: 5}
_BYTES = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8}
_LONG = {**_BYTES, op.BINUNICODE: 4, op.BINUNICODE8: 8}
_LEAF = rb"(?:[N\x88\x89]|K.|M..|J.{4}|G.{8})"
_HEADER = rb"(?:C(.)|B(.{4})|[\x8e\x96](.{8}))"


class Segment(NamedTuple):
    """Opcodes up to the next raw bytes. Groups of `pattern`: the frame's length if `framed`, one for each BUILD, then
    the start of the wrapper and its shape (`array`), or the lengths of a byte string (`raw`)."""

    pattern: re.Pattern[bytes]
    framed: bool
    builds: tuple[int, ...]
    array: ArrayData | None
    raw: bool
    longest: int


@dataclass(frozen=True, slots=True)
class Form:
    """`objects` are what was learnt from, in the order of BUILDs, each with its memo key, counted from the first (-1:
    none); `memoised` is how many entries the memo gets."""

    segments: tuple[Segment, ...]
    objects: tuple[tuple[Made, int], ...]
    memoised: int


def learn(machine: Machine, target: Made, end: int) -> Form | None:
    """The form of the object that was BUILT just now, if one can be told. Its class will not be asked for ever."""
    source, place = target.source, target.source.got if target.source else None
    if source is None or place is None or source.tries >= _TRIES or machine.facts:
        return None
    source.tries += 1
    lengths = len(machine.made) - place.made, len(machine.memo) - place.memo, len(machine.arrays) - place.arrays
    if max(lengths) > _OPCODES_MAX or machine.form_reader is None:
        return None  # before anything is done that takes as long as the stretch is
    objects = sorted(machine.made[place.made :], key=lambda made: made.build or 0)
    known: dict[int, list[int]] = {}
    for key, node in enumerate(machine.memo[place.memo :]):
        known.setdefault(id(node), []).append(key)
    if not objects or objects[-1] is not target or any(made.build is None for made in objects):
        return None
    if machine.spent.hashed != place.hashed or any(made.source and made.source.key == _DTYPE for made in objects):
        return None  # keys are counted, and dtypes are read again for the arrays that have them
    segments = _Learner(machine, place, {made.build for made in objects}, end).segments()
    if segments is None:
        return None
    keys = [_key(made, known.get(id(made), []), place.memo) for made in objects]
    if None in keys:
        return None
    return Form(
        tuple(segments),
        tuple((made, key) for made, key in zip(objects, keys, strict=True) if key is not None),
        len(machine.memo) - place.memo,
    )


def _key(made: Made, keys: list[int], first: int) -> int | None:
    """Where in the memo an object stands, counted from `first`; -1 if nowhere.

    None if it has two names, or is watched and got its name later than when it was made: its checkpoint would put it
    under a key that the unpickler does not have yet, and from there on all keys would mean something else.
    """
    if made.watched:
        return keys[0] if len(keys) == 1 and made.memo == first + keys[0] else None
    return (keys or [-1])[0] if len(keys) < 2 else None


class _Learner:
    """Walks once more over opcodes that were analysed, and writes down what they look like."""

    def __init__(self, machine: Machine, place: Place, builds: set[int | None], end: int) -> None:
        self._machine, self._view, self._place, self._builds = machine, machine.data.view, place, builds
        self._at, self._end = place.at, end
        whole = [array for array in machine.arrays[place.arrays :] if array.whole]
        self._arrays = {array.whole.start: array for array in whole if array.whole}
        self._odd = len(whole) != len(machine.arrays) - place.arrays
        self._segments: list[Segment] = []
        self._depth, self._marks = 0, list[int]()  # of the stack, from where the stretch began
        self._begin()

    def _begin(self) -> None:
        self._pattern, self._groups, self._longest = b"", 0, 0
        self._framed, self._found = False, tuple[int, ...]()

    def segments(self) -> list[Segment] | None:
        for _ in range(_OPCODES_MAX):
            if self._odd or len(self._segments) > _SEGMENTS_MAX:
                return None
            if self._at >= self._end:
                self._close(None, raw=False)
                return self._segments if (self._at, self._depth, self._marks) == (self._end, 1, []) else None
            self._step()
        return None

    def _step(self) -> None:
        kind, at = self._view[self._at], self._at
        if at in self._arrays:
            self._array(self._arrays[at])
        elif op.LEAF_SIZES[kind]:
            self._depth += 1
            self._emit(_LEAF, op.LEAF_SIZES[kind], 9)
        elif kind in _GETS:
            self._depth += 1
            self._odd = not self._is_constant(self._machine.data.number(at + 1, _GETS[kind] - 1))
            self._literal(_GETS[kind])
        elif kind in _BYTES:
            self._raw(_BYTES[kind])
        elif kind == op.FRAME:
            self._frame()
        else:
            self._odd = not self._moves(kind)
            if kind == op.BUILD and at in self._builds:
                self._groups += 1
                self._found += (self._groups,)
                self._emit(b"()", 0, 0)
            self._literal(1)

    def _moves(self, kind: int) -> bool:
        """What the opcode does to the stack; whether it leaves alone what was there before the stretch."""
        if kind == op.MARK:
            self._marks.append(self._depth)
            return True
        if kind in _TO_MARK:
            if not self._marks:
                return False
            self._depth = self._marks.pop() + 1 - _TO_MARK[kind]
            return self._depth > 0
        takes, leaves = _SIMPLE.get(kind, (1 << 30, 0))
        self._depth -= takes
        fits = self._depth >= (self._marks[-1] if self._marks else 0)
        self._depth += leaves
        return fits

    def _frame(self) -> None:
        self._odd = bool(self._pattern) or not self._segments
        self._framed, self._groups = True, 1
        self._emit(rb"\x95(.{8})", 9, 9)

    def _is_constant(self, key: int) -> bool:
        """Whether the memo entry means the same each time: a plain value, a global, a finished object."""
        node: Node = self._machine.memo[key] if key < self._place.memo else None
        if node.__class__ is int:
            width = _LONG.get(self._view[node])
            return width is None or self._machine.data.number(node + 1, width) < _SHORT_BYTES
        if node.__class__ is Made:  # of an array each use counts
            return node.source is not None and node.source.key == _DTYPE and node.memo == key
        return node.__class__ is Global

    def _emit(self, pattern: bytes, width: int, longest: int) -> None:
        self._pattern += pattern
        self._at += width
        self._longest += longest

    def _literal(self, width: int) -> None:
        self._emit(re.escape(bytes(self._view[self._at : self._at + width])), width, width)

    def _array(self, array: ArrayData) -> None:
        match = MATCH.match(self._view, self._at + _GETS[self._view[self._at]])
        if match is None or match.end() != array.end_of_build:
            self._odd = True
            return
        head, tail = bytes(self._view[self._at : match.start(4)]), bytes(self._view[match.end(4) : match.end()])
        self._pattern += b"()" + re.escape(head) + rb"((?:K.|M..|J.{4}){0,3})" + re.escape(tail)
        self._longest += len(head) + len(tail) + 16
        self._depth += 1
        self._close(array, raw=False)
        self._at = array.end

    def _raw(self, width: int) -> None:
        self._depth += 1
        self._pattern += b"()" + _HEADER
        self._longest += 9
        length = self._machine.data.number(self._at + 1, width)
        self._close(None, raw=True)
        self._at += 1 + width + length

    def _close(self, array: ArrayData | None, *, raw: bool) -> None:
        pattern = re.compile(self._pattern, re.DOTALL)
        self._segments.append(Segment(pattern, self._framed, self._found, array, raw, self._longest))
        self._begin()
