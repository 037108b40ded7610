"""A file whose signatures hold (docs/format.md, section 10, steps 6 to 9)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

from safeload.artifact.environment import check_environment
from safeload.artifact.events import log_accepted, log_refused
from safeload.artifact.members import held_members, plain_members
from safeload.artifact.padding import Padding
from safeload.artifact.payload import ClearPayload, EncryptedPayload
from safeload.artifact.unlocking import file_key
from safeload.codecs import LoadOptions, codec_of
from safeload.errors import CodecError, SafeloadError
from safeload.keys import Secret
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from safeload.artifact.payload import Payload
    from safeload.container.layout import Layout
    from safeload.container.leaves import LeafTable
    from safeload.container.manifest import Manifest, Member
    from safeload.container.source import Source
    from safeload.keys import Identity, TrustedKey
    from safeload.limits import Limits

__all__ = ["Artifact", "check_options"]

MMAP_MODES = (None, "c", "r")


def check_options(mmap_mode: str | None, policy: Policy | None) -> None:
    """Raise ValueError or TypeError for what `load` does not take, before a file is opened."""
    if mmap_mode in ("r+", "w+"):
        raise ValueError(f"mmap_mode={mmap_mode!r} writes to the file, which then is not what was signed; use 'c'")
    if mmap_mode not in MMAP_MODES:
        raise ValueError(f"mmap_mode must be None, 'r' or 'c', got {mmap_mode!r}")
    if policy is not None and not isinstance(policy, Policy):
        raise TypeError(f"policy must be a Policy, got {type(policy).__name__}: Policy.default().allow(...)")


class Artifact:
    """A file that a trusted key signed. Made by :meth:`UnverifiedArtifact.verify` only.

    `signers` are the trusted keys that signed it; empty under ``TrustStore.unsafe_accept_any()``. `closed` says why the
    signature of who encrypted it does not count, where that is known.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        layout: Layout,
        manifest: Manifest,
        table: LeafTable,
        signers: tuple[TrustedKey, ...],
        limits: Limits,
        closed: str = "",
    ) -> None:
        self.name, self.manifest, self.signers = name, manifest, signers
        self._source, self._layout, self._table, self._limits = source, layout, table, limits
        self._clear = ClearPayload(source, layout.prelude.payload_off, table)  # one, for what it knows already
        self._unlocked: EncryptedPayload | None = None
        self.closed = closed

    def __repr__(self) -> str:
        signers = ", ".join(key.name for key in self.signers) or "nobody known"
        return f"<Artifact {printable(self.name)!r} signed by {printable(signers)}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an open file, and perhaps its key, are not pickled or copied; pass the path and verify there")

    @property
    def members(self) -> tuple[Member, ...]:
        return self.manifest.members

    def check_payload(self) -> None:
        """Stream the whole payload against the signed digests. Raises DigestMismatchError, CorruptMemberError."""
        padding = Padding(self.members) if not self._layout.encrypted else None
        try:
            self._table.check_all(
                self._source,
                self._layout.prelude.payload_off,
                lambda start, leaf: padding.check(start, leaf) if padding else None,
            )
        except SafeloadError as error:
            error.locate(self.name)
            self.log(error)
            raise
        self.log("verified")

    def unlock(
        self, *, identity: Identity | str | os.PathLike[str] | None = None, passphrase: str | bytes | None = None
    ) -> None:
        """Get the key of an encrypted file, for all that is read afterwards; nothing to do for one that is not.

        `identity` is an Identity or a path; None is the path in ``SAFELOAD_IDENTITY``. Raises DecryptionError,
        KeyFileError; UntrustedSignerError unless the signer that the file was encrypted by is one of `signers`.
        """
        try:
            self._opened(Secret(identity, passphrase))
        except SafeloadError as error:
            error.locate(self.name)
            raise

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {member.name: index for index, member in enumerate(self.members)}

    def _opened(self, secret: Secret) -> Payload:
        offset, encryption = self._layout.prelude.payload_off, self.manifest.encryption
        if encryption is None:
            return self._clear
        if self._unlocked is None or secret.given:
            prelude, table = self._layout.prelude, self._table
            key = file_key(self._source, prelude, table, encryption, self.signers, secret, self.closed)
            self._unlocked = EncryptedPayload(self._source, offset, self._table, encryption.size, key)
        return self._unlocked

    def read(
        self,
        name: str,
        *,
        identity: Identity | str | os.PathLike[str] | None = None,
        passphrase: str | bytes | None = None,
    ) -> memoryview:
        """The plain bytes of a member, in private writable memory: every leaf is hashed as it is read.

        `identity` and `passphrase` as in :meth:`unlock`, which may have been called before instead.
        Raises KeyError for an unknown name, DigestMismatchError, CorruptMemberError, DecryptionError.
        """
        index = self._index[name]
        try:
            return plain_members(self._opened(Secret(identity, passphrase)), self.members, [index])[0]
        except SafeloadError as error:
            error.locate(self.name)
            raise

    def load(
        self,
        mmap_mode: str | None = None,
        *,
        policy: Policy | None = None,
        environment: str = "compatible",
        identity: Identity | str | os.PathLike[str] | None = None,
        passphrase: str | bytes | None = None,
        into: Any = None,
    ) -> Any:
        """The object. Arrays are writable, or read-only with ``mmap_mode="r"``; nothing is mapped from the file.

        `environment` says what a difference of versions does: ``"exact"`` refuses, ``"compatible"`` warns once,
        ``"ignore"`` does nothing. `identity` and `passphrase` are for a file that is encrypted, as in :meth:`unlock`;
        `into` is as in :func:`safeload.load`.
        Raises PolicyError, CodecError, VerificationError, DecryptionError, ValueError for an unknown mode.
        """
        check_options(mmap_mode, policy)
        try:
            return self._load(mmap_mode, policy or Policy.default(), environment, Secret(identity, passphrase), into)
        except SafeloadError as error:
            error.locate(self.name)
            self.log(error)
            raise

    def _load(self, mmap_mode: str | None, policy: Policy, environment: str, secret: Secret, into: Any) -> Any:
        check_environment(self.manifest.environment, environment)
        codec = codec_of(member.kind for member in self.members)
        if codec is None:
            raise self._no_object()
        if into is not None and not codec.fills:
            raise TypeError(
                f"into is for the state of a torch.nn.Module, and {printable(self.name)} holds another object"
            )
        secrecy = self._layout.encrypted
        options = LoadOptions(policy=policy, mmap_mode=mmap_mode, limits=self._limits, into=into, secret=secrecy)
        payload = self._opened(secret)
        value = codec.load(held_members(payload, self.members, at_once=codec.at_once), options)
        self.log("loaded")
        return value

    def log(self, outcome: str | SafeloadError) -> None:
        """Step 10: the event that an operator wants to see."""
        identifier, signers = self.manifest.prelude.container_id, [(key.name, key.keyid) for key in self.signers]
        if isinstance(outcome, str):
            log_accepted(outcome, self.name, identifier, signers)
        else:
            log_refused(outcome, self.name, identifier, [keyid for _, keyid in signers])

    def _no_object(self) -> CodecError:
        kinds = ", ".join(sorted({printable(member.kind) for member in self.members}))
        return CodecError(
            f"this artifact holds no single object but {len(self.members)} member(s) of kind {kinds}",
            hint="safeload unpack FILE -o DESTINATION gives the files",
        )

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Artifact:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
