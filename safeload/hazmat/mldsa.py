"""ML-DSA-65 (FIPS 204), pure, with an empty context: signatures that a quantum computer does not forge.

A secret is the seed of 32 bytes (FIPS 204, algorithm 6), a public key 1,952 bytes, a signature 3,309.
"""

from __future__ import annotations

import os

__all__ = ["PUBLIC_BYTES", "SECRET_BYTES", "SIGNATURE_BYTES", "defect", "new_secret", "public_key", "sign", "verify"]

SECRET_BYTES, PUBLIC_BYTES, SIGNATURE_BYTES = 32, 1_952, 3_309


def new_secret() -> bytes:
    """A seed: 32 bytes of the system's randomness."""
    return os.urandom(SECRET_BYTES)


def public_key(secret: bytes) -> bytes:
    """The 1,952 bytes of the public key that belongs to the seed `secret`."""
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

    return MLDSA65PrivateKey.from_seed_bytes(secret).public_key().public_bytes_raw()


def sign(secret: bytes, message: bytes) -> bytes:
    """The 3,309 bytes of the signature over `message`, hedged: two are not the same."""
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

    return MLDSA65PrivateKey.from_seed_bytes(secret).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        MLDSA65PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def defect(public: bytes) -> str:
    """What is wrong with `public`; empty if nothing is. Any 1,952 bytes are a public key."""
    return "" if len(public) == PUBLIC_BYTES else f"has {len(public)} bytes instead of {PUBLIC_BYTES}"
