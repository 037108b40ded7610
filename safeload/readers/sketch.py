"""What the opcodes of a form make of its parts: a stack that holds what an object is made of, without any values.

It knows only what picklers write for objects that repeat; whatever else comes up makes the form `odd`, which costs
nothing but time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.layouts import Built, Call, Constant, FormObject, Leaf, Raw, Several, Short, Stored, Table
from safeload.readers.nodes import Global
from safeload.readers.parts import depth, inside

if TYPE_CHECKING:
    from safeload.readers.layouts import Part
    from safeload.readers.nodes import Node

__all__ = ["Sketch"]

# dtypes are read again for the arrays that have them; the other two make or fetch something else than they seem to.
_ODD = frozenset({("numpy", "dtype"), ("copyreg", "_reconstructor"), ("builtins", "getattr")})
_DEPTH_MAX = 20  # parts are made by functions that call one another
_TUPLES = {op.EMPTY_TUPLE: 0, op.TUPLE1: 1, op.TUPLE2: 2, op.TUPLE3: 3}


class _Dict:
    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[_Item] = []

    def keys(self) -> tuple[Constant, ...] | None:
        """If all of them are short texts, and different."""
        keys = tuple(key for key in self.items[::2] if type(key) is Constant and key.text is not None)
        return keys if len({key.text for key in keys}) * 2 == len(self.items) else None


class _Object:
    """Made from `source`; `before` is how many memo entries there were when that was fetched, `keys` are its own.

    `call` is None where it was not made by a plain call. With a `record`, it has got its state.
    """

    __slots__ = ("before", "call", "fresh", "keys", "record", "source")

    def __init__(self, source: Global, call: Call | None, before: int) -> None:
        self.source, self.call, self.before = source, call, before
        self.keys: list[int] = []
        self.fresh = True  # nothing has happened since
        self.record: FormObject | None = None


# None is what no watched object is ever made of.
_Item = Leaf | Constant | Raw | Short | Stored | Several | Table | Call | Built | _Dict | _Object | None


class Sketch:
    """`memo` is the machine's."""

    def __init__(self, memo: list[Node]) -> None:
        self._memo = memo
        self._stack: list[_Item] = []
        self._marks: list[int] = []
        self._made: list[_Object] = []
        self._built: list[_Object] = []
        self._before: dict[tuple[int, int], int] = {}
        self.memoised = 0
        self.odd = False

    def push(self, item: _Item) -> None:
        self._settle()
        if type(item) is Constant:
            self._before[item.segment, item.group] = self.memoised
        self._stack.append(item)

    def stored(self, item: Stored, memoised: int) -> None:
        self.push(item)
        self.memoised += memoised

    def _global(self, constant: Constant) -> Global:
        node = self._memo[int.from_bytes(constant.get[1:], "little")]
        assert isinstance(node, Global)  # noqa: S101  # it has a key
        return node

    def _settle(self) -> None:
        for made in self._made[-1:]:
            made.fresh = False

    # --- opcodes --------------------------------------------------------------------------------

    def step(self, kind: int) -> None:
        """An opcode without an argument, and not BUILD."""
        if kind == op.MEMOIZE:
            self._memoise()
            return
        self._settle()
        if kind == op.MARK:
            self._marks.append(len(self._stack))
        elif kind in _TUPLES:
            self._push_tuple(self._take(_TUPLES[kind]))
        elif kind == op.TUPLE:
            self._push_tuple(self._take_to_mark())
        elif kind == op.EMPTY_DICT:
            self._stack.append(_Dict())
        elif kind == op.EMPTY_LIST:
            self._stack.append(None)
        elif kind == op.SETITEM:
            self._fill(self._take(2), is_dict=True)
        elif kind == op.APPEND:
            self._fill(self._take(1), is_dict=False)
        elif kind in (op.SETITEMS, op.APPENDS):
            self._fill(self._take_to_mark(), is_dict=kind == op.SETITEMS)
        elif kind in (op.NEWOBJ, op.REDUCE):
            self._make(kind)
        else:
            self.odd = True

    def _take(self, count: int) -> list[_Item]:
        floor = len(self._stack) - count
        if floor < (self._marks[-1] if self._marks else 0):  # what was there before the stretch is left alone
            self.odd = True
            return [None] * count
        items = self._stack[floor:]
        del self._stack[floor:]
        return items

    def _take_to_mark(self) -> list[_Item]:
        if not self._marks:
            self.odd = True
            return []
        items = self._stack[self._marks[-1] :]
        del self._stack[self._marks.pop() :]
        return items

    def _memoise(self) -> None:
        top = self._stack[-1] if self._stack else None
        if type(top) is _Object:
            top.keys.append(self.memoised)
            # Its checkpoint would put it under a key that the unpickler does not have yet, and from there on all keys
            # would mean something else.
            self.odd = self.odd or (top.source.watched and not top.fresh)
        self.odd = self.odd or not self._stack
        self.memoised += 1

    def _push_tuple(self, items: list[_Item]) -> None:
        parts = self._parts(items)
        self._stack.append(None if parts is None else Several(parts, depth(parts) + 1))

    def _fill(self, items: list[_Item], *, is_dict: bool) -> None:
        (target,) = self._take(1)
        self._stack.append(target)
        if type(target) is _Dict and is_dict:
            target.items += items
        elif type(target) is _Object and target.record is None:
            target.call = None
        elif target is not None:
            self.odd = True

    def _make(self, kind: int) -> None:
        callee, args = self._take(2)
        if type(callee) is not Constant or callee.key is None or callee.key in _ODD:
            self.odd = True
            return
        call = Call(callee, args, new=kind == op.NEWOBJ) if type(args) is Several else None
        made = _Object(self._global(callee), call, self._before[callee.segment, callee.group])
        self._made.append(made)
        self._stack.append(made)

    def build(self, segment: int, group: int) -> None:
        """BUILD stands behind the group `group` of segment `segment`."""
        self._settle()
        target, state = self._take(2)
        if type(target) is not _Object or target.record is not None:
            self.odd = True
            return
        self._stack.append(target)
        self._built.append(target)
        source, call, part = target.source, target.call, self._part(state)
        meaning = None
        # The unpickler does more with a state that is no dict than what is done with these.
        if call is not None and part is not None and (source.watched or type(part) is Table):
            meaning = Built(source.index, call, part, source.watched)
        target.record = FormObject(
            source=source.index,
            watched=source.watched,
            memo=target.keys[0] if target.keys else None,
            segment=segment,
            group=group,
            names=_names(state),
            meaning=meaning,
            memoised=self.memoised - target.before,
        )

    # --- parts ----------------------------------------------------------------------------------

    def _parts(self, items: list[_Item]) -> tuple[Part, ...] | None:
        parts = [self._part(item) for item in items]
        known = tuple(part for part in parts if part is not None)
        return known if len(known) == len(parts) and depth(known) < _DEPTH_MAX else None

    def _part(self, item: _Item) -> Part | None:
        if type(item) is _Dict:
            keys, values = item.keys(), self._parts(item.items[1::2])
            return None if keys is None or values is None else Table(keys, values, depth(values) + 1)
        if type(item) is _Object:
            if item.record is not None:
                return item.record.meaning
            return None if item.source.watched else item.call
        assert not isinstance(item, _Dict | _Object)  # noqa: S101  # for the type checker
        return item

    # --- the end --------------------------------------------------------------------------------

    def objects(self, source: int) -> tuple[FormObject, ...] | None:
        """All that got a state, if the last of them, of the global `source`, is all that the stretch leaves."""
        is_one = len(self._stack) == 1 and self._stack == self._built[-1:]
        if self.odd or self._marks or not is_one or any(not _is_usual(made) for made in self._made):
            return None
        records = [made.record for made in self._built if made.record is not None]
        inner = {id(part) for record in records if record.meaning for part in inside(record.meaning)}
        return (
            tuple(record._replace(inner=id(record.meaning) in inner) for record in records)
            if records[-1].source == source
            else None
        )


def _names(state: _Item) -> frozenset[str] | None:
    keys = state.keys() if type(state) is _Dict else None
    return None if keys is None else frozenset(str(key.text) for key in keys)


def _is_usual(made: _Object) -> bool:
    """A watched object has a state and one name; others have one name or none."""
    return len(made.keys) == 1 and made.record is not None if made.source.watched else len(made.keys) < 2
