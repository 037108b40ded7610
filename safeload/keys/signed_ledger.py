"""A signature on a trust store's ``trust.toml``: ``trust.sig`` beside it, a DSSE envelope (docs/trust.md).

Keys are listed by keyid, so that whoever signs the file signs for each key in the store.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safeload.container.atomic import atomic_file
from safeload.container.dsse import ENVELOPE_MAX, Envelope
from safeload.container.envelope import pre_authentication_encoding
from safeload.container.frames import write_all
from safeload.container.locks import locked_folder
from safeload.errors import FormatError, KeyFileError
from safeload.keys import folder as folders
from safeload.keys.keyfile import cannot, path_text, quoted, read_key_file
from safeload.keys.ledger import LEDGER, parse_ledger
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from safeload.container.envelope import SignatureRecord
    from safeload.keys.ledger import Ledger
    from safeload.keys.signer import Signer

__all__ = ["SIGNATURE", "signed_ledger", "trust_sign"]

SIGNATURE = "trust.sig"
_TYPE = "application/vnd.safeload.trust.v1+toml"


def trust_sign(store_folder: str | os.PathLike[str], signer: Signer) -> Path:
    """Sign the ``trust.toml`` of a store. Other signatures on the same content stay; those on another one go.

    Returns the path of ``trust.sig``. Raises KeyFileError.
    """
    folder = Path(path_text(store_folder))
    path = folder / SIGNATURE
    with locked_folder(folder):
        data = _ledger(folder)
        parse_ledger(data, str(folder / LEDGER))
        there = _signatures(path) if path.exists() else None
        kept = there.records if there is not None and there.payload == data else ()
        others = tuple(record for record in kept if record.keyid != signer.keyid)
        envelope = Envelope(_TYPE, data, others).signed(signer.keyid, signer.sign, _message(data))
        try:
            with atomic_file(path) as descriptor:
                write_all(descriptor, memoryview(envelope.render()), 0)
        except OSError as error:
            raise cannot("write", str(path), error) from error
    return path


def signed_ledger(folder: Path, check: Callable[[bytes, tuple[SignatureRecord, ...], str], None]) -> Ledger:
    """What the ``trust.toml`` of `folder` says, if it is what was signed, and ``check(message, records, name)`` of its
    signatures does not raise. Raises KeyFileError.
    """
    name = str(folder / LEDGER)
    data, envelope = _ledger(folder), _signatures(folder / SIGNATURE)
    if envelope.payload != data:
        raise KeyFileError(
            f"{printable(name)} was changed since it was signed",
            path=name,
            hint=f"who may change it signs it anew: safeload trust sign --store {quoted(str(folder))} --key root.key",
        )
    check(_message(data), envelope.records, name)
    return parse_ledger(data, name)


def _message(data: bytes) -> bytes:
    return pre_authentication_encoding(data, _TYPE)


def _ledger(folder: Path) -> bytes:
    """The bytes of the file, of which nothing is read before a signature on them holds."""
    if not folders.has_ledger(folder):
        name = printable(str(folder))
        raise KeyFileError(
            f"{name} has no {LEDGER}, so there is nothing to sign or to verify",
            path=str(folder),
            hint=f"safeload trust add team.pub --store {quoted(str(folder))} --owner TEXT makes one",
        )
    return folders.read_ledger(folder / LEDGER)


def _signatures(path: Path) -> Envelope:
    data = read_key_file(path, what="file of signatures", most=ENVELOPE_MAX).data
    try:
        return Envelope.parse(data, _TYPE)
    except FormatError as error:
        reason = error.message.replace("the manifest", "it")
        raise KeyFileError(
            f"{printable(str(path))} is no file of signatures for a trust store: {reason}",
            path=str(path),
            hint="if nobody can say what it was, remove it and sign the store anew",
        ) from None
