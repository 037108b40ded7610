"""For whom a file is encrypted: public keys of recipients, or one passphrase."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from safeload.hazmat import encryption_keyfiles, encryption_keys
from safeload.keys.keyfile import path_text, read_key_file
from safeload.keys.keyid import short
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Audience", "Recipient", "audience_from", "encryption_keyid", "secret_of"]

RECIPIENTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may read: the public half of an :class:`Identity`. ``kind`` is ``x25519`` or ``mlkem768-x25519``.

    ``keyid`` is SHA-256 of the DER SubjectPublicKeyInfo. Raises ValueError for bytes that are no key.
    """

    kind: str
    public: bytes = field(repr=False, compare=False)
    name: str = field(default="", compare=False)
    keyid: str = field(init=False)

    def __post_init__(self) -> None:
        if self.kind not in (encryption_keys.X25519, encryption_keys.HYBRID):
            raise ValueError(f"no recipient has a key of kind {self.kind!r}")
        encryption_keys.public_key(self.kind, self.public)
        object.__setattr__(self, "keyid", encryption_keyid(self.kind, self.public))

    @staticmethod
    def from_file(path: str | os.PathLike[str]) -> Recipient:
        """The public key in a ``.recipient`` file. Raises KeyFileError, AlgorithmError."""
        file = read_key_file(path)
        kind, public = encryption_keyfiles.load_public(file.data, file.path)
        return Recipient(kind, public, printable(Path(file.path).stem))

    def __str__(self) -> str:
        return f"{self.name} ({short(self.keyid)})" if self.name else short(self.keyid)


@dataclass(frozen=True, slots=True)
class Audience:
    """All who may read one file: recipients, or those who know a passphrase. Never both, and never nobody."""

    recipients: tuple[Recipient, ...] = ()
    passphrase: bytes | None = field(default=None, repr=False)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an audience may hold a passphrase and is not pickled or copied")


def encryption_keyid(kind: str, public: bytes) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo of a key for encryption."""
    return hashlib.sha256(encryption_keyfiles.public_der(kind, public)).hexdigest()


def audience_from(
    recipients: Iterable[Recipient | str | os.PathLike[str]] | Recipient | str | os.PathLike[str] | None,
    passphrase: str | bytes | None,
) -> Audience | None:
    """What `dump` was given, or None where the file is not to be encrypted. An empty list would encrypt for nobody.

    Raises TypeError, ValueError and what `Recipient.from_file` raises.
    """
    found: dict[str, Recipient] = {}
    if isinstance(recipients, (Recipient, str, os.PathLike)):
        recipients = (recipients,)
    for given in recipients or ():
        recipient = _recipient(given)
        found.setdefault(recipient.keyid, recipient)
    if len(found) > RECIPIENTS_MAX:
        raise ValueError(f"a file has at most {RECIPIENTS_MAX} recipients, not {len(found)}")
    secret = secret_of(passphrase)
    if recipients is not None and not found and secret is None:
        # A list that came out empty by mistake must not leave the file open to everybody.
        raise ValueError("recipients is empty, so nobody could read the file; None leaves it unencrypted")
    if secret is not None and found:
        # Two ways to one key, one of them guessable: the passphrase would open what the others were given.
        raise ValueError("a passphrase stands alone: give recipients, or a passphrase")
    return Audience(tuple(found.values()), secret) if found or secret is not None else None


def _recipient(given: object) -> Recipient:
    if isinstance(given, Recipient):
        return given
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"recipients are Recipient objects or paths, not {type(given).__name__}")
    return Recipient.from_file(path_text(given))


def secret_of(passphrase: str | bytes | None) -> bytes | None:
    """The bytes of a passphrase: text in normal form C and UTF-8, so that every keyboard types the same one."""
    if passphrase is None:
        return None
    if isinstance(passphrase, str):
        passphrase = _utf8(unicodedata.normalize("NFC", passphrase))
    if not isinstance(passphrase, bytes):
        raise TypeError(f"passphrase must be str or bytes, not {type(passphrase).__name__}")
    if not passphrase:
        raise ValueError("an empty passphrase protects nothing: give one, or None")
    return passphrase


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # the inverse of how the environment was decoded
    except UnicodeEncodeError:
        pass  # raised below, outside the handler: this error holds the passphrase and would be kept as context
    raise ValueError("the passphrase is not valid Unicode")
