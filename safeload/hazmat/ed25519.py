"""Pure Ed25519 (RFC 8032, section 5.1) on raw bytes: seeds and public keys of 32, signatures of 64."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["SEED_BYTES", "SIGNATURE_BYTES", "new_seed", "public_key", "sign", "verify"]

SEED_BYTES = 32
SIGNATURE_BYTES = 64


def new_seed() -> bytes:
    """A private key: 32 bytes of the system's randomness (RFC 8032, 5.1.5)."""
    return os.urandom(SEED_BYTES)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key that belongs to `seed`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # 11 ms

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of the signature over `message`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # 11 ms

    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` under `public`, which must have passed `points.defect`.

    OpenSSL's equation has no cofactor, and it refuses an S that is not below the order of the group (5.1.7).
    """
    from cryptography.exceptions import InvalidSignature  # 11 ms

    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        _public_key(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@functools.lru_cache(maxsize=64)
def _public_key(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # 11 ms

    return ed25519.Ed25519PublicKey.from_public_bytes(public)
