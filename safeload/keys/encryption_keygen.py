"""New key pairs for encryption on disk."""

from __future__ import annotations

from pathlib import Path

from safeload.hazmat import encryption_keyfiles, encryption_keys
from safeload.keys.keyfile import PUBLIC_MODE, SECRET_MODE, NewFile, create_all
from safeload.keys.recipients import encryption_keyid

__all__ = ["ENCRYPTION_KINDS", "encryption_keygen"]

ENCRYPTION_KINDS = (encryption_keys.X25519, encryption_keys.HYBRID)


def encryption_keygen(stem: str, kind: str, passphrase: bytes | None) -> tuple[tuple[Path, ...], str]:
    """Write ``stem.identity`` (mode 0600) and ``stem.recipient`` (0644); their paths, and the keyid.

    Not ``.pub``: a recipient that lies in a trust store must not be taken for somebody who signs. Raises KeyFileError.
    """
    seed = encryption_keys.new_seed()
    public = encryption_keys.public_bytes(kind, seed)
    private = NewFile(f"{stem}.identity", encryption_keyfiles.private_pem(kind, seed, passphrase), SECRET_MODE)
    shared = NewFile(f"{stem}.recipient", encryption_keyfiles.public_pem(kind, public), PUBLIC_MODE)
    create_all((private, shared))
    return (Path(private.path), Path(shared.path)), encryption_keyid(kind, public)
