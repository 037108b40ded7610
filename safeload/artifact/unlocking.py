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
    closed: str,
) -> FileKey:
    """The key that `secret` opens. `signers` are those whose signatures count; `closed` says why that of who encrypted
    does not, where that is known.

    Raises UntrustedSignerError, DigestMismatchError, DecryptionError, KeyFileError.
    """
    _check_signer(encryption.signer, signers, closed)
    head = ciphertext_head(source, prelude.payload_off, table)
    return unlock(encryption, prelude.container_id, head, secret)


def _check_signer(keyid: str, signers: tuple[TrustedKey, ...], closed: str) -> None:
    """Before anything is decrypted: else whoever strips a signature and puts another one there would have a machine
    decrypt for them."""
    if keyid in {key.keyid for key in signers}:
        return
    if closed:  # never to be taken up again on our advice
        text = f"the file was encrypted by {short(keyid)}, which {closed}"
        hint = "have the model saved anew by a key that counts; further signatures do not stand in for it"
    elif signers:
        text = f"the file was encrypted by {short(keyid)}, and bears no signature of that key that counts here"
        hint = f"if you know the key {short(keyid)}, trust it too; further signatures do not stand in for it"
    else:
        text = f"the file was encrypted by {short(keyid)}, whose signature was not looked at"
        hint = "TrustStore.unsafe_accept_any() verifies nobody: name the key of that signer instead"
    raise UntrustedSignerError(text, keyids=[keyid], hint=hint)
