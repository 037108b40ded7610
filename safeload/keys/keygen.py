"""New keys on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.hazmat import keyfiles, kinds, mac
from safeload.keys import hmacfile
from safeload.keys.algorithms import ECDSA_P256, ED25519, HMAC_SHA256, HYBRID, ML_DSA_65
from safeload.keys.encryption_keygen import ENCRYPTION_KINDS, encryption_keygen
from safeload.keys.keyfile import PUBLIC_MODE, SECRET_MODE, NewFile, create_all, path_text
from safeload.keys.keyid import hmac_keyid, public_keyid
from safeload.keys.signer import passphrase_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["KEY_TYPES", "GeneratedKey", "keygen"]


# What people type -> the algorithm.
KEY_TYPES: Mapping[str, str] = {
    "ed25519": ED25519,
    "ecdsa-p256": ECDSA_P256,
    "ml-dsa-65": ML_DSA_65,
    "ed25519+ml-dsa-65": HYBRID,
    "hmac": HMAC_SHA256,
}


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """``paths``: the secret file first, then the public one where there is one."""

    paths: tuple[Path, ...]
    keyid: str


def keygen(
    stem: str | os.PathLike[str],
    kind: str = "ed25519",
    passphrase: str | bytes | None = None,
) -> GeneratedKey:
    """Write ``stem.key`` (mode 0600) and ``stem.pub`` (0644), or ``stem.hmac`` (0600). Nothing is overwritten.

    `kind` is one of :data:`KEY_TYPES`; or, for encryption, ``"x25519"`` or ``"mlkem768-x25519"``, which write
    ``stem.identity`` (0600) and ``stem.recipient`` (0644). A passphrase encrypts the private file; the environment does
    not supply one here. Raises KeyFileError.
    """
    name = path_text(stem)
    secret = passphrase_bytes(passphrase, name)
    if secret == b"":
        raise ValueError("an empty passphrase protects nothing: give one, or None")
    if kind in ENCRYPTION_KINDS:
        return GeneratedKey(*encryption_keygen(name, kind, secret))
    if kind not in KEY_TYPES:
        raise ValueError(f"kind must be one of {', '.join((*KEY_TYPES, *ENCRYPTION_KINDS))}, not {kind!r}")
    algorithm = KEY_TYPES[kind]
    return _hmac(name, secret) if algorithm == HMAC_SHA256 else _pair(name, algorithm, secret)


def _pair(stem: str, algorithm: str, passphrase: bytes | None) -> GeneratedKey:
    key = kinds.new_secret(algorithm)
    public = kinds.public_key(key)
    private = NewFile(f"{stem}.key", keyfiles.private_pem(key, passphrase), SECRET_MODE)
    shared = NewFile(f"{stem}.pub", keyfiles.public_pem(public), PUBLIC_MODE)
    return _written((private, shared), public_keyid(public))


def _hmac(stem: str, passphrase: bytes | None) -> GeneratedKey:
    if passphrase is not None:
        raise ValueError("an HMAC key file is not encrypted: a passphrase has no use here")
    key = mac.new_key()
    return _written((NewFile(f"{stem}.hmac", hmacfile.render(key), SECRET_MODE),), hmac_keyid(key))


def _written(files: tuple[NewFile, ...], keyid: str) -> GeneratedKey:
    create_all(files)
    return GeneratedKey(tuple(Path(file.path) for file in files), keyid)
