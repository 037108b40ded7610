"""Members -> a signed file. The file is made in a temporary place; the caller decides when it becomes real."""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import os
import secrets
import tempfile
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact.encrypting import write_ciphertext
from safeload.container.atomic import syncing
from safeload.container.ciphertext import stored_length
from safeload.container.encodings import IDENTITY, Compression
from safeload.container.envelope import SignatureRecord, pack_record, pre_authentication_encoding
from safeload.container.frames import write_all, write_frames
from safeload.container.layout import FLAG_ENCRYPTED, LEAF, MAJOR, MINOR, PAYLOAD_OFF, Prelude, align
from safeload.container.leaves import DIGESTS, hash_leaves
from safeload.container.manifest import Encryption, Manifest, Member, PayloadInfo, PreludeRecord
from safeload.container.manifest_json import manifest_from_json, manifest_to_json
from safeload.keys import NUMBERS, SCHEME, new_file_key, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safeload.container.leaves import LeafTable
    from safeload.container.manifest import Arrays, Environment, ModelInfo
    from safeload.keys import Audience, Signer

__all__ = ["ArtifactWriter", "Description"]

_LARGE = 16 << 20  # to hash so much takes longer than to tell the system to write it


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the manifest says of the payload beyond its bytes."""

    environment: Environment
    globals: tuple[str, ...]
    arrays: Arrays
    metadata: dict[str, Any]
    model: ModelInfo | None = None


class ArtifactWriter:
    """Writes into the open file `fd`, which is empty, readable and writable.

    What is to be compressed is first written plain to a nameless file in the folder `scratch`. For an `audience` the
    payload is encrypted: then nothing plain is written to `fd`, and the nameless files are memory where there is such.
    """

    def __init__(
        self,
        fd: int,
        *,
        digest: str = "blake3",
        compression: Compression | None = None,
        scratch: str | None = None,
        audience: Audience | None = None,
    ) -> None:
        if digest not in DIGESTS:
            raise ValueError(f"digest must be one of {', '.join(DIGESTS)}, got {digest!r}")
        self._fd, self._digest, self._scratch = fd, digest, scratch
        self._compression = compression or Compression()
        self._audience = audience
        self._members: list[Member] = []
        self._end = 0
        # Where the plain payload is written, and at which offset it begins there.
        self._plain_fd, self._plain_off = fd, PAYLOAD_OFF
        if audience is not None:
            self._plain_fd, self._plain_off = _nameless(scratch, private=True), 0
            weakref.finalize(self, os.close, self._plain_fd)

    def add(self, name: str, write: Callable[[IO[bytes]], None]) -> memoryview:
        """Let `write` fill a member; returns its plain bytes, readable until the writer goes."""
        offset = align(self._end)
        if self._compression.encoding == IDENTITY:
            plain = _written(self._plain_fd, self._plain_off + offset, write)
            stored, frames = len(plain), None
        else:
            scratch = _nameless(self._scratch, private=self._audience is not None)
            try:
                plain = _written(scratch, 0, write)
            finally:
                os.close(scratch)
            frames = write_frames(plain, self._compression, self._plain_fd, self._plain_off + offset)
            stored = sum(frames)
        encoding = self._compression.encoding
        self._members.append(
            Member(
                name=name, kind="file", offset=offset, size=len(plain), stored=stored, encoding=encoding, frames=frames
            )
        )
        self._end = offset + stored
        return plain

    def finish(self, signer: Signer, description: Description, kinds: Sequence[str]) -> Manifest:
        """Encrypt, hash, describe, sign, write all that stands around the payload; `kinds` has one kind a member."""
        members = zip(self._members, kinds, strict=True)
        self._members = [dataclasses.replace(member, kind=kind) for member, kind in members]
        container_id = secrets.token_bytes(16)
        _extend(self._plain_fd, self._plain_off + self._end)
        encryption = self._encrypt(self._audience, container_id, signer) if self._audience else None
        payload_len = stored_length(self._end) if encryption else self._end
        # A file with a place of its own will be on the disk when it is complete.
        is_worth_it = self._scratch is not None and payload_len > _LARGE
        with syncing(self._fd) if is_worth_it else contextlib.nullcontext():
            table = hash_leaves(self._digest, _mapped(self._fd, PAYLOAD_OFF, payload_len))
        data = manifest_to_json(self._manifest(table, container_id, description, encryption))
        # What this library refuses to read it does not write: names, depth and sizes are checked once, there.
        manifest = manifest_from_json(data)
        signature = signer.sign(pre_authentication_encoding(data))
        record = SignatureRecord(signer.keyid, NUMBERS[signer.algorithm], signature)
        prelude = Prelude(
            flags=manifest.prelude.flags,
            payload_len=payload_len,
            manifest_off=PAYLOAD_OFF + payload_len + len(table.table),
            manifest_len=len(data),
            table_len=len(table.table),
            container_id=container_id,
        )
        tail = table.table + data + pack_record(record)
        write_all(self._fd, memoryview(tail), PAYLOAD_OFF + payload_len)
        write_all(self._fd, memoryview(prelude.pack().ljust(PAYLOAD_OFF, b"\0")), 0)
        return manifest

    def _encrypt(self, audience: Audience, container_id: bytes, signer: Signer) -> Encryption:
        """The payload into the file (format, section 8), and what the manifest says of it."""
        head, key = new_file_key(container_id)
        write_ciphertext(key, head, _mapped(self._plain_fd, 0, self._end), self._fd, PAYLOAD_OFF)
        recipients = wrap(audience, key, container_id, signer.keyid)
        return Encryption(scheme=SCHEME, size=self._end, signer=signer.keyid, recipients=recipients)

    def _manifest(
        self, table: LeafTable, container_id: bytes, description: Description, encryption: Encryption | None
    ) -> Manifest:
        return Manifest(
            prelude=PreludeRecord(
                major=MAJOR,
                minor=MINOR,
                flags=FLAG_ENCRYPTED if encryption else 0,
                container_id=container_id.hex(),
                payload_off=PAYLOAD_OFF,
                payload_len=table.payload_len,
            ),
            payload=PayloadInfo(digest=self._digest, leaf=LEAF, root=table.root),
            members=tuple(self._members),
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            environment=description.environment,
            globals=description.globals,
            arrays=description.arrays,
            metadata=description.metadata,
            model=description.model,
            encryption=encryption,
        )


def _nameless(folder: str | None, *, private: bool) -> int:
    """A descriptor of an empty file without a name; if `private`, one that is memory where the system has such."""
    if private and hasattr(os, "memfd_create"):
        return os.memfd_create("safeload", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.dup(file.fileno())


def _extend(fd: int, size: int) -> None:
    """With zeros, if the file is smaller: the last member may be one of no bytes, behind padding."""
    if os.fstat(fd).st_size < size:
        os.ftruncate(fd, size)


def _written(fd: int, offset: int, write: Callable[[IO[bytes]], None]) -> memoryview:
    """Let `write` write at `offset`; what it wrote, mapped."""
    with os.fdopen(os.dup(fd), "r+b", buffering=1 << 20) as file:
        file.seek(offset)
        write(file)
        file.flush()
        return _mapped(fd, offset, file.tell() - offset)


def _mapped(fd: int, offset: int, length: int) -> memoryview:
    if length == 0:
        return memoryview(b"")
    view = memoryview(mmap.mmap(fd, offset + length, access=mmap.ACCESS_READ))
    return view[offset : offset + length]
