"""OpenSSH's formats: the line of a public key (RFC 4253 6.6, RFC 8709), the header of a private one (PROTOCOL.key)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from safeload.errors import KeyFileError
from safeload.hazmat import unaccepted
from safeload.text import printable

__all__ = ["PrivateHeader", "is_public_line", "parse_private_header", "parse_public_line"]

ED25519 = "ssh-ed25519"
_BLOB_HEAD = b"\0\0\0\x0bssh-ed25519\0\0\0\x20"
_PUBLIC_LINE = re.compile(rb"(?:ssh|ecdsa|sk|webauthn)-[!-~]{1,100}[ \t]")
_MAGIC = b"openssh-key-v1\0"
_NOT_ENCRYPTED = b"none"


@dataclass(frozen=True, slots=True)
class PrivateHeader:
    """What a private key file says before its encrypted part. ``rounds`` are bcrypt's, 0 if it is not encrypted."""

    algorithm: str
    encrypted: bool
    rounds: int


def is_public_line(data: bytes) -> bool:
    """Whether `data` begins like ``ssh-ed25519 AAAA...``, of whatever algorithm."""
    return _PUBLIC_LINE.match(data) is not None


def parse_public_line(data: bytes, path: str) -> bytes:
    """The 32 bytes of the Ed25519 key in ``ssh-ed25519 AAAA... comment``. Raises KeyFileError, AlgorithmError."""
    lines = data.strip().splitlines()
    if len(lines) > 1:
        raise KeyFileError(
            f"{printable(path)} holds {len(lines)} lines, and a public key of OpenSSH is one",
            path=path,
            hint="put each key into a file of its own",
        )
    words = lines[0].split(None, 2)
    kind = words[0].decode("latin-1")
    if kind != ED25519:
        raise unaccepted.refusal(path, kind)
    return _public_of(_unbase64(words[1] if len(words) > 1 else b""), path)


def _unbase64(word: bytes) -> bytes:
    try:
        return binascii.a2b_base64(word, strict_mode=True)
    except binascii.Error:
        return b""


def _public_of(blob: bytes, path: str) -> bytes:
    if not blob.startswith(_BLOB_HEAD) or len(blob) != len(_BLOB_HEAD) + 32:
        raise KeyFileError(f"{printable(path)} is damaged: its {ED25519} line does not hold an Ed25519 key", path=path)
    return blob[len(_BLOB_HEAD) :]


def parse_private_header(der: bytes, path: str) -> PrivateHeader:
    """The header of `der`, the decoded body of an OPENSSH PRIVATE KEY block. Raises KeyFileError."""
    try:
        return _header(der)
    except ValueError:
        raise KeyFileError(f"{printable(path)} is damaged: it is not a whole OpenSSH private key", path=path) from None


def _header(der: bytes) -> PrivateHeader:
    if not der.startswith(_MAGIC):
        raise ValueError
    cipher, rest = _string(der[len(_MAGIC) :])
    _, rest = _string(rest)
    options, rest = _string(rest)
    public, _ = _string(rest[4:])  # after the number of keys, which has always been 1
    algorithm, _ = _string(public)
    encrypted = cipher != _NOT_ENCRYPTED
    rounds = _u32(_string(options)[1]) if encrypted else 0
    return PrivateHeader(algorithm.decode("latin-1"), encrypted, rounds)


def _string(data: bytes) -> tuple[bytes, bytes]:
    """RFC 4251's string (u32 length, big-endian, then the bytes), and what follows. Raises ValueError."""
    end = 4 + _u32(data)
    if end > len(data):
        raise ValueError
    return data[4:end], data[end:]


def _u32(data: bytes) -> int:
    if len(data) < 4:
        raise ValueError
    return int.from_bytes(data[:4], "big")
