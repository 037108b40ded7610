"""``trust.toml``: what a trust store says of its keys (docs/trust.md). Text becomes frozen types here, once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from safeload.errors import KeyFileError
from safeload.keys.patterns import is_pattern
from safeload.keys.terms import KeyTerms, Role
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEDGER", "Ledger", "parse_ledger"]

LEDGER = "trust.toml"
_VERSION = 1
_KEYS_MAX, _ROLES_MAX = 10_000, 1_000
_TEXT_MAX = 1_000
_DOTS_MAX = 256
_KEYID = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Ledger:
    """`terms` by keyid: keys that it does not list do not count. Whoever has `roles` has one for every model."""

    terms: Mapping[str, KeyTerms]
    roles: tuple[Role, ...] = field(default=())


def parse_ledger(data: bytes, path: str) -> Ledger:
    """Strict: what is not known here may restrict a key. Raises KeyFileError with the path of the field."""
    if any(line.count(b".") > _DOTS_MAX for line in data.split(b"\n")):
        # What a dotted key costs grows with the square of its length, and nothing here has one.
        raise KeyFileError(
            f"{printable(path)} has a line with more than {_DOTS_MAX} dots",
            path=path,
            hint="in an array, a line for each pattern",
        )
    try:
        top = _Table(tomllib.loads(data.decode("utf-8")), path, "")
    except (ValueError, RecursionError) as error:  # of UTF-8, of TOML, of a number with too many digits
        raise KeyFileError(f"{printable(path)} is not TOML: {printable(str(error))}", path=path) from None
    if top.take("version", int) != _VERSION:
        raise KeyFileError(
            f"{printable(path)} is not of version {_VERSION}, which is all that this safeload reads",
            path=path,
            hint="pip install --upgrade safeload",
        )
    keys, roles = top.tables("key", _KEYS_MAX), top.tables("role", _ROLES_MAX)
    top.done()
    terms: dict[str, KeyTerms] = {}
    for table in keys:
        keyid = table.keyid("keyid")
        if keyid in terms:
            raise table.wrong("keyid", "stands there twice")
        terms[keyid] = _terms(table)
    return Ledger(terms, tuple(_role(table, terms) for table in roles))


def _terms(table: _Table) -> KeyTerms:
    terms = KeyTerms(
        owner=table.text("owner"),
        valid_from=table.time("valid-from"),
        valid_until=table.time("valid-until"),
        revoked_at=table.time("revoked-at"),
        revoked_because=table.text("revoked-because"),
        models=table.patterns("models"),
    )
    table.done()
    if terms.valid_from and terms.valid_until and terms.valid_from >= terms.valid_until:
        raise table.wrong("valid-until", "is not after valid-from: the key would never count")
    if terms.revoked_because and not terms.revoked_at:
        raise table.wrong("revoked-because", "stands there without revoked-at: is the key revoked, or not?")
    return terms


def _role(table: _Table, terms: Mapping[str, KeyTerms]) -> Role:
    name, threshold = table.text("name", required=True), table.take("threshold", int)
    keyids = table.take("keyids", list)
    role = Role(name=name, keyids=tuple(keyids), threshold=threshold, models=table.patterns("models"))
    table.done()
    if any(keyid not in terms for keyid in keyids if isinstance(keyid, str)) or not all(
        isinstance(keyid, str) for keyid in keyids
    ):
        raise table.wrong("keyids", "names a key that no [[key]] lists")
    if len(set(keyids)) != len(keyids):
        raise table.wrong("keyids", "names a key twice")
    if type(threshold) is not int or not 1 <= threshold <= len(keyids):
        raise table.wrong("threshold", f"is not 1 to {len(keyids)}, the number of keys in the role")
    return role


class _Table:
    """A table of which each key is taken once; `done` refuses those that nobody took."""

    def __init__(self, values: dict[str, Any], path: str, place: str) -> None:
        self._values, self._path, self._place = dict(values), path, place

    def wrong(self, key: str, reason: str) -> KeyFileError:
        where = f"{self._place}.{key}" if self._place else key
        return KeyFileError(f"{printable(self._path)}: {printable(where)} {reason}", path=self._path)

    def done(self) -> None:
        for key in self._values:
            raise self.wrong(key, "is not known to this version, and might restrict a key: it is not passed over")

    def take(self, key: str, kind: type, *, default: Any = None) -> Any:
        value = self._values.pop(key, default)
        if type(value) is not kind:
            raise self.wrong(key, "is missing" if value is None else f"is no {_SPOKEN[kind]}")
        return value

    def tables(self, key: str, most: int) -> list[_Table]:
        found = self.take(key, list, default=[])
        if len(found) > most:
            raise self.wrong(key, f"has more than {most:,} entries")
        if not all(type(each) is dict for each in found):
            raise self.wrong(key, f"is not written [[{key}]]")
        return [_Table(each, self._path, f"{key}[{number}]") for number, each in enumerate(found)]

    def keyid(self, key: str) -> str:
        value: str = self.take(key, str)
        if not _KEYID.match(value):
            raise self.wrong(key, "is not 64 lower-case hexadecimal digits")
        return value

    def text(self, key: str, *, required: bool = False) -> str:
        value: str = self.take(key, str, default=None if required else "")
        if len(value) > _TEXT_MAX or (required and not value):
            raise self.wrong(key, f"is not 1 to {_TEXT_MAX:,} characters")
        return value

    def time(self, key: str) -> datetime | None:
        if key not in self._values:
            return None
        value: datetime = self.take(key, datetime)
        if value.tzinfo is None:
            raise self.wrong(key, "has no offset: end it with Z for UTC")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise self.wrong(key, "is before the year 1 or after 9999 in UTC") from None

    def patterns(self, key: str) -> tuple[str, ...] | None:
        if key not in self._values:
            return None
        found: list[Any] = self.take(key, list)
        if not found or not all(isinstance(each, str) and is_pattern(each) for each in found):
            raise self.wrong(key, 'is no list of names or patterns, such as ["churn", "fraud/*"]')
        return tuple(found)


_SPOKEN = {int: "whole number", str: "text", list: "list", datetime: "date with a time, such as 2026-01-31T00:00:00Z"}
