"""Keys of dicts and members of sets: to put one in is to hash it, and to compare it with what hashes alike.

A tuple a million deep overflows the stack of CPython's ``tuplehash``; a tuple of two times itself, forty times over,
is hashed for hours; numbers that hash alike make each insertion walk past all former ones. Strings and bytes
are safe: their hashes are seeded. Numbers are not: ``hash(n)`` is n modulo 2**61 - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError
from safeload.readers import opcodes as op
from safeload.readers.nodes import Alias, Bag, Made

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["HASH_MODULUS", "check_keys"]

HASH_MODULUS = (1 << 61) - 1
_DEPTH_MAX = 64
_LEAVES_MAX = 1_000
# Keys whose hashes a file can choose are compared with each other: 5,000 cost a third of a second.
_CHOSEN_MAX = 5_000
_SCALAR = frozenset((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core"))
_PATHS = ("PurePath", "PurePosixPath", "PureWindowsPath")
# Their hashes are those of strings or bytes.
_SEEDED = frozenset(
    {("_codecs", "encode"), ("builtins", "bytes"), *(("datetime", name) for name in ("date", "datetime", "time"))}
    | {(module, name) for module in ("pathlib", "pathlib._local") for name in _PATHS}
)
_COMPLEX = ("c", "F", "D", "G")
_SMALL = frozenset({op.BININT1, op.BININT2, op.BININT})
_TEXTS = frozenset({op.INT, op.LONG})
_WIDE = frozenset({op.LONG1, op.LONG4, op.BINFLOAT, op.FLOAT}) | _TEXTS


def check_keys(machine: Machine, keys: Iterable[Node]) -> None:
    """Record a fact for each key that would be dangerous to hash."""
    for key in keys:
        if key.__class__ is int:
            if key in machine.huge:
                machine.fact("huge-key", "an integer of 2**61 - 1 or more is a key: such can be made to hash alike")
        else:
            _check(machine, key)


def _check(machine: Machine, key: Node) -> None:
    """Counted with repetition, since hashing does too. `small` are its numbers of at most 32 bits, `wide` all others.

    Two small ones are fewer than there are hashes; with any more, most hashes have many keys.
    """
    pending: list[tuple[Node, int]] = [(key, 0)]
    small = wide = leaves = 0
    while pending:
        node, depth = pending.pop()
        leaves += 1
        if depth > _DEPTH_MAX or leaves > _LEAVES_MAX:
            machine.fact("deep-key", "a key is deeper or larger than any that a model has")
            return
        if node.__class__ is tuple:
            pending += [(item, depth + 1) for item in node]
        elif node.__class__ is int:
            kind = machine.data.view[node]
            if kind in _SMALL or (kind in _TEXTS and abs(machine.data.integer(node) or 0) < 1 << 31):
                small += 1
            else:
                wide += kind in _WIDE
            if node in machine.huge:
                machine.fact("huge-key", "an integer of 2**61 - 1 or more is part of a key")
        else:
            wide += 3 * _hash_object(machine, node)
    _count(machine, leaves, chosen=small + wide > 2 or (wide > 0 and small + wide > 1))


def _hash_object(machine: Machine, node: Node) -> bool:
    """Note that an object is hashed, which a policy has to allow. True if its hash may be the file's choice."""
    if node.__class__ is Alias:
        node = node.node
    if node.__class__ is Made and node.source is not None:
        node.source.hashed = True
        if node.source.key in _SEEDED:  # with a time zone a date is what its numbers are
            return isinstance(node.args, tuple) and len(node.args) > 1 and node.source.key[0] == "datetime"
        return node.source.key not in _SCALAR or _is_complex(machine, node.args)
    return node.__class__ is Bag  # a frozenset; of the mutable ones none hashes


def _is_complex(machine: Machine, args: Node) -> bool:
    """``scalar(dtype, bytes)``: a complex number's hash is a sum of two. What cannot be told counts as one."""
    dtype = args[0] if isinstance(args, tuple) and args else None
    letters = dtype.args[0] if isinstance(dtype, Made) and isinstance(dtype.args, tuple) and dtype.args else None
    text = machine.data.short_string(letters)
    return text is None or text.startswith(_COMPLEX)


def _count(machine: Machine, leaves: int, *, chosen: bool) -> None:
    spent = machine.spent
    spent.hashed += leaves
    spent.chosen += chosen
    if spent.chosen > _CHOSEN_MAX:
        raise LimitError("keys", f"more than {_CHOSEN_MAX:,} keys are such as can be made to hash alike")
    if spent.hashed > machine.data.size + _LEAVES_MAX:
        raise LimitError("keys", "keys are hashed again and again")
