"""Containers that a stream fills, and the steps that it takes to find a place for each key: these are bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError
from safeload.readers import opcodes as op
from safeload.readers.hashes import hash_of
from safeload.readers.nodes import Bag, Made
from safeload.readers.plain import NUMBERS
from safeload.readers.tables import STEPS_MAX, Filled, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.readers.data import Data
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["DEEP", "FEW", "count_steps", "holds_numbers"]

DEEP = "deep-key"
# So many keys are compared with each other while the opcodes that push them are read.
FEW = 64
_FILLING = {op.SETITEM: False, op.SETITEMS: False, op.ADDITEMS: True}


def count_steps(machine: Machine, many: int, chosen: Sequence[Node]) -> None:
    """The opcode at `machine.at` puts in `many` keys, of which `chosen` have hashes of a file's choice.

    Raises LimitError.
    """
    filled = _filled(machine, many)
    if filled is None:
        return
    filled.seeded += many - len(chosen)
    if not chosen or any(fact.kind == DEEP for fact in machine.facts):  # too deep to look at, and refused
        return
    hashes = [hash_of(machine.data, key) for key in chosen]
    if filled.table is None:
        filled.few += hashes
        if len(filled.few) <= FEW:
            return
        filled.table, hashes, filled.few = Table(is_set=filled.is_set), filled.few, []
    # Others are as likely in one place as in any other.
    seeded = [hash(str(number)) for number in range(filled.seeded)]
    filled.seeded = 0
    _extend(machine, filled.table, seeded + hashes)


def holds_numbers(machine: Machine) -> bool:
    """Whether what is being filled has keys by now whose hashes a file chose."""
    node = machine.stack[-1] if machine.data.view[machine.at] in _FILLING else None
    filled = machine.spent.filled.get(id(node))
    return filled is not None and bool(filled.few or filled.table)


def _filled(machine: Machine, many: int) -> Filled | None:
    """What is being filled, if it has more than a few keys by now."""
    spent, opcode = machine.spent, machine.data.view[machine.at]
    node = machine.stack[-1] if opcode in _FILLING else None  # else they are all that it gets
    if id(node) in spent.filled:
        return spent.filled[id(node)]
    before: list[Node] = []
    if isinstance(node, Bag):
        before = node.items[::2] if node.kind == "dict" else node.items
    if len(before) + many <= FEW and not isinstance(node, Made):
        return None
    filled = Filled(node, is_set=_FILLING.get(opcode, opcode != op.DICT))
    if node is not None:
        spent.filled[id(node)] = filled
    if not any(fact.kind == DEEP for fact in machine.facts):
        numbers = [key for key in before if _may_be_chosen(machine.data, key)]
        filled.few += [hash_of(machine.data, key) for key in numbers]
        filled.seeded += len(before) - len(numbers)
    return filled


def _may_be_chosen(data: Data, key: Node) -> bool:
    return key.__class__ is not int or data.view[key] in NUMBERS


def _extend(machine: Machine, table: Table, hashes: Sequence[int]) -> None:
    spent = machine.spent
    spent.allowed += table.allowed(len(hashes))
    most, before = spent.allowed + STEPS_MAX, table.steps
    table.extend(hashes, before + most - spent.steps)
    spent.steps += table.steps - before
    if spent.steps > most:
        raise LimitError("keys", "keys are such as get into each other's way: their hashes lead to the same places")
