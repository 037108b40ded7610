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
from safeload.keys.keyfile import cannot, path_text
from safeload.keys.trusted import TrustedKey, read_trusted_key
from safeload.text import plural, printable
from safeload.warn import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["IgnoredKeyWarning", "public_keys", "shared_keys", "warn_of_ignored"]

MOST_FILES = 10_000
_NEWER = "trust.toml"


class IgnoredKeyWarning(UserWarning):
    """A file that looks like a key lies in a trust store and does not count."""


def public_keys(folder: str | os.PathLike[str]) -> tuple[tuple[Path, TrustedKey], ...]:
    """The ``*.pub`` files of `folder`, by name. Raises KeyFileError: one is malformed, or a newer safeload made it."""
    names = _names(folder)
    if any(name.casefold() == _NEWER for name in names):
        raise KeyFileError(
            f"{_shown(folder)} has a {_NEWER} of a newer safeload: it may revoke keys that this one would trust",
            path=path_text(folder),
            hint="pip install --upgrade safeload",
        )
    paths = [Path(folder, name) for name in names if name.endswith(".pub")]
    return tuple((path, _public(path)) for path in paths)


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
