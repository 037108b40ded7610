"""The key of one file (docs/format.md, section 8): made, wrapped for those who may read, and unwrapped by one of them.

The wrap is bound to the file and to the keyid of its signer, whose valid signature `load` demands. So a file that was
stripped of its signature and signed by somebody else opens for nobody, and neither does one that a recipient wrapped
for a third party: its manifest differs from what the signer signed.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

from safeload.errors import DecryptionError, NoIdentityError, NotARecipientError, WrongPassphraseError
from safeload.hazmat import chunks, wrapping
from safeload.keys.identities import identity_from
from safeload.keys.keyid import short
from safeload.keys.recipients import Recipient, secret_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.container.manifest import Encryption
    from safeload.keys.identities import Identity
    from safeload.keys.recipients import Audience

__all__ = ["SCHEME", "FileKey", "Secret", "new_file_key", "unlock", "wrap"]

SCHEME = "cobblestone-256"
_ARGON2ID = "argon2id"
_INFO = b"safeload/v1 file key\0"
_CONTEXT = b"safeload/v1 payload\0"
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class FileKey:
    """The secret of one file, and the key of its chunks, to which the head of the ciphertext is committed."""

    secret: bytes = field(repr=False)
    chunks: chunks.ChunkKey

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("the key of a file is not pickled or copied")


@dataclass(frozen=True, slots=True)
class Secret:
    """What a reader offers: the file says which of the two it takes."""

    identity: Identity | str | os.PathLike[str] | None = None
    passphrase: str | bytes | None = field(default=None, repr=False)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("what opens a file is not pickled or copied")

    @property
    def given(self) -> bool:
        """Whether anything was named, rather than left to the environment."""
        return self.identity is not None or self.passphrase is not None


def new_file_key(container_id: bytes) -> tuple[bytes, FileKey]:
    """The head of a new ciphertext, and its key."""
    secret = chunks.new_file_key()
    head, key = chunks.new_stream(secret, _CONTEXT + container_id)
    return head, FileKey(secret, key)


def wrap(audience: Audience, key: FileKey, container_id: bytes, signer: str) -> tuple[Mapping[str, str | int], ...]:
    """The stanzas of the manifest; `signer` is the keyid of whose signature will be demanded."""
    info = _info(container_id, signer)
    if audience.passphrase is not None:
        return (_for_passphrase(audience.passphrase, key.secret, info),)
    return tuple(_for_recipient(each, key.secret, info) for each in audience.recipients)


def unlock(encryption: Encryption, container_id: bytes, head: bytes, secret: Secret) -> FileKey:
    """The key of a file whose signer was verified. `head` is the first 56 bytes of its ciphertext.

    A key that the ciphertext is not committed to is the same error as a wrap that does not open: a wrap can be made to
    open under several passphrases, and which of the two checks failed would tell its maker about the right one.
    Raises NoIdentityError, NotARecipientError, WrongPassphraseError, KeyFileError.
    """
    info = _info(container_id, encryption.signer)
    if encryption.recipients[0]["type"] == _ARGON2ID:
        candidate, failure = _by_passphrase(encryption.recipients[0], secret, info)
    else:
        candidate, failure = _by_identity(encryption.recipients, identity_from(secret.identity), info)
    if candidate is None or len(candidate) != chunks.FILE_KEY_BYTES:
        raise failure
    key = chunks.open_stream(candidate, _CONTEXT + container_id, head)
    if key is None:
        raise failure
    return FileKey(candidate, key)


def _info(container_id: bytes, signer: str) -> bytes:
    return _INFO + container_id + bytes.fromhex(signer)


def _for_recipient(recipient: Recipient, secret: bytes, info: bytes) -> Mapping[str, str | int]:
    enc, wrapped = wrapping.seal_for(recipient.kind, recipient.public, secret, info)
    return {"type": recipient.kind, "keyid": recipient.keyid, "enc": _text(enc), "wrapped": _text(wrapped)}


def _for_passphrase(passphrase: bytes, secret: bytes, info: bytes) -> Mapping[str, str | int]:
    salt, costs = os.urandom(wrapping.SALT_BYTES), wrapping.COSTS
    return {
        "type": _ARGON2ID,
        "salt": _text(salt),
        "memory": costs.memory,
        "passes": costs.passes,
        "lanes": costs.lanes,
        "wrapped": _text(wrapping.seal_with(passphrase, secret, salt, costs, info)),
    }


def _by_passphrase(stanza: Mapping[str, Any], secret: Secret, info: bytes) -> tuple[bytes | None, DecryptionError]:
    passphrase = secret_of(secret.passphrase)
    if passphrase is None:
        raise NoIdentityError(
            "the file is encrypted with a passphrase, and none was given",
            wants="passphrase",
            hint="pass passphrase=...; its signature can be checked without one",
        )
    costs = wrapping.Costs(memory=stanza["memory"], passes=stanza["passes"], lanes=stanza["lanes"])
    opened = wrapping.open_with(passphrase, _bytes(stanza["wrapped"]), _bytes(stanza["salt"]), costs, info)
    hint = "letters and case count; the file's signature holds, so its bytes are not damaged"
    return opened, WrongPassphraseError("the passphrase does not open the file", hint=hint)


def _by_identity(
    stanzas: tuple[Mapping[str, Any], ...], identity: Identity, info: bytes
) -> tuple[bytes | None, DecryptionError]:
    me = (identity.recipient.kind, identity.keyid)
    mine = next((stanza for stanza in stanzas if (stanza["type"], stanza["keyid"]) == me), None)
    opened = identity.open(_bytes(mine["enc"]), _bytes(mine["wrapped"]), info) if mine else None
    return opened, NotARecipientError(
        f"the file is encrypted for {_listed(stanzas)}, and does not open with the identity {short(identity.keyid)}",
        keyid=identity.keyid,
        hint="ask its signer to add this recipient: safeload rewrap FILE --key team.key --recipient ...",
    )


def _listed(stanzas: tuple[Mapping[str, Any], ...]) -> str:
    names = [short(stanza["keyid"]) for stanza in stanzas[:_NAMED_AT_MOST]]
    more = len(stanzas) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
