"""One function an opcode, for those that the loop of :mod:`safeload.readers.pickle` does not handle itself.

Each takes the machine and the opcode's offset, and returns the offset of the next opcode.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from safeload.errors import StreamError
from safeload.readers import opcodes as op
from safeload.readers.machine import Machine
from safeload.readers.nodes import Bag, Global, Made, Node
from safeload.readers.observations import Use

__all__ = ["HANDLERS"]

Handler = Callable[[Machine, int], int]
HANDLERS: dict[int, Handler] = {}

# Longer integers cost quadratic time to convert, and no model holds one.
INTEGER_BYTES = 64 * 1024
# What the picklers write; the unpicklers take more (`I0x1`, `L 1`), and tools disagree about it.
_TEXT_FORMS = {
    op.INT: re.compile(rb"-?[0-9]{1,4000}\Z"),
    op.LONG: re.compile(rb"-?[0-9]{1,4000}L?\Z"),
    op.FLOAT: re.compile(rb"-?(?:[0-9][0-9.]*(?:e[+-]?[0-9]+)?|inf|nan)\Z"),
    op.STRING: re.compile(rb"(?:'[^']*'|\"[^\"]*\"|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\Z", re.DOTALL),
}


def _handles(*kinds: int) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


# --- structure ------------------------------------------------------------------------------------


@_handles(op.PROTO)
def _proto(machine: Machine, at: int) -> int:
    if at != machine.start:
        machine.fact("proto-inside", "PROTO stands inside the stream")
    machine.protocol = machine.data.view[at + 1]
    if machine.protocol > 5:
        raise StreamError(f"pickle protocol {machine.protocol} is unknown", offset=at)
    return at + 2


@_handles(op.FRAME)
def _frame(machine: Machine, at: int) -> int:
    if machine.frame_end > at:
        machine.fact("frame-crossed", "a frame begins inside another one")
    length = machine.data.number(at + 1, 8)
    if length > machine.data.size - at - 9:
        raise StreamError("a frame reaches past the end of the data", offset=at)
    machine.frame_end = at + 9 + length
    machine.frames.append(at)
    machine.moved = True
    return at + 9


# --- plain values ---------------------------------------------------------------------------------


def _sized(width: int, what: str, most: int | None = None) -> Handler:
    def handler(machine: Machine, at: int) -> int:
        length = machine.data.number(at + 1, width)
        end = at + 1 + width + length
        if end > machine.data.size:
            raise StreamError(f"{what} reaches past the end of the data", offset=at)
        if most is not None and length > most:
            machine.fact("huge-integer", f"an integer of {length:,} bytes")
        machine.stack.append(at)
        return end

    return handler


HANDLERS.update(
    {
        op.BINUNICODE8: _sized(8, "a string"),
        op.SHORT_BINBYTES: _sized(1, "a byte string"),
        op.BINBYTES: _sized(4, "a byte string"),
        op.BINBYTES8: _sized(8, "a byte string"),
        op.BYTEARRAY8: _sized(8, "a byte array"),
        op.SHORT_BINSTRING: _sized(1, "a byte string"),
        op.BINSTRING: _sized(4, "a byte string"),
        op.LONG1: _sized(1, "an integer"),
        op.LONG4: _sized(4, "an integer", INTEGER_BYTES),
    }
)


@_handles(*op.TEXT_LEAVES)
def _text(machine: Machine, at: int) -> int:
    kind = machine.data.view[at]
    line, end = machine.data.line(at + 1)
    form = _TEXT_FORMS.get(kind)
    if form is not None and not form.match(line):
        machine.fact("odd-text", f"{op.opcode_name(kind)} holds what no pickler writes")
    machine.stack.append(at)
    return end


# --- containers -----------------------------------------------------------------------------------


def _taken(machine: Machine) -> list[Node]:
    """The items above the last mark, which go."""
    mark = machine.marks.pop()
    items = machine.stack[mark:]
    del machine.stack[mark:]
    return items


@_handles(op.EMPTY_TUPLE)
def _empty_tuple(machine: Machine, at: int) -> int:
    machine.stack.append(())
    return at + 1


@_handles(op.TUPLE1, op.TUPLE3)
def _small_tuple(machine: Machine, at: int) -> int:
    size = 1 if machine.data.view[at] == op.TUPLE1 else 3
    if len(machine.stack) < size:
        raise IndexError
    machine.stack[-size:] = [tuple(machine.stack[-size:])]
    return at + 1


@_handles(op.TUPLE)
def _tuple(machine: Machine, at: int) -> int:
    machine.stack.append(tuple(_taken(machine)))
    return at + 1


_EMPTY_BAGS = {op.EMPTY_LIST: "list", op.EMPTY_DICT: "dict", op.EMPTY_SET: "set"}
_MARKED_BAGS = {op.LIST: "list", op.DICT: "dict", op.FROZENSET: "frozenset"}


@_handles(*_EMPTY_BAGS)
def _empty_bag(machine: Machine, at: int) -> int:
    machine.stack.append(Bag(_EMPTY_BAGS[machine.data.view[at]]))
    return at + 1


@_handles(*_MARKED_BAGS)
def _marked_bag(machine: Machine, at: int) -> int:
    bag = Bag(_MARKED_BAGS[machine.data.view[at]])
    bag.add(_taken(machine))
    machine.stack.append(bag)
    return at + 1


@_handles(op.APPENDS, op.ADDITEMS)
def _add_many(machine: Machine, at: int) -> int:
    items = _taken(machine)
    _fill(machine, items)
    return at + 1


@_handles(op.APPEND, op.SETITEM)
def _add_one(machine: Machine, at: int) -> int:
    size = 1 if machine.data.view[at] == op.APPEND else 2
    items = machine.stack[-size:]
    del machine.stack[-size:]
    _fill(machine, items)
    return at + 1


def _fill(machine: Machine, items: list[Node]) -> None:
    target = machine.stack[-1]
    if isinstance(target, Bag):
        target.add(items)
    else:
        machine.filled(target, items, keyed=machine.data.view[machine.at] == op.SETITEM)


# --- memo -----------------------------------------------------------------------------------------


@_handles(op.GET)
def _get(machine: Machine, at: int) -> int:
    key, end = _decimal(machine, at)
    node = machine.memo[key]
    machine.fetched(node)
    machine.stack.append(node)
    return end


@_handles(op.PUT)
def _put(machine: Machine, at: int) -> int:
    key, end = _decimal(machine, at)
    if key == len(machine.memo):
        machine.memo.append(machine.stack[-1])
    else:
        machine.put(key)
    return end


def _decimal(machine: Machine, at: int) -> tuple[int, int]:
    line, end = machine.data.line(at + 1)
    if not re.fullmatch(rb"[0-9]{1,10}", line):
        raise StreamError("a memo key is not a decimal number", offset=at)
    return int(line), end


# --- globals and what is made of them -------------------------------------------------------------


@_handles(op.GLOBAL)
def _global(machine: Machine, at: int) -> int:
    module, end = machine.data.line(at + 1)
    name, end = machine.data.line(end)
    machine.add_global(_decoded(module), _decoded(name))
    return end


@_handles(op.STACK_GLOBAL)
def _stack_global(machine: Machine, at: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    texts = machine.data.string(module), machine.data.string(name)
    if texts[0] is None or texts[1] is None:
        machine.fact("computed-name", "the name of a global is computed while loading")
        machine.stack.append(Made(None, None, at, watched=False))
    else:
        machine.add_global(texts[0], texts[1])
    return at + 1


def _decoded(name: bytes) -> str:
    return str(name, "utf-8", "backslashreplace")


@_handles(op.REDUCE)
def _reduce(machine: Machine, at: int) -> int:
    args = machine.stack.pop()
    machine.make(machine.stack.pop(), args, Use.CALLED)
    return at + 1


@_handles(op.NEWOBJ)
def _newobj(machine: Machine, at: int) -> int:
    args = machine.stack.pop()
    machine.make(machine.stack.pop(), args, Use.INSTANTIATED)
    return at + 1


@_handles(op.NEWOBJ_EX)
def _newobj_ex(machine: Machine, at: int) -> int:
    machine.stack.pop()
    args = machine.stack.pop()
    machine.make(machine.stack.pop(), args, Use.INSTANTIATED)
    return at + 1


@_handles(op.BUILD)
def _build(machine: Machine, at: int) -> int:
    return machine.build(at)


@_handles(op.INST)
def _inst(machine: Machine, at: int) -> int:
    module, end = machine.data.line(at + 1)
    name, end = machine.data.line(end)
    args = tuple(_taken(machine))
    machine.add_global(_decoded(module), _decoded(name))
    machine.make(machine.stack.pop(), args, Use.CALLED)
    machine.fact("inst", "INST is written by Python 2 only, for classes of old style")
    return end


@_handles(op.OBJ)
def _obj(machine: Machine, at: int) -> int:
    items = _taken(machine)
    machine.make(items[0], tuple(items[1:]), Use.CALLED)
    machine.fact("obj", "OBJ is written by Python 2 only, for classes of old style")
    return at + 1


# --- what no pickler writes into a model ----------------------------------------------------------

_EXTENSIONS = {0x82: 1, 0x83: 2, 0x84: 4}


@_handles(*_EXTENSIONS)
def _extension(machine: Machine, at: int) -> int:
    # With a warm cache the C unpickler does not even ask find_class for these.
    machine.fact("extension", "a global is named by a number of copyreg's extension registry")
    machine.stack.append(Made(None, None, at, watched=False))
    return at + 1 + _EXTENSIONS[machine.data.view[at]]


@_handles(ord("P"))
def _persid(machine: Machine, at: int) -> int:
    _, end = machine.data.line(at + 1)
    machine.fact("persistent-id", "an object is to be found elsewhere, by a persistent id")
    machine.stack.append(Made(None, None, at, watched=False))
    return end


@_handles(ord("Q"))
def _binpersid(machine: Machine, at: int) -> int:
    machine.fact("persistent-id", "an object is to be found elsewhere, by a persistent id")
    machine.stack[-1] = Made(None, None, at, watched=False)
    return at + 1


@_handles(0x97, 0x98)
def _buffer(machine: Machine, at: int) -> int:
    machine.fact("out-of-band", "an out-of-band buffer is asked for, and there is none")
    if machine.data.view[at] == 0x97:
        machine.stack.append(Made(None, None, at, watched=False))
    return at + 1


@_handles(ord("2"))
def _dup(machine: Machine, at: int) -> int:
    machine.fact("dup", "DUP, which no pickler writes")
    node = machine.stack[-1]
    if isinstance(node, Global):
        node.pushed += 1
    machine.stack.append(node)
    return at + 1


@_handles(ord("0"))
def _pop(machine: Machine, at: int) -> int:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()
    return at + 1


@_handles(ord("1"))
def _pop_mark(machine: Machine, at: int) -> int:
    _taken(machine)
    return at + 1
