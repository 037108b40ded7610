"""What becomes of objects: they are made, get a state, and are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError, StreamError
from safeload.readers import opcodes as op
from safeload.readers.extents import OPAQUE
from safeload.readers.filling import FEW
from safeload.readers.hashing import check_keys
from safeload.readers.methods import GETATTR, attribute_of, class_called, method_of
from safeload.readers.nodes import ARGUMENTS_MAX, Alias, Bag, Global, Made
from safeload.readers.observations import Use
from safeload.readers.repeats import learn
from safeload.readers.states import check_filled_keys, count_texts, own, take, take_bytes, take_encoded
from safeload.readers.wrappers import WRAPPER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["build", "fill", "make"]

_RECONSTRUCTOR = ("copyreg", "_reconstructor")
# They name another file to read the array from: absolute, or beside this one.
_EXTERNAL_WRAPPERS = frozenset(
    (module, name)
    for module in ("joblib.numpy_pickle", "joblib.numpy_pickle_compat")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
# Protocols below 4 make these from a list.
_SETS = frozenset({("builtins", "set"), ("builtins", "frozenset")})
# What is held before it is full counts as empty: each that holds two such doubles what `repr` has to show.
_LATE_MAX = 24


def make(machine: Machine, source: Node, args: Node, use: Use) -> None:
    """Push what calling or instantiating `source` gives."""
    machine.calls += 1
    if source.__class__ is not Global:
        machine.stack.append(_make_by_value(machine, source, args, use))
        return
    if use is Use.CALLED:
        source.called += 1
    else:
        source.instantiated += 1
    if source.arguments is None:
        source.arguments = args
    reconstructed = method = None
    if args:
        reconstructed = _reconstructed(source, args)
        method = method_of(machine, source, args, use)
        _give(machine, source, args, reconstructed or method)
    if source.key == GETATTR:
        # How a bound method is pickled. A policy judges which attribute of an object is asked for.
        source.owners |= {attribute_of(machine, args, method)}
    if reconstructed is not None and args.__class__ is tuple and len(args) == 3:
        reconstructed.instantiated += 1
        source = reconstructed
    made = Made(source, args, machine.at, watched=source.watched)
    if method is not None:
        made.meaning, made.watched = method, True  # so that no GET may fetch it
    if args:
        machine.extents.grow(made, (args,))
    if source.watched:
        made.memo = machine.memo_key_ahead()
        machine.made.append(made)
        machine.open += 1
    machine.stack.append(made)


def _make_by_value(machine: Machine, source: Node, args: Node, use: Use) -> Made:
    """What calling something gives that is no global."""
    cls = class_called(machine, source, use)
    if cls is None:
        machine.fact("call-on-value", "something is called that is not a plain global")
        return Made(None, args, machine.at, watched=False)
    _give(machine, cls, args, None)
    made = Made(cls, args, machine.at, watched=False)
    if args:
        machine.extents.grow(made, (args,))
    return made


def _reconstructed(source: Global, args: Node) -> Global | None:
    """The class that a call of ``copyreg._reconstructor(cls, object, None)`` instantiates."""
    if source.key == _RECONSTRUCTOR and args.__class__ is tuple and args and args[0].__class__ is Global:
        return args[0]
    return None


def _give(machine: Machine, source: Global, args: Node, reconstructed: Global | None) -> None:
    """`source` is called or instantiated with `args`; of these `reconstructed` is no argument as others are."""
    if args.__class__ is not tuple or len(args) > ARGUMENTS_MAX:
        return
    for item in args:
        if item.__class__ is int:
            take_bytes(machine, item)
            count_texts(machine, (item,))
        elif item.__class__ is Global:
            if item is not reconstructed:
                item.give(source.key)
        elif item.__class__ is Bag or item.__class__ is Alias:
            bag = take(machine, item)
            if item.__class__ is Alias:
                take_encoded(machine, item)
            if bag is not None:
                _look_into(machine, source, bag, reconstructed)


def _look_into(machine: Machine, source: Global, bag: Bag, reconstructed: Global | None) -> None:
    if source.key in _SETS:
        check_keys(machine, bag.items)
    elif reconstructed is not None:  # a dict subclass whose items may be its attributes
        if not bag.complete:
            machine.fact("odd-attribute", "the items of an object are too many to look at")
        check_filled_keys(machine, reconstructed, bag.items[::2])


def build(machine: Machine, at: int) -> int:
    """BUILD at offset `at`: the top of the stack becomes the state of what is below. Returns where to go on."""
    state, target = machine.stack.pop(), machine.stack[-1]
    if target.__class__ is not Made or target.source is None:
        # an Alias too: picklers BUILD an object where they make it
        machine.fact("build-on-value", "BUILD sets the state of something that was not made in this place")
        return at + 1
    if target.build is not None:
        machine.fact("built-twice", "an object gets its state twice")
    target.build, target.state, target.finished = at, state, True
    source = target.source
    if source.key in OPAQUE:
        _let_go(state)
    _grow(machine, target, (state,))
    source.built = True
    own(machine, source, state)
    if target.watched:
        machine.open -= 1
    else:
        machine.made.append(target)
    if source.key == WRAPPER and machine.array_reader is not None:
        return _array(machine, target, at + 1)
    if source.key in _EXTERNAL_WRAPPERS:
        machine.fact("external-array", "an array wrapper of joblib below 0.10 reads another file")
    if source.got is not None and source.form is None and machine.learns:
        source.form = learn(machine, target, at + 1)
    return at + 1


def _let_go(state: Node) -> None:
    """Whoever is asked for its parts does not lead to what `state` names."""
    for value in state.items[1::2] if isinstance(state, Bag) else ():
        if isinstance(value, Alias):
            value.node.aliased -= 1


def _array(machine: Machine, wrapper: Made, at: int) -> int:
    assert machine.array_reader is not None  # noqa: S101  # the caller looked
    if 0 <= machine.frame_end != at:
        machine.fact("array-in-frame", "raw array data stand inside a frame")
    array = machine.array_reader(machine.data, wrapper.state, at)
    if array is None:
        what = "the array wrapper's state is not one that joblib writes"
        raise StreamError(what, offset=wrapper.offset, goes_on=True)
    # joblib never refers to a wrapper again; the array that takes its place must not have two names.
    wrapper.finished, wrapper.memo = False, None
    if array.nested is None:  # else they are opcodes too, and count
        machine.skipped += array.end - array.start
    else:
        wrapper.depth, wrapper.weight = array.nested.depth + 1, array.nested.weight
        machine.extents.around((wrapper,))
    machine.arrays.append(array)
    machine.frame_end = -1
    machine.moved = True
    return array.end


def fill(machine: Machine, target: Node, items: list[Node], kind: int) -> None:
    """The opcode `kind` puts `items` into `target`: keys and values in turn, or one after the other."""
    if target.__class__ is Bag and not target.owned:
        _fill_bag(machine, target, items)
    elif target.__class__ is Made and target.source is not None:
        _grow(machine, target, items)
        _fill_object(machine, target.source, items, kind)
    else:
        # an Alias too: picklers fill a container where they make it
        machine.fact("fill-on-value", "items are put into something that is no container made in this place")


def _fill_bag(machine: Machine, bag: Bag, items: list[Node]) -> None:
    plain = [*map(type, items)].count(int) == len(items)
    if plain:
        bag.weight += len(items)
    else:
        bag.plain = False
        _grow(machine, bag, items)
    if machine.huge and not bag.huge:
        bag.huge = any(item in machine.huge for item in items if item.__class__ is int)
    if bag.kind != "list" and (machine.huge or not plain or len(bag.items) + len(items) > FEW):
        check_keys(machine, items[::2] if bag.kind == "dict" else items, plain=plain)
    bag.add(items, keep=not bag.plain and _becomes_a_set(machine))


def _becomes_a_set(machine: Machine) -> bool:
    """Protocols below 4 call ``set`` with a list, of which each item is looked at then."""
    below = machine.stack[-2] if len(machine.stack) > 1 else None
    return below.__class__ is Global and below.key in _SETS


def _grow(machine: Machine, holder: Bag | Made, items: Iterable[Node]) -> None:
    """What was held already counts as it was then."""
    before = holder.weight
    machine.extents.grow(holder, items)
    if holder.weight > before:
        machine.late += holder.aliased
        if machine.late > _LATE_MAX:
            raise LimitError("nesting", "objects are held before they are full, again and again")


def _fill_object(machine: Machine, source: Global, items: list[Node], kind: int) -> None:
    if kind in (op.SETITEM, op.SETITEMS):
        source.filled = True
        check_filled_keys(machine, source, items[::2])
        check_keys(machine, items[::2])
        return
    # CPython asks the object for `extend`, `append` or `add`: an attribute, which a file may have set.
    source.extended = True
    if kind == op.ADDITEMS:
        check_keys(machine, items)
