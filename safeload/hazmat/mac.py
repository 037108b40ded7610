"""HMAC-SHA256 (RFC 2104, FIPS 180-4) from the standard library, which calls OpenSSL."""

from __future__ import annotations

import hmac
import os

__all__ = ["KEY_BYTES", "TAG_BYTES", "new_key", "tag", "verify"]

KEY_BYTES = 32
TAG_BYTES = 32


def new_key() -> bytes:
    """32 bytes of the system's randomness (docs/format.md, 7.4)."""
    return os.urandom(KEY_BYTES)


def tag(key: bytes, message: bytes) -> bytes:
    """The 32 bytes of the tag, never cut short."""
    return hmac.digest(key, message, "sha256")


def verify(key: bytes, message: bytes, claimed: bytes) -> bool:
    """Whether `claimed` is the tag of `message`; the time taken says nothing about where they differ."""
    return hmac.compare_digest(tag(key, message), claimed)
