"""Take typed fields out of parsed JSON; errors compose the path (``members[3].size``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from safeload.errors import FormatError
from safeload.text import printable

if TYPE_CHECKING:
    import re
    from collections.abc import Container, Mapping

__all__ = ["Fields", "bad_value"]

T = TypeVar("T")
_JSON_NAMES = {dict: "object", list: "array", str: "string", int: "int", float: "number", bool: "boolean"}


def bad_value(where: str, reason: str) -> FormatError:
    return FormatError("bad-value", f"the manifest's {where} {reason}")


class Fields:
    """A JSON object of which each key is taken exactly once; `done` refuses those that nobody took."""

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self.values: Mapping[str, Any] = values
        self._path = path
        self._taken: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def done(self, ignore: str = "") -> None:
        for key in self.values:
            if key not in self._taken and not (ignore and key.startswith(ignore)):
                raise FormatError("unknown-key", f"the manifest holds an unknown key (at {self.at(printable(key))})")

    def integer(self, key: str) -> int:
        value = _expect(self._take(key), int, self.at(key))
        if value < 0:
            raise bad_value(self.at(key), "is negative")
        return value

    def string(self, key: str) -> str:
        return _expect(self._take(key), str, self.at(key))

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.string(key)
        if not pattern.match(value):
            raise bad_value(self.at(key), f'is "{printable(value, 80)}", not of the right form')
        return value

    def one_of(self, key: str, known: Container[str]) -> str:
        value = self.string(key)
        if value not in known:
            raise bad_value(self.at(key), f'is "{printable(value, 80)}", which is unknown')
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        return _expect(self._take(key), dict, self.at(key))

    def string_mapping(self, key: str) -> dict[str, str]:
        values = self.mapping(key)
        return {name: _expect(value, str, f"{self.at(key)}.{printable(name)}") for name, value in values.items()}

    def strings(self, key: str) -> tuple[str, ...]:
        return tuple(_expect(value, str, where) for value, where in self._items(key))

    def integers(self, key: str) -> tuple[int, ...]:
        return tuple(_natural(value, where) for value, where in self._items(key))

    def fields(self, key: str) -> Fields:
        return Fields(self.mapping(key), self.at(key))

    def list_of_fields(self, key: str) -> list[Fields]:
        return [Fields(_expect(value, dict, where), where) for value, where in self._items(key)]

    def optional_fields(self, key: str) -> Fields | None:
        return None if self._is_null(key) else self.fields(key)

    def optional_string(self, key: str) -> str | None:
        return None if self._is_null(key) else self.string(key)

    def optional_integer(self, key: str) -> int | None:
        return None if self._is_null(key) else self.integer(key)

    def optional_lengths(self, key: str) -> tuple[int, ...] | None:
        """Integers of any sign: their rule has a violation of its own."""
        return None if self._is_null(key) else tuple(_expect(value, int, where) for value, where in self._items(key))

    def _is_null(self, key: str) -> bool:
        return self._take(key) is None

    def _items(self, key: str) -> list[tuple[Any, str]]:
        values = _expect(self._take(key), list, self.at(key))
        return [(value, f"{self.at(key)}[{index}]") for index, value in enumerate(values)]

    def _take(self, key: str) -> Any:
        if key not in self.values:
            raise FormatError("missing-key", f"the manifest lacks a key (at {self.at(key)})")
        self._taken.add(key)
        return self.values[key]


def _natural(value: Any, where: str) -> int:
    number = _expect(value, int, where)
    if number < 0:
        raise bad_value(where, "is negative")
    return number


def _expect(value: Any, kind: type[T], where: str) -> T:
    # bool is a subclass of int: `true` must not pass for 1.
    if type(value) is not kind:
        got = "null" if value is None else _JSON_NAMES[type(value)]
        raise FormatError("wrong-type", f"expected {_JSON_NAMES[kind]}, got {got} (at {where})")
    return value
