"""A file key for those who may read: HPKE (RFC 9180) for a key pair, Argon2id (RFC 9106) for a passphrase.

`info` is what the wrap is bound to; whoever opens it must give the same. **Every failure is None**: how a wrap failed
to open is nobody's business, least of all that of who made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.hazmat import encryption_keys
from safeload.hazmat.encryption_keys import HYBRID, X25519

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.hpke import Suite

__all__ = ["COSTS", "ENC_BYTES", "SALT_BYTES", "Costs", "open_for", "open_with", "seal_for", "seal_with"]

# Of RFC 9180, section 4.1, and of X-Wing: an X25519 share, for the hybrid behind ML-KEM-768's ciphertext.
ENC_BYTES: Mapping[str, int] = {X25519: 32, HYBRID: 1088 + 32}
SALT_BYTES = 16
_KEY_BYTES = 32
# A derived key encrypts one message: its salt is new each time, so the nonce need not be.
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What deriving a key from a passphrase costs; `memory` in KiB."""

    memory: int
    passes: int
    lanes: int


COSTS = Costs(memory=64 * 1024, passes=3, lanes=4)  # RFC 9106, section 4, the second recommended option


def seal_for(kind: str, public: bytes, file_key: bytes, info: bytes) -> tuple[bytes, bytes]:
    """`file_key` encrypted to the owner of `public`: the encapsulated key, and the ciphertext."""
    sealed = _suite(kind).encrypt(file_key, encryption_keys.public_key(kind, public), info)
    return sealed[: ENC_BYTES[kind]], sealed[ENC_BYTES[kind] :]


def open_for(kind: str, seed: bytes, enc: bytes, wrapped: bytes, info: bytes) -> bytes | None:
    """What `seal_for` sealed, or None."""
    from cryptography.exceptions import InvalidTag

    if len(enc) != ENC_BYTES[kind]:  # the two stand together in HPKE's message: their border must not move
        return None
    try:
        return _suite(kind).decrypt(enc + wrapped, encryption_keys.private_key(kind, seed), info)
    except (InvalidTag, ValueError):
        return None


def seal_with(passphrase: bytes, file_key: bytes, salt: bytes, costs: Costs, info: bytes) -> bytes:
    """`file_key` encrypted under a key that `passphrase` gives. `salt` is new each time."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_stretched(passphrase, salt, costs, info)).encrypt(_NONCE, file_key, None)


def open_with(passphrase: bytes, wrapped: bytes, salt: bytes, costs: Costs, info: bytes) -> bytes | None:
    """What `seal_with` sealed, or None. The costs are the file's: bounds are checked when its manifest is read."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(_stretched(passphrase, salt, costs, info)).decrypt(_NONCE, wrapped, None)
    except (InvalidTag, ValueError):
        return None


def _stretched(passphrase: bytes, salt: bytes, costs: Costs, info: bytes) -> bytes:
    """Argon2id's tag; `info` is its associated data X, so that a wrap bound to other words has another key."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    stretch = Argon2id(
        salt=salt,
        length=_KEY_BYTES,
        iterations=costs.passes,
        lanes=costs.lanes,
        memory_cost=costs.memory,
        ad=info,
    )
    return stretch.derive(passphrase)


def _suite(kind: str) -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    kems = {X25519: KEM.X25519, HYBRID: KEM.MLKEM768_X25519}
    return Suite(kems[kind], KDF.HKDF_SHA256, AEAD.AES_256_GCM)
