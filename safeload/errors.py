"""One exception tree: a branch a stage of reading, a leaf per answer that a caller may give.

Every error carries its evidence as attributes and, where there is a next step, a ``hint``. Text that
comes out of a file is passed through :func:`safeload.text.printable` before it enters a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
from typing import Any

__all__ = [
    "AlgorithmError",
    "AlreadySignedError",
    "BadSignatureError",
    "CodecError",
    "CorruptCiphertextError",
    "CorruptMemberError",
    "DecryptionError",
    "DetachedSignatureError",
    "DigestMismatchError",
    "DisallowedGlobalError",
    "EnvironmentMismatchError",
    "ExpiredError",
    "FormatError",
    "KeyFileError",
    "KeyLifetimeError",
    "KeyPassphraseError",
    "KeyPermissionsError",
    "KeyRefusedError",
    "LimitError",
    "MissingExtraError",
    "NoIdentityError",
    "NoSignerError",
    "NoTrustError",
    "NotARecipientError",
    "NotAnArtifactError",
    "OutOfScopeError",
    "PolicyError",
    "PreludeMismatchError",
    "RemoteKeyError",
    "RevokedKeyError",
    "SafeloadError",
    "StoreError",
    "StreamError",
    "ThresholdError",
    "UnsafeFileError",
    "UnsafeStreamError",
    "UnsignedError",
    "UnsupportedError",
    "UntrustedSignerError",
    "VerificationError",
    "VersionMismatchError",
    "VersionNotFoundError",
    "WrongPassphraseError",
]


class SafeloadError(Exception):
    """Root of everything that safeload raises on its own account."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.located = False
        if hint:
            self.add_note(f"hint: {hint}")  # shown in a traceback

    def locate(self, file: str) -> None:
        """Say which file the message is about, unless it does already."""
        if self.located:
            return
        self.located = True
        shown = printable(file)
        if not self.message.startswith((f"{shown}:", f"{shown} ")) and f" {shown} " not in f"{self.message} ":
            self.message = f"{shown}: {self.message}"
            self.args = (self.message,)

    def add(self, more: str) -> None:
        """Put a further clause behind the message."""
        self.message = f"{self.message}; {more}"
        self.args = (self.message,)

    def __reduce__(self) -> tuple[Any, ...]:
        """Evidence and all: a worker process hands its errors over by pickle."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[SafeloadError], args: tuple[Any, ...], attributes: dict[str, Any]) -> SafeloadError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


# --- the bytes of the container ---------------------------------------------------------------


class FormatError(SafeloadError):
    """The file breaks a rule of docs/format.md; ``violation`` is the rule's slug there."""

    def __init__(self, violation: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.violation = violation


class NotAnArtifactError(FormatError):
    """The file is not a safeload file at all."""


class UnsupportedError(FormatError):
    """The file asks for something that this version does not know."""


class LimitError(FormatError):
    """The file declares more than the limits allow."""


class CorruptMemberError(FormatError):
    """A member's stored bytes do not give the member."""

    def __init__(self, violation: str, message: str, *, member: str, hint: str = "") -> None:
        super().__init__(violation, message, hint=hint)
        self.member = member


# --- who signed, and what ---------------------------------------------------------------------


class VerificationError(SafeloadError):
    """The file is well-formed, and is not what a trusted key signed."""

    violation = "verification"


class UnsignedError(VerificationError):
    """The file bears no signature."""

    violation = "unsigned"


class UntrustedSignerError(VerificationError):
    """Nobody whom the trust store knows has signed; ``keyids`` says who did."""

    violation = "untrusted-signer"

    def __init__(self, message: str, *, keyids: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.keyids = tuple(keyids)


class BadSignatureError(VerificationError):
    """A record names the trusted key ``keyid`` and does not verify with it."""

    violation = "bad-signature"

    def __init__(self, message: str, *, keyid: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.keyid = keyid


class KeyRefusedError(VerificationError):
    """A trusted key signed, and its signature does not count; ``keyid`` says which, ``owner`` whose."""

    violation = "key-refused"

    def __init__(self, message: str, *, keyid: str, owner: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.keyid = keyid
        self.owner = owner


class KeyLifetimeError(KeyRefusedError):
    """The key is not valid yet, or not any more."""

    violation = "key-lifetime"


class RevokedKeyError(KeyRefusedError):
    """The trust store revokes the key."""

    violation = "key-revoked"


class OutOfScopeError(KeyRefusedError):
    """The key may sign other models than this one."""

    violation = "out-of-scope"


class ThresholdError(VerificationError):
    """``role`` asks for ``needed`` signatures more than those of ``keyids``; an empty role: there is none for it."""

    violation = "threshold"

    def __init__(self, message: str, *, role: str, needed: int, keyids: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.role = role
        self.needed = needed
        self.keyids = tuple(keyids)


class PreludeMismatchError(VerificationError):
    """The prelude differs from the one that was signed; ``field`` says where."""

    violation = "prelude-mismatch"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class ExpiredError(VerificationError):
    """The signer said that this model must not be used any more."""

    violation = "expired"


class EnvironmentMismatchError(VerificationError):
    """``environment="exact"`` was asked for, and ``differences`` were found."""

    violation = "environment-mismatch"

    def __init__(self, message: str, *, differences: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.differences = tuple(differences)


class DigestMismatchError(VerificationError):
    """The payload is not the one that was signed; ``leaf`` is None where the table itself differs."""

    def __init__(self, message: str, *, leaf: int | None) -> None:
        super().__init__(message)
        self.leaf = leaf
        self.violation = "root-mismatch" if leaf is None else "leaf-mismatch"


class DetachedSignatureError(VerificationError):
    """The file of signatures is that of another artifact."""

    violation = "detached-signature"


class AlreadySignedError(VerificationError):
    """The file bears a signature of this key, and may not bear two."""

    violation = "already-signed"


class VersionMismatchError(VerificationError):
    """A store's file is signed under another name, or another number, than the place it stands in says."""


class NoTrustError(VerificationError):
    """Nobody said whose signatures count."""


# --- keys -------------------------------------------------------------------------------------


class KeyFileError(SafeloadError):
    """A key file or a trust store cannot be used; ``path`` names it."""

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class KeyPermissionsError(KeyFileError):
    """Others than its owner can read a secret key."""


class KeyPassphraseError(KeyFileError):
    """A passphrase is needed, or the one given is wrong."""


class AlgorithmError(KeyFileError):
    """A key of a kind that safeload does not use."""


class RemoteKeyError(KeyFileError):
    """An HSM or a key service did not sign, or signed with another key; ``path`` is its URI."""


class NoSignerError(KeyFileError):
    """Nobody said who signs."""


# --- what is encrypted ------------------------------------------------------------------------


class DecryptionError(SafeloadError):
    """The payload is encrypted, and cannot be decrypted here."""

    violation = "decryption"


class NoIdentityError(DecryptionError):
    """Nobody said who reads: ``wants`` is what the file asks for, ``"identity"`` or ``"passphrase"``."""

    violation = "no-identity"

    def __init__(self, message: str, *, wants: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.wants = wants


class NotARecipientError(DecryptionError):
    """The file was not encrypted for this identity; ``keyid`` is the identity's.

    One error for every way in which a wrapped key does not open: which one it was would help who tries to forge one.
    """

    violation = "not-a-recipient"

    def __init__(self, message: str, *, keyid: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.keyid = keyid


class WrongPassphraseError(DecryptionError):
    """The passphrase does not open the file. As with an identity, it is not said how it failed."""

    violation = "wrong-passphrase"


class CorruptCiphertextError(DecryptionError):
    """Chunk ``chunk`` of the payload is not what was encrypted there."""

    violation = "ciphertext-corrupt"

    def __init__(self, message: str, *, chunk: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.chunk = chunk


# --- what may load ----------------------------------------------------------------------------


class PolicyError(SafeloadError):
    """The stream is well-formed, and asks for what the policy does not allow."""

    def __init__(self, message: str, *, offset: int = 0, member: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.offset = offset
        self.member = member


class DisallowedGlobalError(PolicyError):
    """The stream uses the global ``module.name`` in a way (``use``) that the policy does not allow."""

    def __init__(
        self, message: str, *, module: str, name: str, use: str, offset: int, member: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, offset=offset, member=member, hint=hint)
        self.module = module
        self.name = name
        self.use = use


class UnsafeStreamError(PolicyError):
    """The stream does what no pickler writes; ``fact`` is the name of the observation."""

    def __init__(self, message: str, *, fact: str, offset: int, member: str = "", hint: str = "") -> None:
        super().__init__(message, offset=offset, member=member, hint=hint)
        self.fact = fact


class UnsafeFileError(PolicyError):
    """A framework's file holds what `safeload scan` calls a finding; ``rule`` is its number, or ``unread``."""

    def __init__(self, message: str, *, rule: str, offset: int, member: str = "", hint: str = "") -> None:
        super().__init__(message, offset=offset, member=member, hint=hint)
        self.rule = rule


# --- bytes to objects -------------------------------------------------------------------------


class CodecError(SafeloadError):
    """The object cannot be rebuilt, or cannot be saved; what a library raised is the cause."""


class StreamError(CodecError):
    """The stream is malformed or cut off at byte ``offset``. ``goes_on``: CPython's unpickler would read on there."""

    def __init__(self, message: str, *, offset: int, goes_on: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.goes_on = goes_on


class MissingExtraError(CodecError):
    """A package that only this file needs is not installed; ``extra`` names it."""

    def __init__(self, message: str, *, extra: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.extra = extra


# --- versions ---------------------------------------------------------------------------------


class StoreError(SafeloadError):
    """A store of models cannot answer."""


class VersionNotFoundError(StoreError):
    """There is no such model in the store, or no such version of it."""
