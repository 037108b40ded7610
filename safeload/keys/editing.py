"""Changing ``trust.toml``: comments and order of what is there stay, and the file is replaced whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.container.atomic import atomic_file
from safeload.container.frames import write_all
from safeload.container.locks import locked_folder
from safeload.keys import folder as folders
from safeload.keys.keyfile import cannot
from safeload.keys.ledger import LEDGER, parse_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from safeload.keys.terms import KeyTerms, Role
    from safeload.keys.trusted import TrustedKey

__all__ = ["edit_ledger", "set_revocation", "set_role", "set_terms"]

_HEAD = """\
# Whose signatures count, from when to when, and for which models: docs/trust.md.
# A .pub file beside this one counts only if it is listed here.
"""


def edit_ledger(folder: Path, change: Callable[[Any], None]) -> None:
    """Let `change` change the document, which is made if need be, with all keys that count without it.

    What could not be read again is not written. Raises KeyFileError.
    """
    import tomlkit  # 20 ms that only those pay who change a store

    path = folder / LEDGER
    with locked_folder(folder):
        if folders.ledger(folder) is None:
            document = tomlkit.parse(_HEAD + "version = 1\n")
            for _, key in folders.public_keys(folder):
                _append(document, "key", {"keyid": key.keyid})
        else:
            document = tomlkit.parse(folders.read_ledger(path).decode("utf-8"))
        change(document)
        data = tomlkit.dumps(document).encode("utf-8")
        parse_ledger(data, str(path))
        try:
            with atomic_file(path) as descriptor:
                write_all(descriptor, memoryview(data), 0)
        except OSError as error:
            raise cannot("write", str(path), error) from error


def set_terms(document: Any, key: TrustedKey, terms: KeyTerms) -> None:
    """List `key`, or change what is said of it where `terms` say something."""
    table = _table_of(document, key)
    for name, value in (
        ("owner", terms.owner or None),
        ("valid-from", terms.valid_from),
        ("valid-until", terms.valid_until),
        ("models", _lines(terms.models) if terms.models else None),
    ):
        if value is not None:
            table[name] = value


def set_revocation(document: Any, key: TrustedKey, at: datetime, reason: str) -> None:
    """The key counts no more from `at` on, or from an earlier time at which it was revoked already."""
    table = _table_of(document, key)
    before = table.get("revoked-at")
    if before is None or at < before:
        table["revoked-at"] = at
    if reason:
        table["revoked-because"] = reason


def set_role(document: Any, role: Role) -> None:
    """Add `role`, or replace the one of that name."""
    values = {
        "name": role.name,
        "threshold": role.threshold,
        "keyids": _lines(role.keyids),
        **({"models": _lines(role.models)} if role.models else {}),
    }
    for table in document.get("role", ()):
        if table.get("name") == role.name:
            for gone in set(table) - set(values):
                del table[gone]
            table.update(values)
            return
    _append(document, "role", values)


def _table_of(document: Any, key: TrustedKey) -> Any:
    for table in document.get("key", ()):
        if table.get("keyid") == key.keyid:
            return table
    return _append(document, "key", {"keyid": key.keyid})


def _append(document: Any, name: str, values: dict[str, Any]) -> Any:
    import tomlkit

    if name not in document:
        document.append(name, tomlkit.aot())
    table = tomlkit.table()
    table.trivia.indent = "\n"  # an empty line before each
    for key, value in values.items():
        table.add(key, value)
    document[name].append(table)
    return document[name][-1]


def _lines(values: Iterable[str]) -> Any:
    """A keyid or pattern on each line, so that a review shows which one came or went."""
    import tomlkit

    array = tomlkit.array()
    array.extend(values)
    return array.multiline(multiline=True)
