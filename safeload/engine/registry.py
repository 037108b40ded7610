"""The end check: after STOP, before the object is returned, the finished objects are held against each other.

A state can be valid for each part and wrong for the whole: a genuine tree of five million features in an
estimator of four. Checkers look at all objects of a class at once, so that a forest is one vectorised pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["Checker", "Registry"]

Key = tuple[str, str]

# Given every object of its class and of classes derived from it. Raises CodecError.
Checker = Callable[[list[Any]], None]


class Registry:
    """Every object of one file that got a state, by its class."""

    def __init__(self) -> None:
        self._objects: dict[type, list[Any]] = {}

    def keep(self, value: Any) -> Any:
        """Checkpoint behind a BUILD."""
        self._objects.setdefault(type(value), []).append(value)
        return value

    def keep_all(self, values: list[Any]) -> list[Any]:
        """The same for many, as a rule of one class."""
        kind = type(values[0]) if values else object
        if [*map(type, values)].count(kind) == len(values):
            self._objects.setdefault(kind, []).extend(values)
            return values
        return [self.keep(value) for value in values]

    def check(self, checkers: Mapping[Key, Checker]) -> None:
        """Run each checker on the objects that it is for. Raises CodecError."""
        found: dict[Key, list[Any]] = {}
        for kind, values in self._objects.items():
            for key in _keys(kind):
                if key in checkers:
                    found.setdefault(key, []).extend(values)
        for key, values in found.items():
            checkers[key](values)


_KEYS: WeakKeyDictionary[type, list[Key]] = WeakKeyDictionary()


def _keys(kind: type) -> list[Key]:
    """The names of the class and of what it derives from."""
    keys = _KEYS.get(kind)
    if keys is None:
        keys = _KEYS[kind] = [(each.__module__, each.__qualname__) for each in kind.__mro__]
    return keys
