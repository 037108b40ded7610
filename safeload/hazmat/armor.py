"""PEM (RFC 7468), strictly: a key file is one block, a hybrid's two, and nothing around them but white space."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from safeload.errors import KeyFileError
from safeload.text import printable

__all__ = ["Block", "holds_pem", "parse_blocks", "render_block"]

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----[ \t]*\r?\n(.*?)-----END \1-----", re.DOTALL)
_LINE = 64
_BLOCKS_MAX = 2


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


def parse_blocks(data: bytes, path: str) -> list[Block]:
    """The one block of a file, or the two of a hybrid key.

    Raises KeyFileError if there are more, or one is not whole, or there is other text.
    """
    count = data.count(_BEGIN)
    if count > _BLOCKS_MAX:
        raise KeyFileError(
            f"{printable(path)} holds {count} PEM blocks, and a key file holds one",
            path=path,
            hint="put each key into a file of its own",
        )
    blocks: list[Block] = []
    rest = data.strip()
    while rest or not blocks:
        match = _BLOCK.match(rest)
        if match is None:
            raise KeyFileError(
                f"{printable(path)} is not one whole PEM block: it is cut off, or has text around the key", path=path
            )
        blocks.append(Block(match[1].decode("ascii"), match[2], path))
        rest = rest[match.end() :].lstrip()
    return blocks


def render_block(label: str, der: bytes) -> bytes:
    """`der` as a PEM block with lines of 64 characters and a newline at the end."""
    body = binascii.b2a_base64(der, newline=False)
    lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
    name = label.encode("ascii")
    return b"\n".join([b"-----BEGIN %b-----" % name, *lines, b"-----END %b-----" % name, b""])
