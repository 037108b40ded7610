"""How deep containers stand in one another, and how large they are when whatever is shared counts each time.

Hashing, comparing and showing them are recursive, and do not know what they have seen already: a tuple of two times
itself, thirty times over, is 150 bytes in a file and a billion items for ``repr``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import LimitError
from safeload.readers.nodes import Alias, Bag, Made

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.data import Data
    from safeload.readers.nodes import Node

__all__ = ["NESTING_MAX", "OPAQUE", "Extents", "too_deep"]

NESTING_MAX = 5_000
_LIBRARIES = frozenset(
    {"builtins", "catboost", "collections", "functools", "joblib", "lightgbm", "numpy", "pandas", "pyarrow", "scipy"}
    | {"sklearn", "xgboost"}
)
# Neither shown, hashed nor compared by their parts, which point at each other and back at who holds them.
OPAQUE = frozenset(
    {("sklearn.cluster._birch", "_CFNode"), ("sklearn.cluster._birch", "_CFSubcluster")}
    | {("sklearn.utils._metadata_requests", name) for name in ("MetadataRequest", "MethodMetadataRequest")}
)
_WEIGHT_FLOOR = 100_000
_WEIGHT_RATIO = 100  # items for each byte of the file


def _is_users(made: Made) -> bool:
    """A class of one's own is shown by its name, and may be part of a graph; those of libraries show their parts."""
    if made.source is None:
        return False
    return made.source.key in OPAQUE or made.source.module.partition(".")[0] not in _LIBRARIES


def too_deep() -> LimitError:
    """What is raised for more than `NESTING_MAX` levels."""
    return LimitError("nesting", f"objects stand in one another more than {NESTING_MAX:,} deep")


class Extent(NamedTuple):
    """`depth` is 0 for a plain value, 1 for a container of such; `weight` counts values with repetition."""

    depth: int
    weight: int


_PLAIN = Extent(0, 0)


class Extents:
    """Tuples have no place for numbers: those that hold more than plain values are remembered by identity."""

    __slots__ = ("_data", "_tuples")

    def __init__(self, data: Data) -> None:
        self._data = data
        # the tuple too, so that the identity stays its own
        self._tuples: dict[int, tuple[int, int, tuple[Node, ...]]] = {}

    def of(self, node: Node) -> Extent:
        """(0, 0) for a plain value."""
        if isinstance(node, tuple):
            known = self._tuples.get(id(node))
            return Extent(1, len(node)) if known is None else Extent(*known[:2])
        if isinstance(node, Alias):
            node = node.node
        return Extent(node.depth, node.weight) if isinstance(node, Bag | Made) else _PLAIN

    def around(self, items: Iterable[Node]) -> Extent:
        """The extent of a container with these items. Raises LimitError."""
        depth, weight = 1, 1
        for item in items:
            weight += 1
            if item.__class__ is not int:
                # Without a call for objects, of which lists have a thousand.
                inner, heavy = (item.depth, item.weight) if isinstance(item, Made) else self.of(item)
                weight += heavy
                if inner >= depth:
                    depth = inner + 1
        if depth > NESTING_MAX:
            raise too_deep()
        if weight > _WEIGHT_FLOOR and weight > _WEIGHT_RATIO * self._data.size:
            raise LimitError("nesting", f"so small a file holds more than {weight:,} values, counted with repetition")
        return Extent(depth, weight)

    def made(self, items: tuple[Node, ...]) -> tuple[Node, ...]:
        """`items`, a tuple that was made just now, with its extent remembered."""
        for item in items:
            if item.__class__ is not int:
                depth, weight = self.around(items)
                self._tuples[id(items)] = depth, weight, items
                break
        return items

    def grow(self, holder: Bag | Made, items: Iterable[Node]) -> None:
        """`holder` gets these items besides what it has."""
        depth, weight = self.around(items)
        if depth > holder.depth:
            holder.depth = depth
        if isinstance(holder, Made) and _is_users(holder):
            return
        holder.weight += weight
        if holder.weight > _WEIGHT_FLOOR:
            self.around((holder,))
