"""One more signature on a file that exists."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.artifact.copying import copy_up_to
from safeload.artifact.opened import UnverifiedArtifact, check_prelude
from safeload.container.atomic import atomic_file
from safeload.container.envelope import (
    RECORDS_MAX,
    SignatureRecord,
    pack_record,
    pre_authentication_encoding,
)
from safeload.container.frames import write_all
from safeload.errors import AlreadySignedError, FormatError
from safeload.keys import NUMBERS, Signer, short
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["add_signature", "locked"]


def add_signature(path: str, signer: Signer) -> SignatureRecord:
    """Sign the manifest of the file at `path` once more. The file is copied, then replaced: never half-written.

    Whoever countersigns vouches for the bytes, so they are checked against the manifest first; who signed before
    is not. Raises FormatError, DigestMismatchError, AlreadySignedError.
    """
    with locked(path) as unverified:
        _check(unverified, signer)
        signature = signer.sign(pre_authentication_encoding(unverified.manifest_bytes))
        record = SignatureRecord(signer.keyid, NUMBERS[signer.algorithm], signature)
        with atomic_file(path) as fd:
            copy_up_to(unverified.source, unverified.source.size, fd)
            write_all(fd, memoryview(pack_record(record)), unverified.layout.size)
    return record


def _check(unverified: UnverifiedArtifact, signer: Signer) -> None:
    if any(record.keyid == signer.keyid for record in unverified.records):
        raise AlreadySignedError(f"{printable(unverified.name)} bears a signature of {short(signer.keyid)} already")
    if len(unverified.records) == RECORDS_MAX:
        raise FormatError(
            "too-many-records", f"{printable(unverified.name)} bears {RECORDS_MAX} signatures, which is the most"
        )
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
