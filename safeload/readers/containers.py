"""Opcodes that make and fill tuples, lists, dicts and sets, and those that keep what was made."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers import opcodes as op
from safeload.readers.handling import Handlers, taken
from safeload.readers.nodes import Bag
from safeload.readers.objects import fill

if TYPE_CHECKING:
    from safeload.readers.machine import Machine

__all__ = ["HANDLERS"]

HANDLERS = Handlers()


@HANDLERS.of(op.EMPTY_TUPLE)
def _empty_tuple(machine: Machine, at: int) -> int:
    machine.stack.append(())
    return at + 1


_TUPLE_SIZES = {op.TUPLE1: 1, op.TUPLE2: 2, op.TUPLE3: 3}


@HANDLERS.of(*_TUPLE_SIZES)
def _small_tuple(machine: Machine, at: int) -> int:
    size = _TUPLE_SIZES[machine.data.view[at]]
    if len(machine.stack) < size:
        raise IndexError
    machine.stack[-size:] = [machine.extents.made(tuple(machine.stack[-size:]))]
    return at + 1


@HANDLERS.of(op.TUPLE)
def _tuple(machine: Machine, at: int) -> int:
    items = tuple(taken(machine))
    machine.stack.append(machine.extents.made(items))
    return at + 1


_EMPTY_BAGS = {op.EMPTY_LIST: "list", op.EMPTY_DICT: "dict", op.EMPTY_SET: "set"}
_MARKED_BAGS = {op.LIST: "list", op.DICT: "dict", op.FROZENSET: "frozenset"}


@HANDLERS.of(*_EMPTY_BAGS)
def _empty_bag(machine: Machine, at: int) -> int:
    machine.stack.append(Bag(_EMPTY_BAGS[machine.data.view[at]]))
    return at + 1


@HANDLERS.of(*_MARKED_BAGS)
def _marked_bag(machine: Machine, at: int) -> int:
    kind = machine.data.view[at]
    bag = Bag(_MARKED_BAGS[kind])
    fill(machine, bag, taken(machine), kind)
    machine.stack.append(bag)
    return at + 1


@HANDLERS.of(op.APPENDS, op.ADDITEMS)
def _add_many(machine: Machine, at: int) -> int:
    items = taken(machine)
    fill(machine, machine.stack[-1], items, machine.data.view[at])
    return at + 1


@HANDLERS.of(op.APPEND, op.SETITEM)
def _add_one(machine: Machine, at: int) -> int:
    kind = machine.data.view[at]
    size = 1 if kind == op.APPEND else 2
    items = machine.stack[-size:]
    del machine.stack[-size:]
    fill(machine, machine.stack[-1], items, kind)
    return at + 1


@HANDLERS.of(op.GET)
def _get(machine: Machine, at: int) -> int:
    key, end = _decimal(machine, at)
    node = machine.memo[key]
    machine.stack.append(node if node.__class__ is int else machine.fetched(node))
    return end


@HANDLERS.of(op.PUT)
def _put(machine: Machine, at: int) -> int:
    key, end = _decimal(machine, at)
    if key == len(machine.memo):
        machine.memo.append(machine.stack[-1])
    else:
        machine.put(key)
    return end


def _decimal(machine: Machine, at: int) -> tuple[int, int]:
    line, end = machine.data.line(at + 1)
    if re.fullmatch(rb"[0-9]{1,10}", line):
        return int(line), end
    if machine.data.buffer.describe and re.fullmatch(rb"\s*[+-]?[0-9_]{1,20}\s*", line):
        machine.fact("odd-text", "a memo key is written as no pickler writes it")
        with contextlib.suppress(ValueError):
            return max(int(line), 0), end
    # What is a number in C ends at a zero byte, and may have any number of digits.
    goes_on = re.fullmatch(rb"\s*[+-]?[0-9_]+\s*(\0.*)?", line, re.DOTALL) is not None
    raise StreamError("a memo key is not a decimal number", offset=at, goes_on=goes_on)
