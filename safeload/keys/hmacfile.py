"""The file of an HMAC key: a line that says what it is, then 32 bytes in base64 (RFC 4648, section 4)."""

from __future__ import annotations

import binascii

from safeload.errors import KeyFileError
from safeload.hazmat import mac
from safeload.text import printable

__all__ = ["claims_hmac", "parse", "render"]

_FAMILY = b"safeload hmac-sha256 key"
_TITLE = b"safeload hmac-sha256 key v1"


def claims_hmac(data: bytes) -> bool:
    """Whether `data` begins like an HMAC key file, of whatever version, well-formed or not."""
    return data.startswith(_FAMILY)


def render(key: bytes) -> bytes:
    """The content of the file for the 32 bytes of `key`."""
    return _TITLE + b"\n" + binascii.b2a_base64(key)


def parse(data: bytes, path: str) -> bytes:
    """The 32 bytes of the key in `data`. CR LF and a missing last newline are tolerated, and nothing else is.

    Raises KeyFileError, which holds nothing of the second line.
    """
    lines = data.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if lines[0] != _TITLE:
        raise KeyFileError(
            f'{printable(path)} does not begin with the line "{_TITLE.decode()}"',
            path=path,
            hint="a newer safeload may have made it; this one makes one by: safeload keygen team --type hmac",
        )
    key = _unbase64(lines[1]) if len(lines) == 2 else b""
    if len(key) != mac.KEY_BYTES:
        raise KeyFileError(
            f"{printable(path)} is damaged: after its first line stands one more, {mac.KEY_BYTES} bytes in base64",
            path=path,
        )
    return key


def _unbase64(line: bytes) -> bytes:
    """The bytes of canonical base64, or none: two spellings of one key would be two files with one keyid."""
    try:
        key = binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        return b""
    return key if binascii.b2a_base64(key, newline=False) == line else b""
