"""The algorithms that sign with a key pair, and the hybrid of two of them, behind one set of functions.

A key is a :class:`Key`: the algorithm's name and raw bytes. A hybrid's bytes are those of its parts, one behind the
other, and so is its signature; it holds if each part does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from safeload.hazmat import ecdsa, ed25519, mldsa, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "ECDSA_P256",
    "ED25519",
    "HYBRID",
    "KINDS",
    "ML_DSA_65",
    "PAIRS",
    "Key",
    "Kind",
    "defect",
    "new_secret",
    "parts_of_public",
    "parts_of_secret",
    "public_key",
    "sign",
    "verify",
]

ED25519, ECDSA_P256, ML_DSA_65 = "ed25519", "ecdsa-p256-sha256", "ml-dsa-65"
HYBRID = "ed25519+ml-dsa-65"


class Key(NamedTuple):
    """A public key or a secret: which of the two, the place says."""

    algorithm: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One algorithm. ``spki`` is what stands before the raw public key in its DER SubjectPublicKeyInfo.

    ``spoken`` is its name in messages; ``signature_bytes`` 0 where signatures differ in length.
    """

    spoken: str
    secret_bytes: int
    public_bytes: int
    signature_bytes: int
    spki: bytes
    new_secret: Callable[[], bytes]
    public_key: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]
    defect: Callable[[bytes], str]


KINDS: Mapping[str, Kind] = {
    ED25519: Kind(
        spoken="Ed25519",
        secret_bytes=ed25519.SEED_BYTES,
        public_bytes=points.PUBLIC_BYTES,
        signature_bytes=ed25519.SIGNATURE_BYTES,
        spki=bytes.fromhex("302a300506032b6570032100"),  # RFC 8410, section 4
        new_secret=ed25519.new_seed,
        public_key=ed25519.public_key,
        sign=ed25519.sign,
        verify=ed25519.verify,
        defect=points.defect,
    ),
    ECDSA_P256: Kind(
        spoken="ECDSA P-256",
        secret_bytes=ecdsa.SECRET_BYTES,
        public_bytes=ecdsa.PUBLIC_BYTES,
        signature_bytes=0,
        spki=bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),  # RFC 5480, section 2
        new_secret=ecdsa.new_secret,
        public_key=ecdsa.public_key,
        sign=ecdsa.sign,
        verify=ecdsa.verify,
        defect=ecdsa.defect,
    ),
    ML_DSA_65: Kind(
        spoken="ML-DSA-65",
        secret_bytes=mldsa.SECRET_BYTES,
        public_bytes=mldsa.PUBLIC_BYTES,
        signature_bytes=mldsa.SIGNATURE_BYTES,
        spki=bytes.fromhex("308207b2300b0609608648016503040312038207a100"),  # RFC 9881, section 4
        new_secret=mldsa.new_secret,
        public_key=mldsa.public_key,
        sign=mldsa.sign,
        verify=mldsa.verify,
        defect=mldsa.defect,
    ),
}

# A hybrid's parts, in order. Whoever breaks one of the two algorithms still cannot sign.
PAIRS: Mapping[str, tuple[str, str]] = {HYBRID: (ED25519, ML_DSA_65)}


def new_secret(algorithm: str) -> Key:
    """A private key from the system's randomness."""
    return Key(algorithm, b"".join(KINDS[part].new_secret() for part in _names(algorithm)))


def public_key(secret: Key) -> Key:
    """The public key that belongs to `secret`."""
    return Key(secret.algorithm, b"".join(KINDS[part].public_key(raw) for part, raw in parts_of_secret(secret)))


def sign(secret: Key, message: bytes) -> bytes:
    """The signature over `message`; a hybrid's parts both sign the same."""
    return b"".join(KINDS[part].sign(raw, message) for part, raw in parts_of_secret(secret))


def verify(public: Key, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` under `public`, which must have passed :func:`defect`."""
    parts = list(parts_of_public(public))
    lengths = [KINDS[part].signature_bytes for part, _ in parts]
    if len(parts) == 1:
        return KINDS[parts[0].algorithm].verify(parts[0].raw, message, signature)
    if len(signature) != sum(lengths):
        return False
    pieces = _cut(signature, lengths)
    return all(KINDS[part].verify(raw, message, piece) for (part, raw), piece in zip(parts, pieces, strict=True))


def defect(public: Key) -> str:
    """What is wrong with `public`, to stand after "the key in x.pub ..."; empty if nothing is."""
    length = sum(KINDS[part].public_bytes for part in _names(public.algorithm))
    if len(public.raw) != length:
        return f"has {len(public.raw)} bytes instead of {length}"
    return next(filter(None, (KINDS[part].defect(raw) for part, raw in parts_of_public(public))), "")


def parts_of_public(public: Key) -> Iterator[Key]:
    """The keys that a hybrid is made of; any other key itself."""
    names = _names(public.algorithm)
    yield from map(Key, names, _cut(public.raw, [KINDS[name].public_bytes for name in names]))


def parts_of_secret(secret: Key) -> Iterator[Key]:
    """The same for secrets."""
    names = _names(secret.algorithm)
    yield from map(Key, names, _cut(secret.raw, [KINDS[name].secret_bytes for name in names]))


def _names(algorithm: str) -> tuple[str, ...]:
    return PAIRS.get(algorithm, (algorithm,))


def _cut(data: bytes, lengths: list[int]) -> Iterator[bytes]:
    """`data` in pieces; the last one is what is left."""
    for length in lengths[:-1]:
        yield data[:length]
        data = data[length:]
    yield data
