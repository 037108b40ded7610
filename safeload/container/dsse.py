"""DSSE's envelope as JSON: signatures that stand beside what they sign (docs/format.md, 7.5).

Any tool that knows DSSE reads it: https://github.com/secure-systems-lab/dsse, envelope.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safeload.container.envelope import RECORDS_MAX, SignatureRecord
from safeload.container.fields import Fields
from safeload.container.strictjson import parse_object, to_bytes
from safeload.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENVELOPE_MAX", "Envelope"]

_KEYID = re.compile(r"[0-9a-f]{64}\Z")
ENVELOPE_MAX = 32 << 20  # a manifest of 16 MiB in base64, and signatures


@dataclass(frozen=True, slots=True)
class Envelope:
    """`payload` of the type `payload_type`, and who signed it. The records say no algorithm: the key decides."""

    payload_type: str
    payload: bytes
    records: tuple[SignatureRecord, ...]

    @staticmethod
    def parse(data: bytes, payload_type: str) -> Envelope:
        """Strict: exactly the keys of DSSE, one spelling of base64, each keyid once. Raises FormatError."""
        top = Fields(parse_object(data), "")
        kind, payload = top.string("payloadType"), _bytes(top, "payload")
        signatures = top.list_of_fields("signatures")
        top.done()
        if kind != payload_type:
            raise FormatError("envelope-type", f"the envelope is of another type than {payload_type}")
        if not 1 <= len(signatures) <= RECORDS_MAX:
            raise FormatError("too-many-records", f"the envelope has not 1 to {RECORDS_MAX} signatures")
        records = tuple(_record(each) for each in signatures)
        if len({record.keyid for record in records}) != len(records):
            # Counting one key twice must not reach a threshold.
            raise FormatError("duplicate-keyid", "two signatures of the envelope name one key")
        return Envelope(kind, payload, records)

    def render(self) -> bytes:
        signatures = [
            {"keyid": record.keyid, "sig": base64.b64encode(record.signature).decode()} for record in self.records
        ]
        payload = base64.b64encode(self.payload).decode()
        return to_bytes({"payloadType": self.payload_type, "payload": payload, "signatures": signatures}) + b"\n"

    def signed(self, keyid: str, sign: Callable[[bytes], bytes], message: bytes) -> Envelope:
        """With one more signature, over `message`."""
        return replace(self, records=(*self.records, SignatureRecord(keyid, None, sign(message))))


def _record(fields: Fields) -> SignatureRecord:
    record = SignatureRecord(fields.matching("keyid", _KEYID), None, _bytes(fields, "sig"))
    fields.done()
    return record


def _bytes(fields: Fields, key: str) -> bytes:
    text = fields.string(key)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise FormatError("bad-value", f"the envelope's {fields.at(key)} is not base64 with padding")
    return data
