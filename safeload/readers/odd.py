"""Opcodes that no pickler of Python 3 writes into a model: each is a fact, and read as CPython reads it. Buffers beside
the stream are none, where there are as many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.handling import Handlers, decoded, taken
from safeload.readers.nodes import Global, Made
from safeload.readers.objects import make
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from safeload.readers.machine import Machine

__all__ = ["HANDLERS"]

HANDLERS = Handlers()


@HANDLERS.of(op.INST)
def _inst(machine: Machine, at: int) -> int:
    module, end = machine.data.line(at + 1)
    name, end = machine.data.line(end)
    args = tuple(taken(machine))
    machine.add_global(decoded(module), decoded(name))
    make(machine, machine.stack.pop(), args, Use.CALLED)
    machine.fact("inst", "INST is written by Python 2 only, for classes of old style")
    return end


@HANDLERS.of(op.OBJ)
def _obj(machine: Machine, at: int) -> int:
    items = taken(machine)
    make(machine, items[0], tuple(items[1:]), Use.CALLED)
    machine.fact("obj", "OBJ is written by Python 2 only, for classes of old style")
    return at + 1


_AFTER_POP = frozenset({ord("0"), op.BINGET, op.LONG_BINGET, op.GET})
_EXTENSIONS = {0x82: 1, 0x83: 2, 0x84: 4}


@HANDLERS.of(*_EXTENSIONS)
def _extension(machine: Machine, at: int) -> int:
    # With a warm cache the C unpickler does not even ask find_class for these.
    machine.fact("extension", "a global is named by a number of copyreg's extension registry")
    machine.stack.append(Made(None, None, at, watched=False))
    return at + 1 + _EXTENSIONS[machine.data.view[at]]


@HANDLERS.of(ord("P"))
def _persid(machine: Machine, at: int) -> int:
    _, end = machine.data.line(at + 1)
    machine.fact("persistent-id", "an object is to be found elsewhere, by a persistent id")
    machine.stack.append(Made(None, None, at, watched=False))
    return end


@HANDLERS.of(ord("Q"))
def _binpersid(machine: Machine, at: int) -> int:
    machine.fact("persistent-id", "an object is to be found elsewhere, by a persistent id")
    machine.stack[-1] = Made(None, None, at, watched=False)
    return at + 1


@HANDLERS.of(op.NEXT_BUFFER)
def _next_buffer(machine: Machine, at: int) -> int:
    machine.buffers.append(at)
    if len(machine.buffers) > machine.out_of_band:
        machine.fact("out-of-band", "an out-of-band buffer is asked for, and there is none")
    machine.form_reader = None  # the next one is no other's, and forms are of what is the same each time
    machine.stack.append(Made(None, None, at, watched=True))  # and never finished: no GET may fetch it
    return at + 1


@HANDLERS.of(op.READONLY_BUFFER)
def _readonly_buffer(machine: Machine, at: int) -> int:
    if machine.buffers[-1:] != [at - 1]:
        machine.fact("out-of-band", "something else than an out-of-band buffer is made read-only")
    return at + 1


@HANDLERS.of(ord("2"))
def _dup(machine: Machine, at: int) -> int:
    machine.fact("dup", "DUP, which no pickler writes")
    node = machine.stack[-1]
    if isinstance(node, Global):
        node.pushed += 1
    machine.stack.append(node)
    return at + 1


def _check_thrown_away(machine: Machine, at: int) -> None:
    """Picklers throw away the parts of a tuple that holds itself, and GET the tuple that was made meanwhile."""
    if machine.data.view[at + 1] not in _AFTER_POP:
        machine.fact("thrown-away", "something is made and thrown away")


@HANDLERS.of(ord("0"))
def _pop(machine: Machine, at: int) -> int:
    _check_thrown_away(machine, at)
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()
    return at + 1


@HANDLERS.of(ord("1"))
def _pop_mark(machine: Machine, at: int) -> int:
    _check_thrown_away(machine, at)
    taken(machine)
    return at + 1
