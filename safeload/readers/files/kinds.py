"""What a file is, by its content. An ending says nothing: a pickle may be called ``weights.bin``."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers.files.wire import fields
from safeload.readers.joblib import FIRST_OPCODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["begins_like_a_pickle", "ends_like_a_zip", "hdf5_offsets", "is_text", "kind_of"]

_HEAD, _FINGERPRINT_MAX, _PIECES = 4_096, 1_024, 8
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SSTABLE = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # tensorflow/core/lib/io/format.h: kTableMagicNumber
_ZIP_END, _ZIP_COMMENT = b"PK\x05\x06", (1 << 16) + 22

# Bytes at the beginning -> kind (docs/format.md; PKWARE APPNOTE; RFC 1952; and each project's own description).
_MAGICS: Mapping[bytes, str] = {
    b"\x89SFL\r\n\x1a\n": "safeload",
    b"PK\x03\x04": "zip",
    _ZIP_END: "zip",
    b"\x93NUMPY": "npy",
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
    _HDF5: "hdf5",
    b"GGUF": "gguf",
    b"CBM1": "catboost",
    b"tree\nversion=": "lightgbm",
    b"{L\0\0\0\0\0\0": "ubjson",  # and two more bytes of how long the first key is
    b"ZF0x": "old joblib",
    # what lies beside models, and is none
    b"\x89PNG\r\n\x1a\n": "media",
    b"\xff\xd8\xff": "media",
    b"GIF8": "media",
    b"%PDF-": "media",
    b"PAR1": "media",
    b"ARROW1\0\0": "media",
}
_LZMA = re.compile(rb"[\x00-\xe0]\x00\x00[\x00-\xff]{2}(?:\xff{8}|[\x00-\xff]{5}\x00{3})", re.DOTALL)
_PROTOBUF = re.compile(rb"\x08[\x01-\x20](?:[\x12\x1a\x22\x32\x3a\x42\x72])")
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!A-Za-z]")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_TAR_BLOCK = 512


def kind_of(view: memoryview) -> str:
    """A kind of :data:`READERS`; ``"unknown"`` for what is none of them."""
    head = bytes(view[:_HEAD])
    if not head:
        return "empty"
    found = next((kind for magic, kind in _MAGICS.items() if head.startswith(magic)), None)
    if found:
        return found
    for name, fits in _TESTS.items():
        if fits(head, view):
            return name
    if begins_like_a_pickle(view):
        return "pickle"
    return "text" if is_text(view) else "unknown"


def _lead(view: memoryview) -> bytes:
    """The beginning without the blanks before it, of which there may be many: parsers of text skip them."""
    for at in range(0, len(view), _HEAD):
        if piece := bytes(view[at : at + _HEAD]).lstrip():
            return piece + bytes(view[at + _HEAD : at + 2 * _HEAD])
    return b" "


def begins_like_a_pickle(view: memoryview) -> bool:
    """`PK` would ask for an object elsewhere, which no pickle does first."""
    return len(view) > 0 and view[0] in FIRST_OPCODES and bytes(view[:2]) != b"PK"


def hdf5_offsets(view: memoryview) -> Iterator[int]:
    """Where HDF5 may begin behind a block of somebody else's, which ends at 512 or any doubling of that."""
    at = 512
    while at + len(_HDF5) <= len(view):
        if bytes(view[at : at + len(_HDF5)]) == _HDF5:
            yield at
        at *= 2


def _is_zlib(head: bytes, _: memoryview) -> bool:
    return len(head) > 2 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0


def _is_tar(head: bytes, _: memoryview) -> bool:
    """By the sum over its first header, which older tars have too."""
    block = head[:_TAR_BLOCK]
    if len(block) < _TAR_BLOCK or not block[0]:
        return False
    digits = block[148:156].strip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,8}", digits):
        return False
    return sum(block[:148]) + 8 * 0x20 + sum(block[156:]) == int(digits, 8)


def _is_safetensors(head: bytes, view: memoryview) -> bool:
    length = int.from_bytes(head[:8], "little")
    return len(head) > 9 and head[8] == 0x7B and 2 <= length <= len(view) - 8 and view[7 + length] in b"} \n"


def ends_like_a_zip(view: memoryview) -> bool:
    """With something else before it: archives are found by their end."""
    return bytes(view[-_ZIP_COMMENT:]).rfind(_ZIP_END) >= 0


def _is_fingerprint(head: bytes, view: memoryview) -> bool:
    """Five numbers, a version and an identity (tensorflow/core/protobuf/fingerprint.proto)."""
    if head[0] != 0x08 or len(view) > _FINGERPRINT_MAX:
        return False
    try:
        found = {field.number: field.is_bytes for field in fields(view, 0, len(view))}
    except StreamError:
        return False
    return found.keys() <= set(range(1, 8)) and [found.get(number) for number in range(1, 6)] == [False] * 5


def _is_sentencepiece(head: bytes, view: memoryview) -> bool:
    """A vocabulary: messages of a piece and its score (sentencepiece_model.proto)."""
    if head[:1] != b"\x0a":
        return False
    try:
        pieces = itertools.islice(fields(view, 0, len(view)), _PIECES)
        inner = [[part.number for part in fields(view, one.start, one.end)] for one in pieces if one.number == 1]
    except StreamError:
        return False
    return len(inner) == _PIECES and all(numbers[:2] == [1, 2] for numbers in inner)


def is_text(view: memoryview) -> bool:
    """UTF-8 without a control character that text has not."""
    piece = bytes(view[: 1 << 20])
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(piece) - 4 or len(view) <= len(piece):
            return False
        text = piece[: error.start].decode("utf-8")
    return not re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", text)


_TESTS: Mapping[str, Callable[[bytes, memoryview], bool]] = {
    "zlib": _is_zlib,
    "lzma": lambda head, _: bool(_LZMA.match(head)) and head[0] == 0x5D,
    "tar": _is_tar,
    "safetensors": _is_safetensors,
    "zip": lambda _, view: ends_like_a_zip(view),
    "json": lambda _, view: bool(_JSON.match(_lead(view))) and is_text(view),
    "xml": lambda _, view: bool(_XML.match(_lead(view))),
    "tensorflow, fingerprint": _is_fingerprint,
    "sentencepiece": _is_sentencepiece,
    "protobuf": lambda head, _: bool(_PROTOBUF.match(head)),
    "hdf5": lambda _, view: any(True for _ in hdf5_offsets(view)),
    "tensorflow, index": lambda _, view: bytes(view[-8:]) == _SSTABLE,
}
