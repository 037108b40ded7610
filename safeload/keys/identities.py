"""Who can read: the private half of a recipient, held in memory and never shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from safeload.errors import NoIdentityError
from safeload.hazmat import encryption_keyfiles, encryption_keys, wrapping
from safeload.keys import environment
from safeload.keys.keyfile import path_text, read_key_file
from safeload.keys.keyid import short
from safeload.keys.recipients import Recipient
from safeload.keys.signer import passphrase_bytes

if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = ["Identity", "identity_from"]


class Identity:
    """A private key that opens what was encrypted for its ``recipient``. Its secret is not shown, pickled or copied."""

    __slots__ = ("_seed", "recipient")

    def __init__(self, kind: str, seed: bytes, name: str = "") -> None:
        self._seed = seed
        self.recipient = Recipient(kind, encryption_keys.public_bytes(kind, seed), name)

    @staticmethod
    def from_file(path: str | os.PathLike[str], passphrase: str | bytes | None = None) -> Identity:
        """The private key in an ``.identity`` file.

        Without `passphrase` an encrypted one is opened with ``SAFELOAD_IDENTITY_PASSPHRASE``. Raises KeyFileError,
        KeyPermissionsError, KeyPassphraseError, AlgorithmError.
        """
        file = read_key_file(path)
        if not encryption_keyfiles.is_public(file.data):  # of a public key it is not the mode that is wrong
            file.refuse_if_others_can_read()
        given = environment.get(environment.IDENTITY_PASSPHRASE) if passphrase is None else passphrase
        kind, seed = encryption_keyfiles.load_private(file.data, file.path, passphrase_bytes(given, path))
        return Identity(kind, seed)

    @property
    def keyid(self) -> str:
        """That of the recipient, in 64 lower-case hexadecimal digits."""
        return self.recipient.keyid

    def open(self, enc: bytes, wrapped: bytes, info: bytes) -> bytes | None:
        """The file key that was wrapped for this identity and bound to `info`, or None."""
        return wrapping.open_for(self.recipient.kind, self._seed, enc, wrapped, info)

    def __repr__(self) -> str:
        return f"<Identity {self.recipient.kind} {short(self.keyid)}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an identity holds a secret and is not pickled or copied; pass the path of its file instead")


def identity_from(value: Identity | str | os.PathLike[str] | None) -> Identity:
    """An identity as it is; that of a file; or that of the path in ``SAFELOAD_IDENTITY``.

    Raises NoIdentityError, TypeError, and what `Identity.from_file` raises.
    """
    if isinstance(value, Identity):
        return value
    path = environment.get(environment.IDENTITY) if value is None else value
    if path is None:
        raise NoIdentityError(
            f"the file is encrypted, no identity was given, and {environment.IDENTITY} is not set",
            wants="identity",
            hint='pass identity="machine.identity"; its signature can be checked without one',
        )
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"identity must be an Identity or a path, not {type(path).__name__}")
    return Identity.from_file(path_text(path))
