"""Keys that sign, in files: SubjectPublicKeyInfo and PKCS#8 in PEM, and OpenSSH's formats for Ed25519.

A hybrid key is a file of two PEM blocks, its parts in order. `path` names the file in messages and is not opened here.
No message holds a byte of a private key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import KeyFileError
from safeload.hazmat import armor, kinds, openssh, private_keys, unaccepted
from safeload.hazmat.kinds import Key
from safeload.text import printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

__all__ = ["is_public", "load_private", "load_public", "private_pem", "public_der", "public_pem"]

_SPKI_LABEL = "PUBLIC KEY"
_PRIVATE = "PRIVATE KEY"


def public_der(public: Key) -> bytes:
    """The DER SubjectPublicKeyInfo of `public`; of a hybrid, those of its parts, one behind the other."""
    return b"".join(kinds.KINDS[part].spki + raw for part, raw in kinds.parts_of_public(public))


def public_pem(public: Key) -> bytes:
    """The SubjectPublicKeyInfo of `public` as PEM."""
    return b"".join(armor.render_block(_SPKI_LABEL, public_der(part)) for part in kinds.parts_of_public(public))


def private_pem(secret: Key, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM of `secret`; encrypted by scrypt and AES-256-CBC if there is a passphrase."""
    return b"".join(private_keys.render(part, passphrase) for part in kinds.parts_of_secret(secret))


def is_public(data: bytes) -> bool:
    """Whether `data` looks like a public key in one of the two formats, of whatever algorithm, well-formed or not."""
    if armor.holds_pem(data):
        return b"PUBLIC KEY-----" in data and b"PRIVATE KEY-----" not in data
    return openssh.is_public_line(data)


def load_public(data: bytes, path: str) -> Key:
    """The public key in `data`: SubjectPublicKeyInfo PEM, one block or a hybrid's two, or an OpenSSH line.

    Raises KeyFileError, AlgorithmError.
    """
    if armor.holds_pem(data):
        public = _joined([_public_of_block(block) for block in armor.parse_blocks(data, path)], path)
    elif openssh.is_public_line(data):
        public = Key(kinds.ED25519, openssh.parse_public_line(data, path))
    else:
        raise _nothing(data, path, "public key: neither PEM nor an ssh-ed25519 line")
    defect = kinds.defect(public)
    if defect:
        raise KeyFileError(f"the key in {printable(path)} {defect}", path=path)
    return public


def load_private(data: bytes, path: str, passphrase: bytes | None) -> Key:
    """The secret in `data`: PKCS#8 PEM, one block or a hybrid's two, or an OpenSSH private key, encrypted or not.

    `passphrase` is not used if the key is not encrypted. Raises KeyFileError, KeyPassphraseError, AlgorithmError.
    """
    if is_public(data):
        raise KeyFileError(
            f"{printable(path)} is a public key, and signing takes the private one",
            path=path,
            hint="name the private half: team.key stands beside team.pub",
        )
    if not armor.holds_pem(data):
        raise _nothing(data, path, "private key: it has no PEM block")
    return _joined([private_keys.parse(block, passphrase) for block in armor.parse_blocks(data, path)], path)


def _joined(keys: list[Key], path: str) -> Key:
    """One key, or the hybrid of two."""
    if len(keys) == 1:
        return keys[0]
    algorithms = tuple(key.algorithm for key in keys)
    for hybrid, parts in kinds.PAIRS.items():
        if parts == algorithms:
            return Key(hybrid, b"".join(key.raw for key in keys))
    raise KeyFileError(
        f"{printable(path)} holds {len(keys)} keys, {' and '.join(kinds.KINDS[name].spoken for name in algorithms)}; "
        "a key file holds one, or the two of a hybrid: Ed25519, then ML-DSA-65",
        path=path,
        hint="put each key into a file of its own",
    )


def _public_of_block(block: armor.Block) -> Key:
    path = block.path
    if block.label.endswith(_PRIVATE):
        raise KeyFileError(
            f"{printable(path)} is a private key where a public one is expected",
            path=path,
            hint="name its public half, team.pub; openssl pkey -in team.key -pubout writes it anew",
        )
    if block.label == f"RSA {_SPKI_LABEL}":
        raise unaccepted.refusal(path, "RSA")
    if block.label != _SPKI_LABEL:
        raise KeyFileError(f"{printable(path)} holds a PEM block of {block.label}, not a public key", path=path)
    der = block.der()
    for algorithm, kind in kinds.KINDS.items():
        if der.startswith(kind.spki) and len(der) == len(kind.spki) + kind.public_bytes:
            return Key(algorithm, der[len(kind.spki) :])
    return _other_spki(der, path)


def _other_spki(der: bytes, path: str) -> Key:
    """A key in another spelling, which is brought into the one that keyids are made of; or why it is not accepted."""
    from cryptography.hazmat.primitives import serialization  # 23 ms

    try:
        key = serialization.load_der_public_key(der)
    except Exception:  # the parser's own errors have many types; each means the same here
        raise KeyFileError(
            f"{printable(path)} is damaged, or holds a key of a kind that is not known here", path=path
        ) from None
    return _point(key) or _refuse(key, path)


def _point(key: PublicKeyTypes) -> Key | None:
    """A point of P-256, which may have been compressed."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        return None
    return Key(kinds.ECDSA_P256, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _refuse(key: object, path: str) -> Key:
    raise unaccepted.refusal(path, unaccepted.spoken_name(key))


def _nothing(data: bytes, path: str, wanted: str) -> KeyFileError:
    if not data.strip():
        return KeyFileError(f"{printable(path)} is empty", path=path)
    return KeyFileError(f"{printable(path)} is not a {wanted}", path=path, hint="make a pair: safeload keygen team")
