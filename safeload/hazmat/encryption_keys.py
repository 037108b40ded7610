"""Key pairs of recipients: X25519 (RFC 7748), and X-Wing, the hybrid of ML-KEM-768 and X25519.

The private half is a seed of 32 bytes for both.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from safeload.errors import AlgorithmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

    PrivateKey = X25519PrivateKey | MLKEM768X25519PrivateKey
    PublicKey = X25519PublicKey | MLKEM768X25519PublicKey

__all__ = [
    "HYBRID",
    "PUBLIC_BYTES",
    "SEED_BYTES",
    "X25519",
    "new_seed",
    "private_key",
    "public_bytes",
    "public_key",
]

X25519 = "x25519"
HYBRID = "mlkem768-x25519"

SEED_BYTES = 32
_MLKEM_PUBLIC_BYTES, _MLKEM_SEED_BYTES = 1184, 64
PUBLIC_BYTES: Mapping[str, int] = {X25519: 32, HYBRID: _MLKEM_PUBLIC_BYTES + 32}


def new_seed() -> bytes:
    """A private key of either kind: 32 bytes of the system's randomness."""
    return os.urandom(SEED_BYTES)


def public_bytes(kind: str, seed: bytes) -> bytes:
    """The raw public key that belongs to `seed`: 32 bytes, or 1,184 of ML-KEM-768 and 32 of X25519."""
    if kind == X25519:
        return _x25519(seed).public_key().public_bytes_raw()
    mlkem, x25519 = _expanded(seed)
    return _mlkem(mlkem).public_key().public_bytes_raw() + _x25519(x25519).public_key().public_bytes_raw()


def private_key(kind: str, seed: bytes) -> PrivateKey:
    """What HPKE decrypts with."""
    if kind == X25519:
        return _x25519(seed)
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

    mlkem, x25519 = _expanded(seed)
    return MLKEM768X25519PrivateKey(_mlkem(mlkem), _x25519(x25519))


def public_key(kind: str, public: bytes) -> PublicKey:
    """What HPKE encrypts with. Raises ValueError for bytes that are no key."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    if len(public) != PUBLIC_BYTES[kind]:
        raise ValueError(f"a public key of kind {kind} has {PUBLIC_BYTES[kind]} bytes, not {len(public)}")
    x25519 = X25519PublicKey.from_public_bytes(public[-32:])
    # A point of small order gives the same secret, zero, to everybody: refused here, and not only by HPKE later.
    _x25519(new_seed()).exchange(x25519)
    if kind == X25519:
        return x25519
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES])
    except UnsupportedAlgorithm:
        raise _without_mlkem() from None
    return MLKEM768X25519PublicKey(mlkem, x25519)


def _expanded(seed: bytes) -> tuple[bytes, bytes]:
    """X-Wing's expandDecapsulationKey: the seed of ML-KEM-768 and the scalar of X25519."""
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + 32)
    return expanded[:_MLKEM_SEED_BYTES], expanded[_MLKEM_SEED_BYTES:]


def _x25519(seed: bytes) -> X25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(seed)


def _mlkem(seed: bytes) -> MLKEM768PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

    try:
        return MLKEM768PrivateKey.from_seed_bytes(seed)
    except UnsupportedAlgorithm:
        raise _without_mlkem() from None


def _without_mlkem() -> AlgorithmError:
    text = f"the cryptography that is installed was built without ML-KEM, which keys of type {HYBRID} need"
    return AlgorithmError(text, hint="pip install --force-reinstall cryptography, which brings a build that has it")
