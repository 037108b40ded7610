"""Functions for opcodes: each takes the machine and the opcode's offset, and returns the offset of the next opcode."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["Handler", "Handlers", "decoded", "taken"]

Handler = Callable[["Machine", int], int]


class Handlers(dict[int, Handler]):
    """Opcode -> its function."""

    def of(self, *kinds: int) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.update(dict.fromkeys(kinds, handler))
            return handler

        return register


def taken(machine: Machine) -> list[Node]:
    """The items above the last mark, which go."""
    mark = machine.marks.pop()
    items = machine.stack[mark:]
    del machine.stack[mark:]
    return items


def decoded(name: bytes) -> str:
    return str(name, "utf-8", "backslashreplace")
