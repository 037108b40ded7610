"""Other recipients for a file: its key is wrapped anew and its manifest signed anew; the payload stays as it is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from safeload.artifact.copying import copy_up_to
from safeload.artifact.signing import locked
from safeload.artifact.unlocking import file_key
from safeload.container.atomic import atomic_file
from safeload.container.envelope import SignatureRecord, pack_record, pre_authentication_encoding
from safeload.container.frames import write_all
from safeload.container.manifest_json import manifest_from_json
from safeload.container.strictjson import parse_object, to_bytes
from safeload.errors import DecryptionError
from safeload.keys import NUMBERS, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.artifact.opened import UnverifiedArtifact
    from safeload.container.manifest import Manifest
    from safeload.keys import Audience, Secret, Signer, TrustStore

__all__ = ["rewrap_file"]


def rewrap_file(path: str, signer: Signer, audience: Audience, trust: TrustStore, secret: Secret) -> Manifest:
    """Make `audience` those who may read the file at `path`, which is replaced in one step.

    Whoever rewraps vouches for the file with a signature of their own: it is verified as for loading, and every leaf
    is checked. The signatures that it bore are dropped, since they are of another manifest. Raises VerificationError,
    FormatError, DecryptionError, KeyFileError.
    """
    with locked(path) as unverified, unverified.verify(trust) as artifact:
        encryption = artifact.manifest.encryption
        if encryption is None:
            text = f"{unverified.name} is not encrypted, so it has no recipients to change"
            raise DecryptionError(text, hint="save the model anew, with recipients")
        prelude = unverified.layout.prelude
        table = unverified.table(artifact.manifest)
        key = file_key(unverified.source, prelude, table, encryption, artifact.signers, secret, artifact.closed)
        artifact.check_payload()
        stanzas = wrap(audience, key, prelude.container_id, signer.keyid)
        data = _manifest(unverified.manifest_bytes, signer.keyid, stanzas)
        _replace(path, unverified, data, signer)
    return manifest_from_json(data)


def _manifest(raw: bytes, signer: str, stanzas: tuple[Mapping[str, str | int], ...]) -> bytes:
    """The manifest as it was, also where this version does not know what it says, but for those who may read."""
    values = parse_object(raw)
    values["encryption"] |= {"signer": signer, "recipients": list(stanzas)}
    data = to_bytes(values)
    manifest_from_json(data)  # what this library refuses to read it does not write
    return data


def _replace(path: str, unverified: UnverifiedArtifact, data: bytes, signer: Signer) -> None:
    prelude = dataclasses.replace(unverified.layout.prelude, manifest_len=len(data))
    signature = signer.sign(pre_authentication_encoding(data))
    record = SignatureRecord(signer.keyid, NUMBERS[signer.algorithm], signature)
    with atomic_file(path) as fd:
        copy_up_to(unverified.source, prelude.manifest_off, fd)
        write_all(fd, memoryview(data + pack_record(record)), prelude.manifest_off)
        write_all(fd, memoryview(prelude.pack()), 0)
