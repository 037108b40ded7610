"""One more signature on a file that exists."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.artifact.copying import copy_up_to
from safeload.artifact.detached import detached_records
from safeload.artifact.opened import UnverifiedArtifact, check_prelude
from safeload.container.atomic import atomic_file
from safeload.container.dsse import Envelope
from safeload.container.envelope import (
    PAYLOAD_TYPE,
    RECORDS_MAX,
    SignatureRecord,
    pack_record,
    pre_authentication_encoding,
)
from safeload.container.frames import write_all
from safeload.container.locks import locked_folder
from safeload.errors import AlreadySignedError, FormatError
from safeload.keys import NUMBERS, Signer, short
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["add_detached", "add_signature", "locked"]


def add_signature(path: str, signer: Signer) -> SignatureRecord:
    """Sign the manifest of the file at `path` once more. The file is copied, then replaced: never half-written.

    Whoever countersigns vouches for the bytes, so they are checked against the manifest first; who signed before
    is not. Raises FormatError, DigestMismatchError, AlreadySignedError.
    """
    with locked(path) as unverified:
        _refuse_second(unverified, unverified.records, signer)
        _check_before(unverified)
        signature = signer.sign(pre_authentication_encoding(unverified.manifest_bytes))
        record = SignatureRecord(signer.keyid, NUMBERS[signer.algorithm], signature)
        with atomic_file(path) as fd:
            copy_up_to(unverified.source, unverified.source.size, fd)
            write_all(fd, memoryview(pack_record(record)), unverified.layout.size)
    return record


def add_detached(unverified: UnverifiedArtifact, signer: Signer, target: str | os.PathLike[str]) -> None:
    """Write the signature of `signer` into the file `target`, beside those that are there; the artifact stays as it is.

    Its bytes are checked against its manifest first. Raises as `add_signature` does, and DetachedSignatureError.
    """
    path = Path(os.path.realpath(target))
    manifest = unverified.manifest_bytes
    with locked_folder(path.parent):
        there = detached_records(path, manifest, unverified.records) if path.exists() else ()
        _refuse_second(unverified, (*unverified.records, *there), signer)
        _check_before(unverified)
        envelope = Envelope(PAYLOAD_TYPE, manifest, there)
        envelope = envelope.signed(signer.keyid, signer.sign, pre_authentication_encoding(manifest))
        with atomic_file(path) as fd:
            write_all(fd, memoryview(envelope.render()), 0)


def _refuse_second(unverified: UnverifiedArtifact, records: tuple[SignatureRecord, ...], signer: Signer) -> None:
    """Raise AlreadySignedError if the key signed before, FormatError if nobody more may."""
    if any(record.keyid == signer.keyid for record in records):
        raise AlreadySignedError(f"{printable(unverified.name)} bears a signature of {short(signer.keyid)} already")
    if len(records) >= RECORDS_MAX:
        raise FormatError(
            "too-many-records", f"{printable(unverified.name)} bears {RECORDS_MAX} signatures, which is the most"
        )


def _check_before(unverified: UnverifiedArtifact) -> None:
    """Whoever signs vouches for the bytes. Raises FormatError, PreludeMismatchError, DigestMismatchError."""
    manifest = unverified.claimed
    check_prelude(unverified.layout.prelude, manifest.prelude)
    unverified.table(manifest).check_all(unverified.source, unverified.layout.prelude.payload_off, _look_away)


def _look_away(start: int, leaf: memoryview) -> None:
    """Only the digests matter here."""


@contextlib.contextmanager
def locked(path: str) -> Iterator[UnverifiedArtifact]:
    """The file at `path`, open, and locked against other signers.

    Each signer replaces the file, so whoever waited for the lock may hold it on the file of before: look again.
    """
    while True:
        with UnverifiedArtifact(path) as unverified:
            fd = unverified.source.fileno()
            _lock(fd)
            if os.path.samestat(Path(path).stat(), os.fstat(fd)):
                yield unverified
                return


def _lock(fd: int) -> None:
    if os.name == "nt":
        return
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_EX)
