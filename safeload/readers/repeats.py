"""Objects that a stream writes again and again, read in one step.

The trees of a forest differ in nothing but numbers, bytes and arrays: the same opcodes ask the memo for the same
entries. From one of them, read opcode by opcode, a *form* is learnt: regular expressions for what stands between raw
arrays and byte strings. What a form matches has the same meaning as what it was learnt from, so only places are
noted. What does not match is read opcode by opcode, with the same result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.layouts import ArrayForm, Constant, Form, Leaf, Raw, Segment, Short, Stored
from safeload.readers.nodes import Global, Made, Place
from safeload.readers.observations import arrays_of
from safeload.readers.sketch import Sketch
from safeload.readers.states import bytes_of
from safeload.readers.wrappers import MATCH

if TYPE_CHECKING:
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node
    from safeload.readers.observations import ArrayData

__all__ = ["learn"]

_DTYPE = ("numpy", "dtype")  # read again for the arrays that have them
_OPCODES_MAX = 1_000
_SEGMENTS_MAX = 32
_TRIES = 3
_PATIENCE = 2  # objects that are part of others may be learnt with these
_SHORT_STRETCH = 64  # of which there has to be a third, or to learn it takes longer than to read it
_STATE_MAX = 100  # entries of the stack
# To put a form together takes a thousand times as long as to read an opcode: so many opcodes of a stream, and so many
# bytes for one more.
_LEARNT_FLOOR, _LEARNT_RATIO = 5_000, 256
_SHORT_BYTES = 64  # of texts that are the same each time, since nobody counts what copies them
_SHORT_MAX = 16  # of bytes that are matched with the opcodes
_GETS = {op.BINGET: 2, op.LONG_BINGET: 5}
_BYTES = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8}
_LONG = {**_BYTES, op.BINUNICODE: 4, op.BINUNICODE8: 8}
_SIZED = {**_LONG, op.SHORT_BINUNICODE: 1}
_PYTHON_2 = op.TEXT_LEAVES | {op.SHORT_BINSTRING, op.BINSTRING}  # of any length
_TEXTS = frozenset({op.SHORT_BINUNICODE, op.BINUNICODE, op.BINUNICODE8})
_LEAF = rb"[N\x88\x89]|K.|M..|J.{4}|G.{8}"
_IMMUTABLE, _MUTABLE = rb"(C.|B.{4}|\x8e.{8})", rb"(\x96.{8})"


def learn(machine: Machine, target: Made, end: int) -> Form | None:
    """The form of the object that was BUILT just now, if one can be told. Its class will not be asked for ever."""
    source, place = target.source, target.source.got if target.source else None
    if source is None or place is None or source.tries >= _TRIES or machine.facts or source.key == _DTYPE:
        return None
    if _has_bytes(machine, target):  # what copies an array is counted, by whoever looks into it
        return None
    most = 1 if end - place.at < _SHORT_STRETCH else _PATIENCE if _is_part(machine) else 0
    if source.waited < most:
        source.waited += 1
        return None
    source.tries += 1
    if machine.form_reader is None or machine.spent.on_keys != place.on_keys:  # keys are counted
        return None
    if machine.spent.learnt > _LEARNT_FLOOR + machine.data.size // _LEARNT_RATIO:
        return None
    learner = _Learner(machine, place, end)
    segments, objects = learner.segments(), learner.sketch.objects(source.index)
    if segments is None or objects is None:
        return None
    source.recent, source.missed = [()] * len(segments), [0] * len(segments)
    get = bytes(machine.data.view[place.at : place.at + _GETS[machine.data.view[place.at]]])
    memoised, shares = learner.sketch.memoised, learner.shares
    unframed = not any(segment.framed or segment.array for segment in segments)
    extents = tuple(learner.extents)
    return Form(get, tuple(segments), objects, memoised, target.depth, target.weight, shares, extents, unframed)


def _has_bytes(machine: Machine, made: Made) -> bool:
    """Whether it is an array, or something else that is made from bytes or much text."""
    token = bytes_of(made)
    return token.__class__ is int and (machine.data.view[token] in _LONG or machine.data.view[token] in _PYTHON_2)


def _is_part(machine: Machine) -> bool:
    """Whether the object on top of the stack stands in the state of another, whose form is about to be learnt."""
    for node in machine.stack[-_STATE_MAX:-1]:
        if isinstance(node, Made) and node.build is None and node.source is not None:
            got = node.source.got
            if got is not None and got.at < node.offset and node.source.form is None and node.source.tries < _TRIES:
                return True
    return False


class _Learner:
    """Walks once more over opcodes that were analysed, and writes down what they look like."""

    def __init__(self, machine: Machine, place: Place, end: int) -> None:
        self._machine, self._view, self._place = machine, machine.data.view, place
        self._at, self._end = place.at, end
        arrays = self._own_arrays() if self._is_short() else []
        self._arrays = {array.whole.start: array for array in arrays if array.whole}
        self._odd = len(self._arrays) != len(arrays) or not self._is_short()
        self._segments: list[Segment] = []
        self.shares = False
        self.extents: list[tuple[Made, int, int]] = []
        self.sketch = Sketch(machine.memo)
        self._begin()

    def _own_arrays(self) -> list[ArrayData]:
        repeated = (array for repeats in self._machine.repeats[self._place.repeats :] for array in arrays_of(repeats))
        return [*self._machine.arrays[self._place.arrays :], *repeated]

    def _is_short(self) -> bool:
        """Before anything is done that takes as long as the stretch is."""
        machine, place = self._machine, self._place
        counts = (
            len(machine.memo) - place.memo,
            len(machine.arrays) - place.arrays,
            machine.repeated - place.repeated,
        )
        return max(counts) <= _OPCODES_MAX

    def _begin(self) -> None:
        self._pattern, self._groups, self._longest, self._framed = b"", 0, 0, False
        self._leaves: list[int] = []
        self._said = bytearray()  # what stands literally, and is not in the pattern yet

    def segments(self) -> list[Segment] | None:
        for _ in range(_OPCODES_MAX):
            self._machine.spent.learnt += 1
            if self._odd or self.sketch.odd or len(self._segments) > _SEGMENTS_MAX:
                return None
            if self._at >= self._end:
                self._close(None, raw=False)
                return self._segments if self._at == self._end else None
            self._step()
        return None

    def _step(self) -> None:
        kind, at = self._view[self._at], self._at
        if at in self._arrays:
            self._array(self._arrays[at])
        elif op.LEAF_SIZES[kind]:
            self._leaf(op.LEAF_SIZES[kind])
        elif kind in _GETS:
            self._get(_GETS[kind])
        elif kind in _BYTES:
            self._raw(kind, _BYTES[kind])
        elif kind == op.FRAME:
            self._frame()
        else:
            if kind == op.BUILD:
                self.sketch.build(len(self._segments), self._group(b""))
            else:
                self.sketch.step(kind)
            self._literal(1)

    def _leaf(self, width: int) -> None:
        self._leaves.append(self._groups)
        self.sketch.push(Leaf(len(self._segments), self._group(_LEAF)))
        self._at += width
        self._longest += 9

    def _get(self, width: int) -> None:
        get = bytes(self._view[self._at : self._at + width])
        key = int.from_bytes(get[1:], "little")
        self._odd = not self._is_constant(key)
        node = self._machine.memo[key]
        if node.__class__ is Made and not (node.source is not None and node.source.key == _DTYPE):
            # It may hold one that gets its state, or items, later; and then it weighs more.
            self.shares = True
            self.extents.append((node, node.depth, node.weight))
        if node.__class__ is Global:
            self.sketch.push(Constant(get, node.key, len(self._segments), self._group(b"")))
        else:
            self.sketch.push(Constant(get, text=self._text(node)))
        self._literal(width)

    def _text(self, node: Node) -> str | None:
        """Short text that is text for the unpickler too, and not bytes."""
        is_text = node.__class__ is int and self._view[node] in _TEXTS
        text = self._machine.data.short_string(node) if is_text else None
        return None if text is None or "\ufffd" in text else text  # this may stand for half of a surrogate pair

    def _frame(self) -> None:
        self._odd = self._longest > 0 or not self._segments
        self._framed = True
        self._group(rb"\x95.{8}")
        self._at += 9
        self._longest += 9

    def _is_constant(self, key: int) -> bool:
        """Whether the memo entry means the same each time: a plain value, a global, a finished object."""
        node: Node = self._machine.memo[key] if key < self._place.memo else None
        if node.__class__ is int:
            width = _SIZED.get(self._view[node])
            if width is not None:
                return self._machine.data.number(node + 1, width) < _SHORT_BYTES
            return self._view[node] not in _PYTHON_2
        if node.__class__ is Made:
            if node.watched and (not node.finished or node.memo != key):
                return False
            return not _has_bytes(self._machine, node)  # of an array each use counts
        return node.__class__ is Global

    def _group(self, pattern: bytes) -> int:
        self._add(b"(" + pattern + b")")
        self._groups += 1
        return self._groups

    def _literal(self, width: int) -> None:
        self._said += self._view[self._at : self._at + width]
        self._at += width
        self._longest += width

    def _add(self, pattern: bytes) -> None:
        self._pattern += re.escape(bytes(self._said)) + pattern
        self._said.clear()

    def _array(self, array: ArrayData) -> None:
        match = MATCH.match(self._view, self._at + _GETS[self._view[self._at]])
        if match is None or match.end() != array.end_of_build or array.whole is None:
            self._odd = True
            return
        head, tail = bytes(self._view[self._at : match.start(4)]), bytes(self._view[match.end(4) : match.end()])
        self._group(b"")
        self._said += head
        self._group(rb"(?:K.|M..|J.{4}){0,3}")
        self._said += tail
        self._longest += len(head) + len(tail) + 16
        whole = array.whole
        form = ArrayForm(
            array.dtype,
            len(array.shape),
            array.itemsize,
            whole.order,
            whole.memoised,
            whole.get_dtype,
            array.consumed and not self._machine.open,  # else what copies it may be around these objects only
        )
        self.sketch.stored(Stored(len(self._segments), form), whole.memoised)
        self._close(form, raw=False)
        self._at = array.end

    def _raw(self, kind: int, width: int) -> None:
        mutable = kind == op.BYTEARRAY8
        length = self._machine.data.number(self._at + 1, width)
        if length <= _SHORT_MAX:  # as long each time, or it is another form
            self._literal(1 + width)
            self.sketch.push(Short(len(self._segments), self._group(b".{%d}" % length), mutable))
            self._at += length
            self._longest += length
            return
        self.sketch.push(Raw(len(self._segments), mutable))
        self._group(_MUTABLE if mutable else _IMMUTABLE)
        self._longest += 9
        self._close(None, raw=True)
        self._at += 1 + width + length

    def _close(self, array: ArrayForm | None, *, raw: bool) -> None:
        self._add(b"")
        pattern = re.compile(self._pattern, re.DOTALL)
        self._segments.append(Segment(pattern, self._framed, array, raw, self._longest, _slices(self._leaves)))
        self._begin()


def _slices(places: list[int]) -> tuple[slice, ...]:
    """The same places, as few slices."""
    starts = [place for place in places if place - 1 not in places]
    ends = [place + 1 for place in places if place + 1 not in places]
    return tuple(map(slice, starts, ends))
