"""A file whose signatures hold (docs/format.md, section 10, steps 6 to 9)."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any

from safeload.artifact.environment import check_environment
from safeload.artifact.events import log_accepted, log_refused
from safeload.codecs import CODECS
from safeload.codecs.base import LoadOptions
from safeload.container.encodings import IDENTITY
from safeload.container.frames import decode_member
from safeload.container.layout import LEAF
from safeload.container.source import allocate
from safeload.errors import CodecError, CorruptMemberError, SafeloadError, UnsupportedError
from safeload.policy import Policy
from safeload.text import printable

if TYPE_CHECKING:
    from types import TracebackType

    from safeload.container.layout import Layout
    from safeload.container.leaves import LeafTable
    from safeload.container.manifest import Manifest, Member
    from safeload.container.source import Source
    from safeload.keys import TrustedKey
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

    `signers` are the trusted keys that signed it; empty under ``TrustStore.unsafe_accept_any()``.
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
    ) -> None:
        self.name, self.manifest, self.signers = name, manifest, signers
        self._source, self._layout, self._table, self._limits = source, layout, table, limits

    def __repr__(self) -> str:
        signers = ", ".join(key.name for key in self.signers) or "nobody known"
        return f"<Artifact {printable(self.name)!r} signed by {printable(signers)}>"

    @property
    def members(self) -> tuple[Member, ...]:
        return self.manifest.members

    def check_payload(self) -> None:
        """Stream the whole payload against the signed digests. Raises DigestMismatchError, CorruptMemberError."""
        padding = _Padding(self.members) if not self._layout.encrypted else None
        try:
            self._table.check_all(
                self._source,
                self._layout.prelude.payload_off,
                lambda start, leaf: padding.check(start, leaf) if padding else None,
            )
        except SafeloadError as error:
            error.locate(self.name)
            raise

    def read(self, name: str) -> memoryview:
        """The plain bytes of a member, in private writable memory: every leaf is hashed as it is read.

        Raises KeyError for an unknown name, DigestMismatchError, CorruptMemberError.
        """
        index = next((i for i, member in enumerate(self.members) if member.name == name), None)
        if index is None:
            raise KeyError(name)
        try:
            return self._read(index)
        except SafeloadError as error:
            error.locate(self.name)
            raise

    def _read(self, index: int) -> memoryview:
        if self._layout.encrypted:
            raise UnsupportedError(
                "unsupported-encryption",
                "the payload is encrypted, and this version cannot decrypt",
                hint="it can be verified; install a newer safeload to load it",
            )
        member = self.members[index]
        before = self.members[index - 1] if index else None
        # From the end of the member before: the padding between the two is checked on the way.
        begin = before.offset + before.stored if before else 0
        first, last = begin // LEAF, -(-(member.offset + member.stored) // LEAF)
        end = min(last * LEAF, self._layout.prelude.payload_len)
        leaves = allocate(end - first * LEAF)
        self._table.read(self._source, self._layout.prelude.payload_off, first, leaves)
        if any(leaves[begin - first * LEAF : member.offset - first * LEAF]):
            raise _nonzero(member)
        at = member.offset - first * LEAF
        stored = leaves[at : at + member.stored]
        return stored if member.encoding == IDENTITY else decode_member(member, stored)

    def load(
        self, mmap_mode: str | None = None, *, policy: Policy | None = None, environment: str = "compatible"
    ) -> Any:
        """The object. Arrays are writable, or read-only with ``mmap_mode="r"``; nothing is mapped from the file.

        `environment` says what a difference of versions does: ``"exact"`` refuses, ``"compatible"`` warns once,
        ``"ignore"`` does nothing. Raises PolicyError, CodecError, VerificationError, ValueError for an unknown mode.
        """
        check_options(mmap_mode, policy)
        try:
            return self._load(mmap_mode, policy or Policy.default(), environment)
        except SafeloadError as error:
            error.locate(self.name)
            self.log(error)
            raise

    def _load(self, mmap_mode: str | None, policy: Policy, environment: str) -> Any:
        check_environment(self.manifest.environment, environment)
        member = self._loadable()
        options = LoadOptions(policy=policy, mmap_mode=mmap_mode, limits=self._limits, member=member.name)
        value = CODECS[member.kind].load(self.read(member.name), options)
        self.log("loaded")
        return value

    def log(self, outcome: str | SafeloadError) -> None:
        """Step 10: the event that an operator wants to see."""
        identifier, signers = self.manifest.prelude.container_id, [(key.name, key.keyid) for key in self.signers]
        if isinstance(outcome, str):
            log_accepted(outcome, self.name, identifier, signers)
        else:
            log_refused(outcome, self.name, identifier, [keyid for _, keyid in signers])

    def _loadable(self) -> Member:
        if len(self.members) == 1 and self.members[0].kind in CODECS:
            return self.members[0]
        kinds = ", ".join(sorted({printable(member.kind) for member in self.members}))
        raise CodecError(
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


class _Padding:
    """The gaps between members, found by binary search for each leaf that passes."""

    def __init__(self, members: tuple[Member, ...]) -> None:
        self._members = members
        self._ends = [member.offset + member.stored for member in members]

    def check(self, start: int, leaf: memoryview) -> None:
        end = start + len(leaf)
        # The first gap that can reach into this leaf begins less than one alignment before it.
        index = bisect.bisect_left(self._ends, start - 64)
        while index + 1 < len(self._members) and self._ends[index] < end:
            gap, after = self._ends[index], self._members[index + 1]
            if any(leaf[max(gap - start, 0) : max(after.offset - start, 0)]):
                raise _nonzero(after)
            index += 1


def _nonzero(member: Member) -> CorruptMemberError:
    return CorruptMemberError(
        "member-padding", f'the bytes before member "{printable(member.name)}" are not zero', member=member.name
    )
