"""keyids (docs/format.md, 7.3): 64 lower-case hexadecimal digits that name a key by its content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from safeload.hazmat import keyfiles
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.hazmat.kinds import Key

__all__ = ["hmac_keyid", "public_keyid", "public_pem", "short"]

_HMAC_DOMAIN = b"safeload/v1 hmac\0"
_SHORT_DIGITS = 8


def public_keyid(public: Key) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo of `public`; of a hybrid, of those of its parts in order."""
    return hashlib.sha256(keyfiles.public_der(public)).hexdigest()


def hmac_keyid(key: bytes) -> str:
    """SHA-256 of a prefix and the 32 bytes of `key`. The prefix keeps it apart from every other hash of the key."""
    return hashlib.sha256(_HMAC_DOMAIN + key).hexdigest()


def public_pem(public: Key) -> bytes:
    """The SubjectPublicKeyInfo of `public` as PEM, as ``keygen`` writes it."""
    return keyfiles.public_pem(public)


def short(keyid: str) -> str:
    """The first eight digits and three dots, as messages show a keyid. For people: nothing compares it."""
    return printable(keyid[:_SHORT_DIGITS]) + "..."
