"""Signature records and what they sign: DSSE's pre-authentication encoding (docs/format.md, section 7)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from safeload.errors import FormatError, UnsupportedError

__all__ = [
    "PAYLOAD_TYPE",
    "RECORDS_MAX",
    "SignatureRecord",
    "pack_record",
    "parse_records",
    "pre_authentication_encoding",
]

PAYLOAD_TYPE = "application/vnd.safeload.manifest.v1+json"
RECORDS_MAX = 32
RECORDS_SIZE_MAX = RECORDS_MAX * (43 + 65_535)
_TYPE_SIGNATURE = 1
_HEAD = struct.Struct("<HHIB32sH")


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    """One signature as it stands in a file: `keyid` in lower-case hexadecimal, `alg` a number of section 7.2.

    A signature in an envelope of its own states no `alg`.
    """

    keyid: str
    alg: int | None
    signature: bytes


def pre_authentication_encoding(manifest: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """PAE of DSSE v1 over the manifest's exact bytes: what every signature signs."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(manifest), manifest)


def pack_record(record: SignatureRecord) -> bytes:
    keyid = bytes.fromhex(record.keyid)
    size = len(record.signature)
    return _HEAD.pack(_TYPE_SIGNATURE, record.alg, 1 + 32 + 2 + size, 32, keyid, size) + record.signature


def parse_records(data: bytes) -> tuple[SignatureRecord, ...]:
    """The records after the manifest; `data` reaches to the end of the file. Raises FormatError."""
    records: list[SignatureRecord] = []
    at = 0
    while at < len(data):
        if len(records) == RECORDS_MAX:
            raise FormatError("too-many-records", f"more than {RECORDS_MAX} signature records")
        record = _parse_record(data, at, f"records[{len(records)}]")
        if any(record.keyid == other.keyid for other in records):
            # Counting one key twice must not reach a threshold.
            raise FormatError("duplicate-keyid", f"two signature records name the key {record.keyid[:8]}...")
        records.append(record)
        at += _HEAD.size + len(record.signature)
    return tuple(records)


def _parse_record(data: bytes, at: int, where: str) -> SignatureRecord:
    if at + 2 <= len(data) and (kind := int.from_bytes(data[at : at + 2], "little")) != _TYPE_SIGNATURE:
        raise UnsupportedError("unsupported-record", f"a record of unknown type {kind} (at {where})")
    if at + _HEAD.size > len(data):
        raise FormatError("trailing-bytes", f"{len(data) - at} bytes after the last whole record (at {where})")
    _, alg, length, keyid_len, keyid, sig_len = _HEAD.unpack_from(data, at)
    if keyid_len != 32 or not sig_len or length != 1 + 32 + 2 + sig_len:
        raise FormatError("record-length", f"the lengths of a signature record disagree (at {where})")
    end = at + _HEAD.size + sig_len
    if end > len(data):
        raise FormatError("trailing-bytes", f"a signature record reaches past the end of the file (at {where})")
    return SignatureRecord(keyid.hex(), alg, data[at + _HEAD.size : end])
