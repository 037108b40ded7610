"""The memo of a stream that writes an entry before the ones below it, which no pickler does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GapError", "SparseMemo"]


class GapError(Exception):
    """A memo entry is written before the ones below it: a SparseMemo is needed."""


class SparseMemo(dict[int, Any]):
    """Counts as CPython's unpickler does (Modules/_pickle.c, ``memo_len``): MEMOIZE writes under the number of entries,
    wherever these stand, and over the one that is there. Slower than a list, and seldom needed."""

    def __missing__(self, key: int) -> Any:
        raise IndexError(key)

    def append(self, value: Any) -> None:
        self[len(self)] = value

    def __iadd__(self, values: Iterable[Any]) -> SparseMemo:
        for value in values:
            self.append(value)
        return self
