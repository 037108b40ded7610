"""Opcodes that name globals, and call, instantiate and BUILD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.handling import Handlers, decoded
from safeload.readers.nodes import Made
from safeload.readers.objects import build, make
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from safeload.readers.machine import Machine

__all__ = ["HANDLERS"]

HANDLERS = Handlers()


@HANDLERS.of(op.GLOBAL)
def _global(machine: Machine, at: int) -> int:
    module, end = machine.data.line(at + 1)
    name, end = machine.data.line(end)
    machine.add_global(decoded(module), decoded(name))
    return end


@HANDLERS.of(op.STACK_GLOBAL)
def _stack_global(machine: Machine, at: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    texts = machine.data.name(module), machine.data.name(name)
    if texts[0] is None or texts[1] is None:
        machine.fact("computed-name", "the name of a global is computed while loading")
        texts = machine.data.short_text(module), machine.data.short_text(name)  # of opcodes that no pickler takes here
    if texts[0] is None or texts[1] is None:
        machine.stack.append(Made(None, None, at, watched=False))
    else:
        machine.add_global(texts[0], texts[1])
    return at + 1


@HANDLERS.of(op.REDUCE)
def _reduce(machine: Machine, at: int) -> int:
    args = machine.stack.pop()
    make(machine, machine.stack.pop(), args, Use.CALLED)
    return at + 1


@HANDLERS.of(op.NEWOBJ)
def _newobj(machine: Machine, at: int) -> int:
    args = machine.stack.pop()
    make(machine, machine.stack.pop(), args, Use.INSTANTIATED)
    return at + 1


@HANDLERS.of(op.NEWOBJ_EX)
def _newobj_ex(machine: Machine, at: int) -> int:
    machine.stack.pop()
    args = machine.stack.pop()
    make(machine, machine.stack.pop(), args, Use.INSTANTIATED)
    return at + 1


@HANDLERS.of(op.BUILD)
def _build(machine: Machine, at: int) -> int:
    return build(machine, at)
