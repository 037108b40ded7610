"""Objects of one form, made from the places that the analysis noted: their stretch of the stream is not unpickled.

What the unpickler would give to a class, a guard or a stub is given to them here: the same arguments and the same
state. What all objects of the form have in common is asked once, and part after part is made for all of them at once: a
forest has a thousand arrays and three hundred trees, and each opcode, stub and checkpoint of theirs costs time.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_reader
from safeload.engine.contracts.numpy import inline_reader
from safeload.engine.restoring import restore
from safeload.errors import CodecError
from safeload.readers import opcodes as op
from safeload.readers.layouts import Built, Call, Constant, Leaf, Raw, Several, Short, Stored, Table

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.engine.rewrite import Checkpoint
    from safeload.readers.layouts import Part, Repeat
    from safeload.readers.observations import Stream

__all__ = ["Meaning"]

_MARK, _TUPLE = bytes([op.MARK]), bytes([op.TUPLE])
_AT_ONCE = 64  # so few that their arrays are still in the processor's cache
_PLAIN = {op.NONE: None, op.NEWTRUE: True, op.NEWFALSE: False}


class Meaning:
    """What makes the objects of one form in one stream."""

    def __init__(self, built: Built, stream: Stream, memory: Memory, checkpoints: Checkpoints) -> None:
        self._root = built
        self._stream, self._memory, self._checkpoints = stream, memory, checkpoints
        self._gets = tuple(dict.fromkeys(_gets(built)))
        self._given: dict[bytes, Any] = {}
        self._repeats: list[Repeat] = []

    @property
    def opcodes(self) -> bytes:
        """What pushes the argument of the first maker for its first object: what all have in common, from the memo,
        where nothing overwrites it. The others need none."""
        return _MARK + b"".join(self._gets) + _TUPLE

    def maker(self, repeats: list[Repeat]) -> Checkpoint:
        """What gives one after the other of these objects, and makes some before their turn."""
        values = self._in_turn(repeats)

        def make(given: Any) -> Any:
            if given is not None:
                self._given = dict(zip(self._gets, given, strict=True))
            return next(values)

        return make

    def _in_turn(self, repeats: list[Repeat]) -> Iterator[Any]:
        for first in range(0, len(repeats), _AT_ONCE):
            self._repeats = repeats[first : first + _AT_ONCE]
            yield from self._built(self._root)

    # Each of the following gives one value for each of the repeats.

    def _of(self, part: Part) -> list[Any]:
        if type(part) is Leaf:
            group = part.group
            return self._once(part.segment, lambda match: _value(match[group]))
        if type(part) is Constant:
            return [self._given[part.get]] * len(self._repeats)
        if type(part) is Raw or type(part) is Short:
            return self._bytes(part)
        if type(part) is Stored:
            return self._stored(part)
        if type(part) is Several:
            return self._several(part)
        if type(part) is Table:
            return self._table(part)
        if type(part) is Call:
            return self._call(part)
        assert type(part) is Built  # noqa: S101  # there are no others
        return self._built(part)

    def _once(self, segment: int, function: Callable[[re.Match[bytes]], Any]) -> list[Any]:
        """`function` of what `segment` says in each repeat, called once where it says the same."""
        found = [repeat.found[segment] for repeat in self._repeats]
        values = {key: function(one.match) for key, one in dict(zip(map(id, found), found, strict=True)).items()}
        return [values[key] for key in map(id, found)]

    def _bytes(self, part: Raw | Short) -> list[Any]:
        view, segment = self._memory.view, part.segment
        kind = bytearray if part.mutable else bytes
        if type(part) is Short:
            group = part.group
            return [kind(repeat.found[segment].match[group]) for repeat in self._repeats]
        places = [(repeat.data[segment], repeat.found[segment].size) for repeat in self._repeats]
        return [kind(view[start : start + size]) for start, size in places]

    def _stored(self, stored: Stored) -> list[Any]:
        segment, like = stored.segment, stored.like
        read = array_reader(self._memory, self._given[like.get_dtype], like.order, consumed=like.consumed)
        found = [repeat.found[segment] for repeat in self._repeats]
        starts = [repeat.data[segment] for repeat in self._repeats]
        return [read(start, one.size, one.shape) for start, one in zip(starts, found, strict=True)]

    def _several(self, several: Several) -> list[Any]:
        leaves = [part for part in several.parts if type(part) is Leaf]
        segments = {leaf.segment for leaf in leaves}
        if len(leaves) == len(several.parts) and len(segments) == 1:
            groups = [leaf.group for leaf in leaves]
            return self._once(segments.pop(), lambda match: tuple([_value(match[group]) for group in groups]))
        if not several.parts:
            return [()] * len(self._repeats)
        return list(zip(*map(self._of, several.parts), strict=True))

    def _table(self, table: Table) -> list[Any]:
        """A dict of its own each time: first what is a number or common to all, then the rest."""
        parts = dict(zip([self._given[key.get] for key in table.keys], table.values, strict=True))
        leaves = {name: part for name, part in parts.items() if type(part) is Leaf}
        segments = {leaf.segment for leaf in leaves.values()}
        if len(segments) > 1:
            rows = zip(*map(self._of, parts.values()), strict=True)
            return [dict(zip(parts, row, strict=True)) for row in rows]
        common = {name: self._given[part.get] if type(part) is Constant else None for name, part in parts.items()}
        others = {name: self._of(part) for name, part in parts.items() if type(part) not in (Leaf, Constant)}

        def known(match: re.Match[bytes]) -> dict[str, Any]:
            return common | {name: _value(match[leaf.group]) for name, leaf in leaves.items()}

        tables = [one.copy() for one in self._once(segments.pop() if segments else 0, known)]
        for name, values in others.items():
            for one, value in zip(tables, values, strict=True):
                one[name] = value
        return tables

    def _call(self, call: Call) -> list[Any]:
        arrays = self._inline_arrays(call)
        if arrays is not None:
            return arrays
        callee = self._given[call.callee.get]
        if call.new:
            if not isinstance(callee, type):
                raise CodecError("something is instantiated that is not a class")
            return [callee.__new__(callee, *args) for args in self._of(call.args)]
        return [callee(*args) for args in self._of(call.args)]

    def _inline_arrays(self, call: Call) -> list[Any] | None:
        """numpy's ``_frombuffer(bytes, dtype, shape, "C")``."""
        match call.args.parts:
            case ((Raw() | Short()) as data, Constant() as dtype, (Leaf() | Several()) as sizes, Constant(text="C")):
                read = None if call.new else inline_reader(call.callee.key, self._given[dtype.get])
                if read is not None:
                    return read(self._bytes(data._replace(mutable=True)), self._of(sizes))
        return None

    def _built(self, built: Built) -> list[Any]:
        used, values, states = self._stream.globals[built.source], self._of(built.call), self._of(built.state)
        if built.watched:
            finish = self._checkpoints.finisher(used)
            for stub, state in zip(values, states, strict=True):
                stub.__setstate__(state)
            return [finish(stub) for stub in values]
        before, keep = self._checkpoints.before(used, _names(built.state)), self._checkpoints.keep
        restore(values, states if before is None else list(map(before, states)))
        return [keep(value) for value in values]


def _names(state: Part) -> frozenset[str] | None:
    return frozenset(str(key.text) for key in state.keys) if type(state) is Table else None


def _gets(part: Part) -> Iterator[bytes]:
    """The opcodes that fetch what all objects have in common."""
    match part:
        case Constant(get):
            yield get
        case Stored(_, like):
            yield like.get_dtype
        case Several():
            for each in part.parts:
                yield from _gets(each)
        case Table():
            for each in (*part.keys, *part.values):
                yield from _gets(each)
        case Call(callee, args):
            yield callee.get
            yield from _gets(args)
        case Built(_, call, state):
            yield from _gets(call)
            yield from _gets(state)


@functools.lru_cache(maxsize=10_000)
def _value(opcode: bytes) -> Any:
    """The number, None or bool that one opcode pushes."""
    kind, rest = opcode[0], opcode[1:]
    if kind == op.BINFLOAT:
        return struct.unpack(">d", rest)[0]
    return int.from_bytes(rest, "little", signed=kind == op.BININT) if rest else _PLAIN[kind]
