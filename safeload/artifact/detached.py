"""Signatures in a file of their own, for artifacts that are too large to copy or cannot be written (format.md, 7.5)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from safeload.container.dsse import ENVELOPE_MAX, Envelope
from safeload.container.envelope import PAYLOAD_TYPE
from safeload.errors import DetachedSignatureError, FormatError
from safeload.keys.keyfile import read_key_file
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.container.envelope import SignatureRecord

__all__ = ["detached_records"]

StrPath = str | os.PathLike[str]


def detached_records(
    path: StrPath, manifest: bytes, records: tuple[SignatureRecord, ...]
) -> tuple[SignatureRecord, ...]:
    """The signatures in `path`, which must be those of `manifest`, and none of a key that signed inside the file too.

    Raises FormatError, DetachedSignatureError, KeyFileError.
    """
    envelope = _read(path)
    if envelope.payload != manifest:
        raise DetachedSignatureError(
            f"{printable(os.fspath(path))} holds the signatures of another file",
            hint="name the file that was written when this one was signed: safeload sign FILE --detached FILE.sig",
        )
    inside = {record.keyid for record in records}
    if any(record.keyid in inside for record in envelope.records):
        # Repeating one must not add to a threshold, nor hide which of the two is bad.
        raise FormatError("duplicate-keyid", "a key signed inside of the file, and beside it; or in two files")
    return envelope.records


def _read(path: StrPath) -> Envelope:
    data = read_key_file(path, what="file of signatures", most=ENVELOPE_MAX).data
    try:
        return Envelope.parse(data, PAYLOAD_TYPE)
    except FormatError as error:
        reason = error.message.replace("the manifest", "it")
        text = f"{printable(os.fspath(path))} is no file of signatures for a model: {reason}"
        raise FormatError(error.violation, text) from None
