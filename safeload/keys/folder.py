"""A trust store as a folder: each ``*.pub`` file in it is a key whose signatures count.

Names that begin with a dot do not count, as in a shell's ``*.pub``. Links count: Kubernetes mounts files as links.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import KeyFileError
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.keyfile import cannot, path_text, read_key_file
from safeload.keys.ledger import LEDGER, parse_ledger
from safeload.keys.trusted import TrustedKey, read_trusted_key
from safeload.text import plural, printable
from safeload.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safeload.keys.ledger import Ledger

__all__ = [
    "IgnoredKeyWarning",
    "has_ledger",
    "ledger",
    "listed",
    "public_keys",
    "read_ledger",
    "shared_keys",
    "warn_of_ignored",
]

MOST_FILES = 10_000
_SHOWN_IGNORED = 3
_LEDGER_BYTES = 4 << 20


class IgnoredKeyWarning(UserWarning):
    """A file that looks like a key lies in a trust store and does not count."""


def public_keys(folder: str | os.PathLike[str]) -> tuple[tuple[Path, TrustedKey], ...]:
    """The ``*.pub`` files of `folder`, by name. Raises KeyFileError if one is malformed."""
    paths = [Path(folder, name) for name in _names(folder) if name.endswith(".pub")]
    return tuple((path, _public(path)) for path in paths)


def ledger(folder: str | os.PathLike[str]) -> Ledger | None:
    """What the ``trust.toml`` of `folder` says; None if there is none. Raises KeyFileError."""
    if not has_ledger(folder):
        return None
    path = Path(folder, LEDGER)
    return parse_ledger(read_ledger(path), str(path))


def has_ledger(folder: str | os.PathLike[str]) -> bool:
    """Whether there is one. Raises KeyFileError for one by another name."""
    found = [name for name in _names(folder) if name.casefold() == LEDGER]
    if not found:
        return False
    if found != [LEDGER]:  # where names differ in case only, one machine honours what another does not see
        raise KeyFileError(f"{_shown(folder)} has {' and '.join(map(_shown, found))}: call it {LEDGER}")
    return True


def read_ledger(path: Path) -> bytes:
    """Bounded, and never a pipe or a device. Raises KeyFileError."""
    return read_key_file(path, what="trust store", most=_LEDGER_BYTES).data


def listed(folder: str | os.PathLike[str], keys: Sequence[TrustedKey], ledger: Ledger) -> tuple[TrustedKey, ...]:
    """Those of `keys` that the ledger lists. Warns of the others: they may have been put there by anybody."""
    others = [key.name for key in keys if key.keyid not in ledger.terms]
    if others:
        names = ", ".join(f"{printable(name)}.pub" for name in others[:_SHOWN_IGNORED])
        more = f" and {len(others) - _SHOWN_IGNORED} more" if len(others) > _SHOWN_IGNORED else ""
        warn_caller(
            f"{names}{more} in {_shown(folder)} is ignored: {LEDGER} does not list it; safeload trust add lists it",
            IgnoredKeyWarning,
        )
    return tuple(key for key in keys if key.keyid in ledger.terms)


def _public(path: Path) -> TrustedKey:
    key = read_trusted_key(path)
    if key.algorithm == HMAC_SHA256:
        raise KeyFileError(
            f"{_shown(path)} holds an HMAC key, which is a secret and not a public key",
            path=str(path),
            hint="rename it to end with .hmac, and name it itself where it shall count",
        )
    return key


def shared_keys(paths: Iterable[str | os.PathLike[str]]) -> tuple[TrustedKey, ...]:
    """The HMAC keys of `paths`, which the verifier named one by one (docs/format.md, 7.4). Raises KeyFileError."""
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise TypeError("shared takes a list of paths")
    return tuple(_shared(path) for path in paths)


def _shared(path: str | os.PathLike[str]) -> TrustedKey:
    key = read_trusted_key(path)
    if key.algorithm != HMAC_SHA256:
        raise KeyFileError(
            f"{_shown(path)} is not an HMAC key, and shared names HMAC keys",
            path=path_text(path),
            hint="put public keys into the folder: safeload trust add team.pub --store keys/",
        )
    return key


def warn_of_ignored(folder: str | os.PathLike[str], shared: Sequence[str | os.PathLike[str]]) -> None:
    """Warn of each ``*.hmac`` in `folder` that is not one of `shared`.

    If it counted, whoever can put a file into the folder could sign with a secret of their own choice, and a public
    store would spread a secret that signs.
    """
    named = {os.path.realpath(path) for path in shared}
    for name in _names(folder):
        path = str(Path(folder, name))
        if name.endswith(".hmac") and os.path.realpath(path) not in named:
            message = f"{printable(path)} is ignored: an HMAC key counts only where it is named itself"
            warn_caller(message, IgnoredKeyWarning)


def _names(folder: str | os.PathLike[str]) -> list[str]:
    """The names in `folder` that do not begin with a dot, sorted. Raises KeyFileError."""
    text = path_text(folder)
    try:
        with os.scandir(text) as entries:
            names = [entry.name for entry in islice(entries, MOST_FILES + 1)]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot(
            "read the trust store", text, error, "make one: safeload trust add team.pub --store keys/"
        ) from error
    if len(names) > MOST_FILES:
        raise KeyFileError(
            f"{printable(text)} holds more than {plural(MOST_FILES, 'file')}: not a trust store", path=text
        )
    return sorted(name for name in names if not name.startswith("."))


def _shown(path: str | os.PathLike[str]) -> str:
    return printable(os.fspath(path))
