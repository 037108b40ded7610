"""Keys of dicts and members of sets: to put one in is to hash it, and to compare it with what hashes alike.

A tuple a million deep overflows the stack of CPython's ``tuplehash``; a tuple of two times itself, forty times over,
is hashed for hours; keys whose places in a table are taken walk past all former ones. The hashes of strings and bytes
are seeded. Those of numbers, and of tuples of them, a file chooses: of each container that has more than a few, the
steps are counted that it takes to fill it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from safeload.errors import LimitError
from safeload.readers import opcodes as op
from safeload.readers.filling import DEEP, count_steps, holds_numbers
from safeload.readers.hashes import Hash, kind_of
from safeload.readers.nodes import Alias, Made
from safeload.readers.plain import CHOICES, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["check_keys"]

_DEPTH_MAX = 64
_LEAVES_MAX = 1_000
_LONG_BYTES = 64  # an integer of as many takes as long as a part of a tuple
# Keys of whose hashes nothing is known: 5,000 that are alike cost a third of a second, if C compares them.
_UNKNOWN_MAX = 5_000
_IN_C, _IN_PYTHON = 1, 5  # what one counts for
_FAST = frozenset({"datetime", "decimal"})
_ONE_OF = 32
_DRAWN = random.Random()  # noqa: S311  # seeded by the system, so that no file knows what will be drawn


def check_keys(machine: Machine, keys: Sequence[Node], *, plain: bool = False) -> None:
    """Record a fact for each key that would be dangerous to hash. Raises LimitError for too many that get into each
    other's way. `plain` says that all are known to be plain values."""
    if machine.huge:
        _count(machine, sum(_size(machine, key) for key in keys if key.__class__ is int and key in machine.huge))
    count_steps(machine, len(keys), _chosen(machine, keys, plain=plain))


def _chosen(machine: Machine, keys: Sequence[Node], *, plain: bool) -> list[Node]:
    """Those whose hashes may be the file's choice."""
    view = machine.data.view
    if not plain and [*map(type, keys)].count(int) < len(keys):
        return [key for key in keys if (view[key] in NUMBERS if key.__class__ is int else _check(machine, key))]
    if not holds_numbers(machine) and NUMBERS.isdisjoint(_sample(view, keys)):
        return []
    return [token for token in keys if view[token] in NUMBERS]  # type: ignore[index]  # all are offsets


def _sample(view: memoryview, tokens: Sequence[Any]) -> list[int]:
    """The opcodes of some keys: a million words are looked at for nothing. Of 1,000 numbers that a file hides among
    them one is met, but for one time in 10**13, and from then on all are looked at."""
    some = _DRAWN.choices(tokens, k=1 + len(tokens) // _ONE_OF) if len(tokens) > _ONE_OF else tokens
    return [view[token] for token in some]


def _size(machine: Machine, token: int) -> int:
    """How many parts of a key a long integer is worth."""
    width = {op.LONG1: 1, op.LONG4: 4}.get(machine.data.view[token])
    return (machine.data.number(token + 1, width) if width else len(machine.data.line(token + 1)[0])) // _LONG_BYTES


def _count(machine: Machine, leaves: int) -> None:
    """Counted with repetition, since hashing does too."""
    machine.spent.hashed += leaves
    if machine.spent.hashed > machine.data.size + _LEAVES_MAX:
        raise LimitError("keys", "keys are hashed again and again")


def _check(machine: Machine, key: Node) -> bool:
    """Look into a key that is no plain value. Whether its hash may be the file's choice."""
    if key.__class__ is tuple and key and not machine.huge and [*map(type, key)].count(int) == len(key) < _LEAVES_MAX:
        _count(machine, 1 + len(key))
        tokens: tuple[Any, ...] = key
        return any(machine.data.view[token] in CHOICES for token in tokens)
    pending: list[tuple[Node, int]] = [(key, 0)]
    leaves, chosen, unknown = 0, False, 0
    while pending:
        node, depth = pending.pop()
        leaves += 1
        if depth > _DEPTH_MAX or leaves > _LEAVES_MAX:
            machine.fact(DEEP, "a key is deeper or larger than any that a model has")
            return False
        if node.__class__ is tuple:
            pending += [(item, depth + 1) for item in node]
            chosen = chosen or not node
        elif node.__class__ is int:
            chosen = chosen or machine.data.view[node] in CHOICES
            if node in machine.huge:
                leaves += _size(machine, node)
        else:
            kind = _hash_object(machine, node)
            chosen = chosen or kind is not Hash.SEEDED
            unknown = max(unknown, _cost(node) if kind is Hash.UNKNOWN else 0)
    _count(machine, leaves)
    machine.spent.unknown += unknown
    if machine.spent.unknown > _UNKNOWN_MAX:
        raise LimitError("keys", "too many keys are such as can be made to hash alike")
    return chosen


def _cost(node: Node) -> int:
    made = node.node if node.__class__ is Alias else node
    source = made.source if made.__class__ is Made else None
    fast = source is not None and (source.key[0] in _FAST or source.key[0].startswith("numpy."))
    return _IN_C if fast else _IN_PYTHON


def _hash_object(machine: Machine, node: Node) -> Hash:
    """Note that an object is hashed, which a policy has to allow."""
    made = node.node if node.__class__ is Alias else node
    if made.__class__ is Made and made.source is not None:
        made.source.hashed = True
    return kind_of(machine.data, made)
