"""New keys on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safeload.hazmat import keyfiles, mac, signatures
from safeload.keys import hmacfile
from safeload.keys.encryption_keygen import ENCRYPTION_KINDS, encryption_keygen
from safeload.keys.keyfile import PUBLIC_MODE, SECRET_MODE, NewFile, create_all, path_text
from safeload.keys.keyid import ed25519_keyid, hmac_keyid
from safeload.keys.signer import passphrase_bytes

if TYPE_CHECKING:
    import os

__all__ = ["GeneratedKey", "keygen"]


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """``paths``: the secret file first, then the public one where there is one."""

    paths: tuple[Path, ...]
    keyid: str


def keygen(
    stem: str | os.PathLike[str],
    kind: Literal["ed25519", "hmac", "x25519", "mlkem768-x25519"] = "ed25519",
    passphrase: str | bytes | None = None,
) -> GeneratedKey:
    """Write ``stem.key`` (mode 0600) and ``stem.pub`` (0644), or ``stem.hmac`` (0600). Nothing is overwritten.

    ``"x25519"`` and ``"mlkem768-x25519"`` are for encryption: ``stem.identity`` (0600) and ``stem.recipient`` (0644).
    A passphrase encrypts the private file; the environment does not supply one here. Raises KeyFileError.
    """
    name = path_text(stem)
    secret = passphrase_bytes(passphrase, name)
    if secret == b"":
        raise ValueError("an empty passphrase protects nothing: give one, or None")
    if kind == "hmac":
        return _hmac(name, secret)
    if kind in ENCRYPTION_KINDS:
        return GeneratedKey(*encryption_keygen(name, kind, secret))
    if kind != "ed25519":
        raise ValueError(f"kind must be 'ed25519', 'hmac', 'x25519' or 'mlkem768-x25519', not {kind!r}")
    return _ed25519(name, secret)


def _ed25519(stem: str, passphrase: bytes | None) -> GeneratedKey:
    seed = signatures.new_seed()
    public = signatures.public_key(seed)
    private = NewFile(f"{stem}.key", keyfiles.private_pem(seed, passphrase), SECRET_MODE)
    shared = NewFile(f"{stem}.pub", keyfiles.public_pem(public), PUBLIC_MODE)
    return _written((private, shared), ed25519_keyid(public))


def _hmac(stem: str, passphrase: bytes | None) -> GeneratedKey:
    if passphrase is not None:
        raise ValueError("an HMAC key file is not encrypted: a passphrase has no use here")
    key = mac.new_key()
    return _written((NewFile(f"{stem}.hmac", hmacfile.render(key), SECRET_MODE),), hmac_keyid(key))


def _written(files: tuple[NewFile, ...], keyid: str) -> GeneratedKey:
    create_all(files)
    return GeneratedKey(tuple(Path(file.path) for file in files), keyid)
