"""How deep containers stand in one another. Hashing, comparing and showing them are recursive, and a file is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError
from safeload.readers.nodes import Alias, Bag, Global, Made

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.nodes import Node

__all__ = ["NESTING_MAX", "Depths"]

NESTING_MAX = 5_000


class Depths:
    """Tuples have no place for a number: those that hold more than plain values are remembered by identity."""

    __slots__ = ("_tuples",)

    def __init__(self) -> None:
        self._tuples: dict[int, tuple[int, tuple[Node, ...]]] = {}  # the tuple too, so that the identity stays its own

    def of(self, node: Node) -> int:
        """0 for a plain value, 1 for a container of such."""
        if node.__class__ is tuple:
            known = self._tuples.get(id(node))
            return 1 if known is None else known[0]
        if node.__class__ is Bag or node.__class__ is Made:
            return node.depth
        return node.node.depth if node.__class__ is Alias else 0

    def around(self, items: Iterable[Node]) -> int:
        """The depth of a container with these items. Raises LimitError."""
        depth = 1
        for item in items:
            kind = item.__class__
            if kind is not int and kind is not Global and (inner := self.of(item)) >= depth:
                depth = inner + 1
        if depth > NESTING_MAX:
            raise LimitError("nesting", f"objects stand in one another more than {NESTING_MAX:,} deep")
        return depth

    def made(self, items: tuple[Node, ...]) -> tuple[Node, ...]:
        """`items`, a tuple that was made just now, with its depth remembered."""
        depth = self.around(items)
        if depth > 1:
            self._tuples[id(items)] = depth, items
        return items
