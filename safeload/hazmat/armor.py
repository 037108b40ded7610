"""PEM (RFC 7468), strictly: a key file is one block and nothing around it but white space."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from safeload.errors import KeyFileError
from safeload.text import printable

__all__ = ["Block", "holds_pem", "parse_block", "render_block"]

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----[ \t]*\r?\n(.*?)-----END \1-----", re.DOTALL)
_LINE = 64


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block; ``body`` is its base64 as it stands in the file, and may be a secret."""

    label: str
    body: bytes = field(repr=False)
    path: str

    def der(self) -> bytes:
        """The decoded body. Raises KeyFileError."""
        try:
            return binascii.a2b_base64(b"".join(self.body.split()), strict_mode=True)
        except binascii.Error:
            # The error that binascii raised is dropped: what surrounds a secret has no business in a log.
            raise KeyFileError(
                f"{printable(self.path)} is damaged: its {self.label.lower()} is not base64", path=self.path
            ) from None


def holds_pem(data: bytes) -> bool:
    """Whether `data` has the beginning of a PEM block anywhere."""
    return _BEGIN in data


def parse_block(data: bytes, path: str) -> Block:
    """The one block of a file. Raises KeyFileError if there are several, or it is not whole, or other text is there."""
    count = data.count(_BEGIN)
    if count > 1:
        raise KeyFileError(
            f"{printable(path)} holds {count} PEM blocks, and a key file holds one",
            path=path,
            hint="put each key into a file of its own",
        )
    match = _BLOCK.fullmatch(data.strip())
    if match is None:
        raise KeyFileError(
            f"{printable(path)} is not one whole PEM block: it is cut off, or has text around the key", path=path
        )
    return Block(match[1].decode("ascii"), match[2], path)


def render_block(label: str, der: bytes) -> bytes:
    """`der` as a PEM block with lines of 64 characters and a newline at the end."""
    body = binascii.b2a_base64(der, newline=False)
    lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
    name = label.encode("ascii")
    return b"\n".join([b"-----BEGIN %b-----" % name, *lines, b"-----END %b-----" % name, b""])
