"""Changing and listing a trust store that is a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import KeyFileError
from safeload.hazmat import keyfiles
from safeload.keys import folder as folders
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.keyfile import PUBLIC_MODE, NewFile, cannot, create_all, path_text
from safeload.keys.keyid import short
from safeload.keys.trust import TrustStore
from safeload.keys.trusted import TrustedKey, read_trusted_key
from safeload.text import printable

if TYPE_CHECKING:
    import os

__all__ = ["TrustAddition", "trust_add", "trust_list"]


@dataclass(frozen=True, slots=True)
class TrustAddition:
    """``path`` holds ``key`` in the store now; ``added`` is False where it was there before, maybe by another name."""

    key: TrustedKey
    path: Path
    added: bool


def trust_add(public_key_path: str | os.PathLike[str], store_folder: str | os.PathLike[str]) -> TrustAddition:
    """Copy a public key into the folder as SubjectPublicKeyInfo PEM, ``<stem>.pub``; the folder is made if need be.

    Raises KeyFileError: for what is no public key, and where another key has the name.
    """
    key = _public_key(public_key_path)
    folder = Path(path_text(store_folder))
    _make(folder)
    # A name with a leading dot would not count in the store.
    target = folder / f"{Path(path_text(public_key_path)).stem.lstrip('.') or 'key'}.pub"
    for path, present in folders.public_keys(folder):
        if present.keyid == key.keyid:
            return TrustAddition(present, path, added=False)
        if path == target:
            raise KeyFileError(
                f"{printable(str(target))} is another key, {short(present.keyid)}",
                path=str(target),
                hint="rename the file that you add: a key's name in the store is its file's",
            )
    create_all([NewFile(str(target), keyfiles.public_pem(key.public), PUBLIC_MODE)])
    return TrustAddition(key, target, added=True)


def trust_list(store_folder: str | os.PathLike[str]) -> tuple[TrustedKey, ...]:
    """The public keys of a folder, by name, each once. Raises KeyFileError as `TrustStore.open` does."""
    return TrustStore.open(store_folder).keys


def _public_key(path: str | os.PathLike[str]) -> TrustedKey:
    key = read_trusted_key(path)
    if key.algorithm == HMAC_SHA256:
        raise KeyFileError(
            f"{printable(path_text(path))} is an HMAC key, a secret that does not count in a folder",
            path=path_text(path),
            hint="name it itself: --trust team.hmac",
        )
    return key


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot("make", str(folder), error) from error
