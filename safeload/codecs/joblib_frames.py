"""Frames of protocol 4: off what the C pickler writes, and around what is made of it.

Source: Python's Modules/_pickle.c (``_Pickler_CommitFrame``, ``_Pickler_write_bytes``) and PEP 3154. A piece that it
writes is a frame, or opcodes of less than 4 bytes without one; and behind it the beginning of a large text or byte
string, whose bytes are the next piece.
"""

from __future__ import annotations

from safeload.readers import opcodes as op

__all__ = ["UNKNOWN", "framed", "unframed"]

UNKNOWN = "the pickler of this Python writes otherwise than is known; please report this"

_HEAD, _LEAST = 9, 4
_LENGTHS = {
    op.BINUNICODE: 4,
    op.BINBYTES: 4,
    op.BINUNICODE8: 8,
    op.BINBYTES8: 8,
    op.BYTEARRAY8: 8,
}


def unframed(piece: bytes) -> tuple[bytes, bytes, int]:
    """The opcodes, the opcode of something large, and how many bytes of that are the next piece."""
    opcodes, rest = b"", piece
    if piece[:1] == bytes([op.FRAME]):
        end = _HEAD + int.from_bytes(piece[1:_HEAD], "little")
        opcodes, rest = piece[_HEAD:end], piece[end:]
    if len(rest) < 1 + min(_LENGTHS.values()):
        return opcodes + rest, b"", 0
    # A header of 5 bytes behind at most 3, or of 9 behind as many.
    width = 4 if len(rest) < 9 else 8
    short, header = rest[: -1 - width], rest[-1 - width :]
    if len(short) >= _LEAST or _LENGTHS.get(header[0]) != width:
        raise ValueError(UNKNOWN)
    return opcodes + short, header, int.from_bytes(header[1:], "little")


def framed(opcodes: bytes) -> bytes:
    """Short ones stay without, as picklers have it."""
    if len(opcodes) < _LEAST:
        return opcodes
    return bytes([op.FRAME]) + len(opcodes).to_bytes(8, "little") + opcodes
