"""The prelude and the arithmetic of the sections (docs/format.md, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.errors import FormatError, NotAnArtifactError, UnsupportedError

if TYPE_CHECKING:
    from safeload.container.source import Source

__all__ = ["ALIGNMENT", "FLAG_ENCRYPTED", "LEAF", "MAGIC", "PAYLOAD_OFF", "Layout", "Prelude", "align", "read_layout"]

MAGIC = b"\x89SFL\r\n\x1a\n"
MAJOR, MINOR = 1, 0
PAYLOAD_OFF = 4096
ALIGNMENT = 64
LEAF = 4 << 20
DIGEST_SIZE = 32
MANIFEST_MAX = 16 << 20
FLAG_ENCRYPTED = 1
_CRITICAL_FLAGS = 0xFFFF
_PRELUDE = struct.Struct("<8sHHIQQQII16s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelude:
    """The first 64 bytes of a file. Offsets and lengths are in bytes."""

    major: int = MAJOR
    minor: int = MINOR
    flags: int = 0
    payload_off: int = PAYLOAD_OFF
    payload_len: int
    manifest_off: int
    manifest_len: int
    table_len: int
    container_id: bytes

    def pack(self) -> bytes:
        return _PRELUDE.pack(
            MAGIC,
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
class Layout:
    """A prelude whose sections add up, and the size of the file that they were checked against."""

    prelude: Prelude
    size: int

    @property
    def table_off(self) -> int:
        return self.prelude.payload_off + self.prelude.payload_len

    @property
    def records_off(self) -> int:
        return self.prelude.manifest_off + self.prelude.manifest_len

    @property
    def encrypted(self) -> bool:
        return bool(self.prelude.flags & FLAG_ENCRYPTED)


def align(offset: int) -> int:
    """The smallest multiple of 64 that is not below `offset`."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def leaf_count(payload_len: int) -> int:
    return -(-payload_len // LEAF)


def read_layout(source: Source) -> Layout:
    """Check the prelude of `source` (step 2). Raises FormatError; reads 4096 bytes at most."""
    head = source.read(0, min(source.size, PAYLOAD_OFF))
    _check_magic(head)
    if len(head) < _PRELUDE.size:
        raise FormatError("truncated", f"the file ends after {len(head)} bytes, inside its prelude")
    _, *fields = _PRELUDE.unpack_from(head)
    names = ("major", "minor", "flags", "payload_off", "payload_len", "manifest_off", "manifest_len", "table_len")
    prelude = Prelude(**dict(zip(names, fields, strict=False)), container_id=fields[-1])
    _check_fields(prelude)
    layout = Layout(prelude, source.size)
    if len(head) < PAYLOAD_OFF or layout.records_off > source.size:
        raise FormatError(
            "truncated", f"the file has {source.size:,} bytes, its prelude speaks of {layout.records_off:,} and more"
        )
    # Bytes that mean nothing would let one file be two artifacts.
    if head[_PRELUDE.size :].strip(b"\0"):
        raise FormatError("nonzero-padding", "the bytes between prelude and payload are not all zero")
    return layout


def _check_magic(head: bytes) -> None:
    if head[:8] == MAGIC:
        return
    if not head:
        raise FormatError("truncated", "the file is empty", hint="a file object is read from its position: seek(0)?")
    if MAGIC.startswith(head):
        raise FormatError("truncated", f"the file ends after {len(head)} bytes, inside its magic")
    raise NotAnArtifactError(
        "not-an-artifact",
        "this is not a safeload file",
        hint="sign a model file as it is with `safeload pack`, or rebuild one under guard with `safeload convert` "
        "or safeload.load_untrusted()",
    )


def _check_fields(prelude: Prelude) -> None:
    if prelude.major != MAJOR:
        raise UnsupportedError(
            "unsupported-version",
            f"the file has format version {prelude.major}.{prelude.minor}, this safeload reads version {MAJOR}",
            hint="install a newer safeload",
        )
    unknown = prelude.flags & _CRITICAL_FLAGS & ~FLAG_ENCRYPTED
    if unknown:
        raise UnsupportedError(
            "unsupported-flag", f"the file sets critical flags {unknown:#x}, unknown to this version"
        )
    if prelude.payload_off != PAYLOAD_OFF:
        raise FormatError("payload-offset", f"the payload must begin at {PAYLOAD_OFF}, not at {prelude.payload_off:,}")
    if not 2 <= prelude.manifest_len <= MANIFEST_MAX:
        raise FormatError(
            "manifest-length", f"a manifest of {prelude.manifest_len:,} bytes is outside 2 to {MANIFEST_MAX:,}"
        )
    table_len = DIGEST_SIZE * leaf_count(prelude.payload_len)
    if prelude.table_len != table_len:
        raise FormatError("table-length", f"the leaf table has {prelude.table_len:,} bytes instead of {table_len:,}")
    manifest_off = prelude.payload_off + prelude.payload_len + prelude.table_len
    if prelude.manifest_off != manifest_off:
        raise FormatError("section-gap", f"the manifest begins at {prelude.manifest_off:,} instead of {manifest_off:,}")
