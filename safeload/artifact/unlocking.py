"""The key of a file whose signatures hold (docs/format.md, section 8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.artifact.payload import ciphertext_head
from safeload.errors import UntrustedSignerError
from safeload.keys import short, unlock

if TYPE_CHECKING:
    from safeload.container.layout import Prelude
    from safeload.container.leaves import LeafTable
    from safeload.container.manifest import Encryption
    from safeload.container.source import Source
    from safeload.keys import FileKey, Secret, TrustedKey

__all__ = ["file_key"]


def file_key(
    source: Source,
    prelude: Prelude,
    table: LeafTable,
    encryption: Encryption,
    signers: tuple[TrustedKey, ...],
    secret: Secret,
) -> FileKey:
    """The key that `secret` opens. `signers` are those whose signatures were verified.

    Raises UntrustedSignerError, DigestMismatchError, DecryptionError, KeyFileError.
    """
    # Before anything is decrypted: else whoever strips a signature and puts another one there would have a machine
    # decrypt for them.
    if encryption.signer not in {key.keyid for key in signers}:
        raise _signer_missing(encryption.signer, signers)
    head = ciphertext_head(source, prelude.payload_off, table)
    return unlock(encryption, prelude.container_id, head, secret)


def _signer_missing(keyid: str, signers: tuple[TrustedKey, ...]) -> UntrustedSignerError:
    if signers:
        hint = f"if you know the key {short(keyid)}, trust it too; further signatures do not stand in for it"
    else:
        hint = "TrustStore.unsafe_accept_any() verifies nobody: name the key of that signer instead"
    return UntrustedSignerError(
        f"the file was encrypted by {short(keyid)}, and bears no valid signature of that key that is trusted here",
        keyids=[keyid],
        hint=hint,
    )
