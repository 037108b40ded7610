"""Objects of one form without the unpickler: made from the places that the analysis noted, part by part for many.

Each part of an object is a function that makes a column: that part of each of some objects. The same guards, stubs,
finishers and checkpoints see the same arguments and states as in the unpickler's turn.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_reader
from safeload.engine.contracts.numpy import inline_reader, scalar_reader
from safeload.engine.restoring import restore
from safeload.engine.stubs import Stub
from safeload.errors import CodecError
from safeload.readers.layouts import Built, Call, Constant, Leaf, Raw, Several, Short, Stored, Table
from safeload.readers.rows import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.readers.layouts import Part
    from safeload.readers.observations import GlobalUse, Stream

    Columns = Sequence[Sequence[Any]]  # of rows as in ``Repeats``
    Make = Callable[[Columns], list[Any]]

__all__ = ["Meaning"]


class Meaning:
    """What makes the parts of objects, given what all of them have in common: by the opcode that fetches it, the
    object."""

    def __init__(self, given: Mapping[bytes, Any], stream: Stream, memory: Memory, checkpoints: Checkpoints) -> None:
        self._given, self._stream, self._memory, self._checkpoints = given, stream, memory, checkpoints

    def of(self, part: Part) -> Make:
        if type(part) is Leaf:
            return self._leaf(part)
        if type(part) is Constant:
            return self._constant(part)
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

    def _leaf(self, leaf: Leaf) -> Make:
        column, place = leaf.segment * WIDTH, leaf.group - 1
        return lambda columns: [found.values[place] for found in columns[column]]

    def _constant(self, part: Constant) -> Make:
        value = self._given[part.get]
        return lambda columns: [value] * len(columns[0])

    def _bytes(self, part: Raw | Short) -> Make:
        view, column = self._memory.view, part.segment * WIDTH
        kind = bytearray if part.mutable else bytes
        if type(part) is Short:
            place = part.group - 1
            return lambda columns: [kind(found.values[place]) for found in columns[column]]

        def make(columns: Columns) -> list[Any]:
            pairs = zip(columns[column], columns[column + 2], strict=True)
            return [kind(view[start : start + found.size]) for found, start in pairs]

        return make

    def _stored(self, stored: Stored) -> Make:
        column, like = stored.segment * WIDTH, stored.like
        read = array_reader(
            self._memory, self._given[like.get_dtype], like.order, itemsize=like.itemsize, consumed=like.consumed
        )

        def make(columns: Columns) -> list[Any]:
            pairs = zip(columns[column], columns[column + 2], strict=True)
            return read([(start, found.size, found.shape) for found, start in pairs])

        return make

    def _several(self, several: Several) -> Make:
        parts = several.parts
        if not parts:
            return lambda columns: [()] * len(columns[0])
        leaves = [part for part in parts if type(part) is Leaf]
        if len(leaves) == len(parts) and len({leaf.segment for leaf in leaves}) == 1:
            get, column = _getter([leaf.group - 1 for leaf in leaves]), leaves[0].segment * WIDTH
            return lambda columns: [get(found.values) for found in columns[column]]
        makers = [self.of(part) for part in parts]
        return lambda columns: list(zip(*[make(columns) for make in makers], strict=True))

    def _table(self, table: Table) -> Make:
        """A dict of its own each time: what is common, and what one segment says, is put together once where it says
        the same; then the rest."""
        parts = dict(zip([self._given[key.get] for key in table.keys], table.values, strict=True))
        column = next((part.segment for part in parts.values() if type(part) is Leaf), 0) * WIDTH
        common: list[Any] = [None]
        places: dict[str, int] = {}  # in what is common and what the segment says
        rest: dict[str, Make] = {}
        for name, part in parts.items():
            if type(part) is Constant:
                places[name] = len(common)
                common.append(self._given[part.get])
        for name, part in parts.items():
            if type(part) is Leaf and part.segment * WIDTH == column:
                places[name] = len(common) + part.group - 1
            elif type(part) is not Constant:
                rest[name] = self.of(part)
        names, known, get = tuple(parts), tuple(common), _getter([places.get(name, 0) for name in parts])

        def make(columns: Columns) -> list[Any]:
            distinct = {id(found): found for found in columns[column]}
            bases = {key: dict(zip(names, get(known + found.values), strict=True)) for key, found in distinct.items()}
            # One that is used once is nobody else's.
            alone = len(bases) == len(columns[column])
            tables = list(bases.values()) if alone else [bases[id(found)].copy() for found in columns[column]]
            for name, part in rest.items():
                for one, value in zip(tables, part(columns), strict=True):
                    one[name] = value
            return tables

        return make

    def _call(self, call: Call) -> Make:
        known = self._known_call(call)
        if known is not None:
            return known
        callee, args = self._given[call.callee.get], self.of(call.args)
        if not call.new:
            return lambda columns: [callee(*each) for each in args(columns)]
        if not isinstance(callee, type):
            raise CodecError("something is instantiated that is not a class")
        new = callee.__new__
        return lambda columns: [new(callee, *each) for each in args(columns)]

    def _known_call(self, call: Call) -> Make | None:
        """numpy's ``_frombuffer(bytes, dtype, shape, "C")`` and ``scalar(dtype, bytes)``, for many at once."""
        key, read = call.callee.key, None
        match call.args.parts:
            case ((Raw() | Short()) as data, Constant() as dtype, (Leaf() | Several()) as sizes, Constant(text="C")):
                read = None if call.new else inline_reader(key, self._given[dtype.get])
                pieces, shapes = self.of(data._replace(mutable=True)), self.of(sizes)
                return None if read is None else lambda columns: read(pieces(columns), shapes(columns))
            case (Constant() as dtype, Short(mutable=False) as data):
                scalars = None if call.new else scalar_reader(key, self._given[dtype.get])
                items = self.of(data)
                return None if scalars is None else lambda columns: scalars(items(columns))
        return None

    def _built(self, built: Built) -> Make:
        used, state = self._stream.globals[built.source], self.of(built.state)
        if built.watched:
            return self._finished(built, used, state)
        value, keep = self.of(built.call), self._checkpoints.keep_all
        before = self._checkpoints.before(used, _names(built.state))

        def make(columns: Columns) -> list[Any]:
            values, states = value(columns), state(columns)
            restore(values, states if before is None else list(map(before, states)))
            keep(values)
            return values

        return make

    def _finished(self, built: Built, used: GlobalUse, state: Make) -> Make:
        """What the stubs of a contract become: made without the stubs, if the contract knows how."""
        callee, many = self._given[built.call.callee.get], self._checkpoints.finisher_of_many(used)
        if many is not None and isinstance(callee, type) and issubclass(callee, Stub):
            args = self.of(built.call.args)
            return lambda columns: many(args(columns), state(columns))
        stub, finish = self.of(built.call), self._checkpoints.finisher(used)

        def make(columns: Columns) -> list[Any]:
            stubs = stub(columns)
            for one, given in zip(stubs, state(columns), strict=True):
                one.__setstate__(given)
            return [finish(one) for one in stubs]

        return make


def _getter(places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What takes these places of a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    (place,) = places or (0,)
    return (lambda values: (values[place],)) if places else lambda values: ()


def _names(state: Part) -> frozenset[str] | None:
    return frozenset(str(key.text) for key in state.keys) if type(state) is Table else None
