"""A second writer of the container, made from docs/format.md alone: it imports nothing from safeload.

A mistake that the package makes twice, once in its writer and once in its reader, shows here as a disagreement.
A file is made in two steps, and every piece can be bent before the next one is made from it::

    rough = draft(Member("a", b"..."))      # payload, table, manifest as a dict
    rough.put("members.0.size", 7)
    done = rough.seal()                     # manifest as bytes, prelude, records
    done.prelude.manifest_off += 1
    done.encode()
"""

from __future__ import annotations

import bz2
import hashlib
import hmac
import json
import lzma
import re
import struct
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import blake3
import lz4.frame
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Json = dict[str, Any]

MAGIC = bytes.fromhex("8953464C0D0A1A0A")
PAYLOAD_OFF = 4096
LEAF = FRAME = 4_194_304
CONTAINER_ID = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
CREATED = "2026-01-02T03:04:05Z"
PAYLOAD_TYPE = b"application/vnd.safeload.manifest.v1+json"

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda data: zstd.compress(data, level=3),
    "zlib": lambda data: zlib.compress(data, 6),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_XZ, preset=1),
    "bz2": lambda data: bz2.compress(data, 9),
    "lz4": lambda data: lz4.frame.compress(data, store_size=True, content_checksum=True),
}


# --- keys (format 7.2, 7.3) -------------------------------------------------------------------


class Signer(Protocol):
    """What `Draft.seal` needs of a key."""

    @property
    def alg(self) -> int: ...
    @property
    def keyid(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ed25519:
    """An Ed25519 key made from a fixed seed, so that its signatures never change."""

    seed: bytes
    alg: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def spki(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def keyid(self) -> bytes:
        return hashlib.sha256(self.spki).digest()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class Hmac:
    """An HMAC key; `secret` of any length, because an attacker's may be."""

    secret: bytes
    alg: int = 2

    @property
    def keyid(self) -> bytes:
        return hashlib.sha256(b"safeload/v1 hmac\0" + self.secret).digest()

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self.secret, message, "sha256")


TEST = Ed25519(bytes(range(32)))
OTHER = Ed25519(bytes(range(32, 64)))
STRANGER = Ed25519(bytes(range(64, 96)))
SHARED = Hmac(bytes(range(96, 128)))


def pae(manifest: bytes, payload_type: bytes = PAYLOAD_TYPE) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(manifest), manifest)


# --- pieces -----------------------------------------------------------------------------------


@dataclass(kw_only=True, slots=True)
class Prelude:
    """Format 2, in the order of the bytes."""

    magic: bytes = MAGIC
    major: int = 1
    minor: int = 0
    flags: int = 0
    payload_off: int = PAYLOAD_OFF
    payload_len: int = 0
    manifest_off: int = PAYLOAD_OFF
    manifest_len: int = 0
    table_len: int = 0
    container_id: bytes = CONTAINER_ID

    def encode(self) -> bytes:
        return struct.pack(
            "<8sHHIQQQII16s",
            self.magic,
            self.major,
            self.minor,
            self.flags,
            self.payload_off,
            self.payload_len,
            self.manifest_off,
            self.manifest_len,
            self.table_len,
            self.container_id,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """One member; `pieces` are its frames where they should not be what the encoding makes of `data`."""

    name: str = "model.bin"
    data: bytes = b"the bytes of a member"
    encoding: str = "identity"
    pieces: tuple[bytes, ...] | None = None
    size: int | None = None
    kind: str = "file"

    @property
    def frames(self) -> tuple[bytes, ...] | None:
        if self.encoding == "identity" or self.pieces is not None:
            return self.pieces
        compress = COMPRESSORS[self.encoding]
        return tuple(compress(self.data[start : start + FRAME]) for start in range(0, len(self.data), FRAME))

    @property
    def stored(self) -> bytes:
        return self.data if self.frames is None else b"".join(self.frames)

    def describe(self, offset: int) -> Json:
        frames = self.frames
        return {
            "name": self.name,
            "kind": self.kind,
            "offset": offset,
            "size": len(self.data) if self.size is None else self.size,
            "stored": len(self.stored),
            "encoding": self.encoding,
            "frames": None if frames is None else [len(frame) for frame in frames],
        }


@dataclass(kw_only=True, slots=True)
class Record:
    """Format 7.1; a length that is None follows from the bytes."""

    sig: bytes
    keyid: bytes
    alg: int = 1
    type: int = 1
    length: int | None = None
    keyid_len: int | None = None
    sig_len: int | None = None

    def encode(self) -> bytes:
        keyid_len = len(self.keyid) if self.keyid_len is None else self.keyid_len
        sig_len = len(self.sig) if self.sig_len is None else self.sig_len
        length = 1 + len(self.keyid) + 2 + len(self.sig) if self.length is None else self.length
        head = struct.pack("<HHIB", self.type, self.alg, length, keyid_len)
        return head + self.keyid + struct.pack("<H", sig_len) + self.sig


def record(signer: Signer, manifest: bytes) -> Record:
    return Record(sig=signer.sign(pae(manifest)), keyid=signer.keyid, alg=signer.alg)


@dataclass(kw_only=True, slots=True)
class Sealed:
    """A whole file, section by section."""

    prelude: Prelude
    padding: bytes = bytes(PAYLOAD_OFF - 64)
    payload: bytes
    table: bytes
    manifest: bytes
    records: list[Record]
    trailing: bytes = b""

    def encode(self) -> bytes:
        head = self.prelude.encode() + self.padding
        tail = b"".join(entry.encode() for entry in self.records)
        return head + self.payload + self.table + self.manifest + tail + self.trailing


# --- from members to a file -------------------------------------------------------------------


def digest_of(name: str, data: bytes) -> bytes:
    return blake3.blake3(data).digest() if name == "blake3" else hashlib.sha256(data).digest()


def table_of(payload: bytes, digest: str) -> bytes:
    return b"".join(digest_of(digest, payload[start : start + LEAF]) for start in range(0, len(payload), LEAF))


def root_of(payload_len: int, table: bytes, digest: str) -> bytes:
    return digest_of(digest, b"safeload/v1 table\0" + struct.pack("<QQ", LEAF, payload_len) + table)


def offsets_of(members: Sequence[Member]) -> list[int]:
    offsets, end = [], 0
    for member in members:
        offsets.append(-(-end // 64) * 64)
        end = offsets[-1] + len(member.stored)
    return offsets


def payload_of(members: Sequence[Member], offsets: Sequence[int]) -> bytes:
    placed = [(offset, member.stored) for offset, member in zip(offsets, members, strict=True)]
    payload = bytearray(max(offset + len(stored) for offset, stored in placed) if placed else 0)
    for offset, stored in placed:
        payload[offset : offset + len(stored)] = stored
    return bytes(payload)


def draft(
    *members: Member,
    digest: str = "blake3",
    prelude: Prelude | None = None,
    offsets: Sequence[int] | None = None,
    payload: bytes | None = None,
) -> Draft:
    """An honest file of `members`, except where the caller lays out the payload differently."""
    members = members or (Member(),)
    offsets = offsets_of(members) if offsets is None else offsets
    payload = payload_of(members, offsets) if payload is None else payload
    table = table_of(payload, digest)
    prelude = prelude or Prelude()
    prelude.payload_len = len(payload)
    return Draft(
        members=members,
        prelude=prelude,
        payload=payload,
        table=table,
        manifest=manifest_of(members, offsets, prelude, digest, root_of(len(payload), table, digest)),
    )


def manifest_of(members: Sequence[Member], offsets: Sequence[int], prelude: Prelude, digest: str, root: bytes) -> Json:
    return {
        "v": 1,
        "prelude": {
            "major": prelude.major,
            "minor": prelude.minor,
            "flags": prelude.flags,
            "payload_off": prelude.payload_off,
            "payload_len": prelude.payload_len,
            "container_id": prelude.container_id.hex(),
        },
        "payload": {"digest": digest, "leaf": LEAF, "root": root.hex()},
        "members": [member.describe(offset) for member, offset in zip(members, offsets, strict=True)],
        "created": CREATED,
        "environment": {"python": "3.11.7", "platform": "linux-x86_64", "distributions": {}},
        "globals": [],
        "arrays": {"count": 0, "bytes": 0, "largest": None},
        "metadata": {},
        "model": None,
        "encryption": None,
        "crit": [],
    }


@dataclass(kw_only=True, slots=True)
class Draft:
    """A file whose manifest is still a dict."""

    members: tuple[Member, ...]
    prelude: Prelude
    payload: bytes
    table: bytes
    manifest: Json

    def put(self, path: str, value: object) -> Draft:
        """Set the value at a path such as ``members.0.size``."""
        holder, last = self._find(path)
        holder[last] = value
        return self

    def drop(self, path: str) -> Draft:
        holder, last = self._find(path)
        del holder[last]
        return self

    def raw(self) -> bytes:
        return to_json(self.manifest)

    def seal(self, raw: bytes | None = None, *, signers: Sequence[Signer] = (TEST,)) -> Sealed:
        """Fit the prelude around the manifest (or around `raw` in its place) and sign it."""
        manifest = self.raw() if raw is None else raw
        self.prelude.table_len = len(self.table)
        self.prelude.manifest_off = PAYLOAD_OFF + len(self.payload) + len(self.table)
        self.prelude.manifest_len = len(manifest)
        return Sealed(
            prelude=self.prelude,
            payload=self.payload,
            table=self.table,
            manifest=manifest,
            records=[record(signer, manifest) for signer in signers],
        )

    def _find(self, path: str) -> tuple[Any, str | int]:
        holder: Any = self.manifest
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            holder = holder[part]
        return holder, last


# --- JSON -------------------------------------------------------------------------------------


def verbatim(text: str) -> str:
    """A value that `to_json` writes as `text`, for what no JSON encoder would write."""
    return f"<<{text}>>"


def to_json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"<<((?:[^"\\]|\\.)*)>>"', lambda found: str(json.loads(f'"{found[1]}"')), text).encode()


def swapped(raw: bytes, old: bytes, new: bytes) -> bytes:
    """`raw` with the one occurrence of `old` replaced: twice or never is a mistake in the scenario."""
    if raw.count(old) != 1:
        raise ValueError(f"{old!r} occurs {raw.count(old)} times")
    return raw.replace(old, new)
