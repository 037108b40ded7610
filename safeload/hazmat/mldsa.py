"""ML-DSA-65 (FIPS 204), pure, with an empty context: signatures that a quantum computer does not forge.

A secret is the seed of 32 bytes (FIPS 204, algorithm 6), a public key 1,952 bytes, a signature 3,309.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safeload.errors import AlgorithmError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

__all__ = ["PUBLIC_BYTES", "SECRET_BYTES", "SIGNATURE_BYTES", "defect", "new_secret", "public_key", "sign", "verify"]

SECRET_BYTES, PUBLIC_BYTES, SIGNATURE_BYTES = 32, 1_952, 3_309


def new_secret() -> bytes:
    """A seed: 32 bytes of the system's randomness."""
    return os.urandom(SECRET_BYTES)


def public_key(secret: bytes) -> bytes:
    """The 1,952 bytes of the public key that belongs to the seed `secret`. Raises AlgorithmError, as the others do."""
    return _private(secret).public_key().public_bytes_raw()


def sign(secret: bytes, message: bytes) -> bytes:
    """The 3,309 bytes of the signature over `message`, hedged: two are not the same."""
    return _private(secret).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message`."""
    from cryptography.exceptions import InvalidSignature

    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        _public(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def defect(public: bytes) -> str:
    """What is wrong with `public`; empty if nothing is. Any 1,952 bytes are a public key."""
    return "" if len(public) == PUBLIC_BYTES else f"has {len(public)} bytes instead of {PUBLIC_BYTES}"


def _private(secret: bytes) -> MLDSA65PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

    try:
        return MLDSA65PrivateKey.from_seed_bytes(secret)
    except UnsupportedAlgorithm:
        raise _without_mldsa() from None


def _public(public: bytes) -> MLDSA65PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    try:
        return MLDSA65PublicKey.from_public_bytes(public)
    except UnsupportedAlgorithm:
        raise _without_mldsa() from None


def _without_mldsa() -> AlgorithmError:
    text = "the cryptography that is installed was built without ML-DSA, which keys of types ml-dsa-65 and "
    hint = "pip install --force-reinstall cryptography, which brings a build that has it"
    return AlgorithmError(f"{text}ed25519+ml-dsa-65 need", hint=hint)
