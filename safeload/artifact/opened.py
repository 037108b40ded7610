"""An opened file of which nothing is believed yet (docs/format.md, section 10, steps 1 to 5)."""

from __future__ import annotations

import contextlib
import functools
import os
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from safeload.artifact.detached import detached_records
from safeload.artifact.events import log_refused
from safeload.artifact.verified import Artifact
from safeload.container.ciphertext import stored_length
from safeload.container.envelope import RECORDS_SIZE_MAX, parse_records, pre_authentication_encoding
from safeload.container.layout import read_layout
from safeload.container.leaves import LeafTable
from safeload.container.manifest_json import manifest_from_json, parse_time
from safeload.container.remembered import remembered_manifest
from safeload.container.source import open_source
from safeload.errors import ExpiredError, FormatError, LimitError, PreludeMismatchError, SafeloadError, ThresholdError
from safeload.keys import trust_from
from safeload.limits import DEFAULT_LIMITS, Limits
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from safeload.container.envelope import SignatureRecord
    from safeload.container.layout import Prelude
    from safeload.container.manifest import Manifest, PreludeRecord
    from safeload.keys import TrustStore

__all__ = ["UnverifiedArtifact", "authenticate", "check_prelude", "checked", "file_name"]


def file_name(file: str | os.PathLike[str] | IO[bytes] | memoryview) -> str:
    """What to call `file` in messages."""
    if isinstance(file, (str, os.PathLike)):
        return str(os.fspath(file))
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else "the file"


def authenticate(
    file: str | os.PathLike[str] | IO[bytes],
    trust: TrustStore | str | os.PathLike[str] | None,
    signature: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Artifact:
    """Open a file whose signatures hold; its payload is checked as it is read. Every refusal is logged."""
    try:
        store = trust_from(trust)
        unverified = UnverifiedArtifact(file, signature=signature, limits=limits)
    except SafeloadError as error:
        log_refused(error, file_name(file))
        raise
    try:
        return unverified.verify(store)
    except SafeloadError:
        unverified.close()
        raise


def checked(artifact: Artifact) -> Artifact:
    """The artifact, once every byte of its payload is what was signed; else it is closed."""
    try:
        artifact.check_payload()
    except BaseException:
        artifact.close()
        raise
    return artifact


class UnverifiedArtifact:
    """A file whose sections add up. Only :meth:`verify` gives something that can be loaded."""

    def __init__(
        self,
        file: str | os.PathLike[str] | IO[bytes] | memoryview,
        *,
        signature: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.name = file_name(file)
        self._limits = limits
        self._handed_over = False
        self.source = open_source(file)  # step 1
        try:
            with self._errors_name_the_file():
                self.layout = read_layout(self.source)  # step 2
                self.records = self._read_records()
                for beside in (signature,) if isinstance(signature, (str, os.PathLike)) else signature or ():
                    self.records += detached_records(beside, self.manifest_bytes, self.records)
        except BaseException:
            self.source.close()
            raise

    def __repr__(self) -> str:
        return f"<UnverifiedArtifact {printable(self.name)!r}, {plural(len(self.records), 'signature')} not checked>"

    def _read_records(self) -> tuple[SignatureRecord, ...]:
        length = self.layout.size - self.layout.records_off
        if length > RECORDS_SIZE_MAX:
            raise FormatError("too-many-records", f"{length:,} bytes of signature records")
        return parse_records(self.source.read(self.layout.records_off, length))

    @functools.cached_property
    def manifest_bytes(self) -> bytes:
        """The exact bytes that the signatures cover."""
        prelude = self.layout.prelude
        return self.source.read(prelude.manifest_off, prelude.manifest_len)

    @functools.cached_property
    def claimed(self) -> Manifest:
        """What the file says of itself. Nobody vouches for it. Raises FormatError."""
        with self._errors_name_the_file():
            return manifest_from_json(self.manifest_bytes)

    def table(self, manifest: Manifest) -> LeafTable:
        """The leaf table, checked against the root that `manifest` gives (step 6). Raises DigestMismatchError."""
        prelude = self.layout.prelude
        table = self.source.read(self.layout.table_off, prelude.table_len)
        leaves = LeafTable(manifest.payload.digest, prelude.payload_len, table)
        leaves.check_root(manifest.payload.root)
        return leaves

    def verify(self, trust: TrustStore, *, now: datetime | None = None) -> Artifact:
        """Steps 3 to 5 and the root of the table; the leaves are checked as they are read.

        `now` is the time for all that begins or ends, of keys and of the model; None reads the clock. Raises
        VerificationError and FormatError.
        """
        with self._refusals_are_logged(), self._errors_name_the_file():
            now = now or datetime.now(UTC)  # the one reading of the clock
            if now.tzinfo is None:
                raise ValueError("now has no time zone: datetime.now(UTC)")
            message = pre_authentication_encoding(self.manifest_bytes)
            signers = trust.check(message, self.records, name=self.name, now=now)
            manifest = remembered_manifest(self.manifest_bytes)
            check_prelude(self.layout.prelude, manifest.prelude)
            _check_ciphertext(manifest)
            model = manifest.model.name if manifest.model else None
            try:
                signers = trust.authorise(signers, model, name=self.name)
            except ThresholdError as error:
                for why in self._ignored(trust, now).values():
                    error.add(why)  # who signed, and was revoked, is what people look for
                raise
            _check_expiry(manifest, now)
            _check_bounds(manifest, self._limits)
            table = self.table(manifest)
        self._handed_over = True  # the artifact closes the file from here on
        by = manifest.encryption.signer if manifest.encryption else ""
        closed = "" if by in {key.keyid for key in signers} else trust.standing(by, model, now)
        return Artifact(self.name, self.source, self.layout, manifest, table, signers, self._limits, closed)

    def _ignored(self, trust: TrustStore, now: datetime) -> dict[str, str]:
        """Why signatures of trusted keys do not count, by keyid."""
        refused = trust.refused(printable(self.name), now)
        return {record.keyid: refused[record.keyid].message for record in self.records if record.keyid in refused}

    @contextlib.contextmanager
    def _refusals_are_logged(self) -> Iterator[None]:
        try:
            yield
        except SafeloadError as error:
            claimed = self.layout.prelude.container_id.hex(), [record.keyid for record in self.records]
            log_refused(error, self.name, *claimed)
            raise

    @contextlib.contextmanager
    def _errors_name_the_file(self) -> Iterator[None]:
        try:
            yield
        except SafeloadError as error:
            error.locate(self.name)
            raise

    def close(self) -> None:
        if not self._handed_over:
            self.source.close()

    def __enter__(self) -> UnverifiedArtifact:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_prelude(prelude: Prelude, signed: PreludeRecord) -> None:
    """Step 5: the signatures cover the manifest, and through it the prelude. Raises PreludeMismatchError."""
    for field in ("major", "minor", "flags", "payload_off", "payload_len"):
        if getattr(prelude, field) != getattr(signed, field):
            raise PreludeMismatchError(f"the prelude's {field} is not what was signed", field=field)
    if prelude.container_id.hex() != signed.container_id:
        raise PreludeMismatchError("the prelude's container_id is not what was signed", field="container_id")


def _check_ciphertext(manifest: Manifest) -> None:
    """A plaintext has one ciphertext length, and what is read is bounded by it. Raises FormatError."""
    if manifest.encryption is None:
        return
    length, stored = stored_length(manifest.encryption.size), manifest.prelude.payload_len
    if length != stored:
        text = f"{manifest.encryption.size:,} bytes give a ciphertext of {length:,}, and the payload has {stored:,}"
        raise FormatError("ciphertext-length", text)


def _check_expiry(manifest: Manifest, now: datetime) -> None:
    expires = manifest.model.expires if manifest.model else None
    if expires is not None and now >= parse_time(expires):
        raise ExpiredError(f"the model expired at {expires}", hint="ask its signer for a newer one")


def _check_bounds(manifest: Manifest, limits: Limits) -> None:
    declared = sum(member.size for member in manifest.members)
    stored = manifest.prelude.payload_len
    if declared > stored and declared > (most := limits.expanded(stored)):
        raise LimitError(
            "expansion",
            f"the members decompress to {declared:,} bytes from {stored:,}, more than the bound of {most:,}",
            hint="if that is what you expect: limits=Limits(expansion_floor=...)",
        )
