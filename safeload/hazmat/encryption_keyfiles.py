"""Keys for encryption in files: one PEM block, SubjectPublicKeyInfo or PKCS#8, for both kinds of key.

`path` names the file in messages and is not opened here. No message holds a byte of a private key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError
from safeload.hazmat import armor
from safeload.hazmat.encryption_keys import HYBRID, PUBLIC_BYTES, SEED_BYTES, X25519, public_key
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_public", "load_private", "load_public", "private_pem", "public_der", "public_pem"]

# RFC 8410, sections 4 and 7, with id-X25519 (1.3.101.110); draft-connolly-cfrg-xwing-kem, with id-Xwing
# (1.3.6.1.4.1.62253.25722), whose keys stand in the two structures without a further wrapping.
_SPKI_HEAD: Mapping[str, bytes] = {
    X25519: bytes.fromhex("302a300506032b656e032100"),
    HYBRID: bytes.fromhex("308204d4300d060b2b0601040183e62d81c87a038204c100"),
}
_PKCS8_HEAD: Mapping[str, bytes] = {
    X25519: bytes.fromhex("302e020100300506032b656e04220420"),
    HYBRID: bytes.fromhex("3034020100300d060b2b0601040183e62d81c87a0420"),
}
_PUBLIC, _PRIVATE, _ENCRYPTED = "PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
_MAKE = "make a pair: safeload keygen machine --for encryption"


def public_der(kind: str, public: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo."""
    return _SPKI_HEAD[kind] + public


def public_pem(kind: str, public: bytes) -> bytes:
    return armor.render_block(_PUBLIC, public_der(kind, public))


def private_pem(kind: str, seed: bytes, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM of `seed`; encrypted by scrypt and AES-256-CBC if there is a passphrase."""
    info = _PKCS8_HEAD[kind] + seed
    if passphrase is None:
        return armor.render_block(_PRIVATE, info)
    from safeload.hazmat import pkcs8  # loads cryptography.x509

    return armor.render_block(_ENCRYPTED, pkcs8.encrypt(info, passphrase))


def load_public(data: bytes, path: str) -> tuple[str, bytes]:
    """The kind and the raw bytes of the public key in `data`. Raises KeyFileError, AlgorithmError."""
    block = _block(data, path)
    if block.label.endswith(_PRIVATE):
        raise KeyFileError(
            f"{printable(path)} is a private key where the public one of a recipient is expected",
            path=path,
            hint="name its public half: machine.recipient stands beside machine.identity",
        )
    kind, public = _known(block.der(), _SPKI_HEAD, PUBLIC_BYTES, path)
    try:
        public_key(kind, public)
    except ValueError:
        raise KeyFileError(f"the key in {printable(path)} is not one that can encrypt: damaged", path=path) from None
    return kind, public


def load_private(data: bytes, path: str, passphrase: bytes | None) -> tuple[str, bytes]:
    """The kind and the seed of the private key in `data`. Raises KeyFileError, KeyPassphraseError, AlgorithmError."""
    block = _block(data, path)
    if block.label == _PUBLIC:
        raise KeyFileError(
            f"{printable(path)} is a public key, and decrypting takes the private one",
            path=path,
            hint="name the private half: machine.identity stands beside machine.recipient",
        )
    der = _decrypted(block, passphrase) if block.label == _ENCRYPTED else block.der()
    return _known(der, _PKCS8_HEAD, dict.fromkeys(_PKCS8_HEAD, SEED_BYTES), path)


def is_public(data: bytes) -> bool:
    """Whether `data` looks like a public key, of whatever kind."""
    return b"PUBLIC KEY-----" in data and b"PRIVATE KEY-----" not in data


def _block(data: bytes, path: str) -> armor.Block:
    if not armor.holds_pem(data):
        what = "is empty" if not data.strip() else "is not a key for encryption: it has no PEM block"
        raise KeyFileError(f"{printable(path)} {what}", path=path, hint=_MAKE)
    block, *more = armor.parse_blocks(data, path)
    if more or block.label not in (_PUBLIC, _PRIVATE, _ENCRYPTED):
        raise _not_for_encryption(path)
    return block


def _known(der: bytes, heads: Mapping[str, bytes], lengths: Mapping[str, int], path: str) -> tuple[str, bytes]:
    for kind, head in heads.items():
        if der.startswith(head) and len(der) == len(head) + lengths[kind]:
            return kind, der[len(head) :]
    raise _not_for_encryption(path)


def _not_for_encryption(path: str) -> AlgorithmError:
    return AlgorithmError(
        f"{printable(path)} holds no key for encryption, which is {X25519} or {HYBRID}: one that signs is another key",
        path=path,
        hint=_MAKE,
    )


def _decrypted(block: armor.Block, passphrase: bytes | None) -> bytes:
    from safeload.hazmat import pkcs8  # loads cryptography.x509

    path, give = block.path, "give it in SAFELOAD_IDENTITY_PASSPHRASE, or to Identity.from_file(path, passphrase=...)"
    der = block.der()
    try:
        affordable = pkcs8.affordable(der)
    except Exception:  # the parser's own errors have many types; each means the same here
        affordable = False
    if not affordable:
        raise KeyFileError(f"{printable(path)} is damaged, or asks for more work than any key needs", path=path)
    if not passphrase:
        raise KeyPassphraseError(f"{printable(path)} is encrypted, and no passphrase was given", path=path, hint=give)
    try:
        return pkcs8.decrypt(der, passphrase)
    except Exception:  # what is said could quote what was read
        text = f"the passphrase does not open {printable(path)} (or the file is damaged)"
        raise KeyPassphraseError(text, path=path, hint=give) from None
