"""An artifact's signature for those who verify with OpenSSF Model Signing instead of safeload."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.artifact.opened import UnverifiedArtifact, check_prelude
from safeload.container.atomic import atomic_file
from safeload.container.bundle import STATEMENT_TYPE, bundle, statement
from safeload.container.envelope import pack_record, pre_authentication_encoding
from safeload.container.frames import write_all
from safeload.container.layout import LEAF, leaf_count
from safeload.errors import AlgorithmError
from safeload.keys import ECDSA_P256, KeySigner, RemoteSigner, public_pem
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.keys import Signer

__all__ = ["export_bundle"]

_LEAVES = 4  # at a time
_NAME = "model.sig"


def export_bundle(path: str, output: str | os.PathLike[str] | None, signer: Signer) -> Path:
    """Write the bundle for the folder that holds `path`, with this one file in it; returns where.

    Whoever signs vouches for the bytes, so they are checked against the manifest first, as when adding a signature.
    Raises FormatError, DigestMismatchError, AlgorithmError; ValueError for a name that JSON cannot hold.
    """
    pem = _public_pem(signer)
    real = Path(os.path.realpath(path))
    f"{real.parent.name}/{real.name}".encode()  # raises where the name is not text: better now than after the hashing
    # The folder is that of the file, and not that of a link to it, which the other program would not follow.
    folder = real.parent if os.path.islink(path) else Path(path).parent  # noqa: PTH114  a name that is too long
    target = folder / _NAME if output is None else Path(output)
    if os.path.realpath(target) == str(real):
        raise ValueError("the bundle would replace the artifact")
    with UnverifiedArtifact(real) as unverified:
        payload = statement(real.parent.name, {real.name: _checked_digest(unverified)})
    signature = signer.sign(pre_authentication_encoding(payload, STATEMENT_TYPE))
    with atomic_file(target) as fd:
        write_all(fd, memoryview(bundle(payload, signature, pem)), 0)
    return target


def _public_pem(signer: Signer) -> bytes:
    if signer.algorithm != ECDSA_P256:
        raise AlgorithmError(
            f"OpenSSF Model Signing takes ECDSA keys, and this one is for {printable(signer.algorithm)}",
            hint="make one: safeload keygen release --type ecdsa-p256",
        )
    if not isinstance(signer, (KeySigner, RemoteSigner)):
        raise TypeError("the bundle names the public key: pass a key file, or Signer.from_uri or from_securesystemslib")
    return public_pem(signer.public)


def _checked_digest(unverified: UnverifiedArtifact) -> bytes:
    """SHA-256 of the whole file, made of the parts that were checked, each read once.

    Who changes the file meanwhile gets an error or no effect, and never a signature over bytes that nobody checked.
    """
    manifest, layout = unverified.claimed, unverified.layout
    check_prelude(layout.prelude, manifest.prelude)
    table = unverified.table(manifest)
    digest = hashlib.sha256(layout.prelude.pack().ljust(layout.prelude.payload_off, b"\0"))
    buffer = memoryview(bytearray(min(_LEAVES * LEAF, table.payload_len)))
    for first in range(0, leaf_count(table.payload_len), _LEAVES):
        piece = buffer[: table.payload_len - first * LEAF]
        table.read(unverified.source, layout.prelude.payload_off, [(first * LEAF, piece)])
        digest.update(piece)
    for part in (table.table, unverified.manifest_bytes, *map(pack_record, unverified.records)):
        digest.update(part)
    return digest.digest()
