"""The manifest's description of encryption (docs/format.md, section 8): parsed and bounded, not carried out here."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from safeload.container.fields import Fields, bad_value
from safeload.container.manifest import Encryption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["encryption_from_json"]

_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_RECIPIENTS_MAX = 64
# Whoever wrote the file chose these costs; a reader must not pay more than this before it knows who that was.
_COSTS_MAX = {"memory": 1_048_576, "passes": 16, "lanes": 16}
_MEMORY_A_LANE = 8  # RFC 9106, section 3.1
# In bytes. Whatever is wrapped is a file key of 32 bytes and a tag.
_ENC = {"x25519": 32, "mlkem768-x25519": 1088 + 32}
_WRAPPED, _SALT = 32 + 16, 16


def encryption_from_json(fields: Fields | None) -> Encryption | None:
    """Raises FormatError."""
    if fields is None:
        return None
    scheme = fields.one_of("scheme", {"cobblestone-256"})
    size, signer = fields.integer("size"), fields.matching("signer", _HEX64)
    stanzas = fields.list_of_fields("recipients")
    fields.done()
    if not 1 <= len(stanzas) <= _RECIPIENTS_MAX:
        raise bad_value(fields.at("recipients"), f"has not 1 to {_RECIPIENTS_MAX} entries")
    recipients = tuple(_stanza(stanza) for stanza in stanzas)
    if len(recipients) > 1 and any(each["type"] == "argon2id" for each in recipients):
        # Two ways to one key, one of them guessable: the passphrase would open what the others were given.
        raise bad_value(fields.at("recipients"), "has a passphrase beside other recipients")
    keyids = [each["keyid"] for each in recipients if "keyid" in each]
    if len(set(keyids)) != len(keyids):
        raise bad_value(fields.at("recipients"), "names a key twice")
    return Encryption(scheme=scheme, size=size, signer=signer, recipients=recipients)


def _stanza(fields: Fields) -> Mapping[str, str | int]:
    kind = fields.one_of("type", _STANZAS)
    values = _STANZAS[kind](fields, kind)
    fields.done()
    return {"type": kind, **values}


def _public_key(fields: Fields, kind: str) -> Mapping[str, str | int]:
    return {
        "keyid": fields.matching("keyid", _HEX64),
        "enc": _base64(fields, "enc", _ENC[kind]),
        "wrapped": _base64(fields, "wrapped", _WRAPPED),
    }


def _passphrase(fields: Fields, kind: str) -> Mapping[str, str | int]:
    del kind
    costs = {name: _cost(fields, name, most) for name, most in _COSTS_MAX.items()}
    if costs["memory"] < _MEMORY_A_LANE * costs["lanes"]:
        raise bad_value(fields.at("memory"), f"is not {_MEMORY_A_LANE} or more for each lane")
    return {"salt": _base64(fields, "salt", _SALT), **costs, "wrapped": _base64(fields, "wrapped", _WRAPPED)}


def _cost(fields: Fields, name: str, most: int) -> int:
    value = fields.integer(name)
    if not 1 <= value <= most:
        raise bad_value(fields.at(name), f"is not 1 to {most:,}")
    return value


def _base64(fields: Fields, key: str, size: int) -> str:
    text = fields.string(key)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    # Decoding alone would take several spellings of the same bytes.
    if len(data) != size or base64.b64encode(data).decode() != text:
        raise bad_value(fields.at(key), f"is not {size:,} bytes in base64 with padding")
    return text


_STANZAS: Mapping[str, Callable[[Fields, str], Mapping[str, str | int]]] = {
    "x25519": _public_key,
    "mlkem768-x25519": _public_key,
    "argon2id": _passphrase,
}
