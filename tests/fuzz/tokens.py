"""A stream as a list of opcodes to cut and paste: memo keys are names, raw bytes of arrays stand behind BUILD.

MEMOIZE and PUT become ``DEFINE name``, GET becomes ``FETCH name``; keys are numbered anew when the stream is written,
so that whatever was inserted or left out, the numbering is what a pickler would write.
"""

from __future__ import annotations

import io
import itertools
import pickletools
from typing import TYPE_CHECKING, NamedTuple

from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DEFINE", "FETCH", "NESTED", "RAW", "Token", "fresh", "read", "write"]

# Kinds besides the numbers of the opcodes.
DEFINE, FETCH, RAW, NESTED = 256, 257, 258, 259
_FRAME, _MEMOIZE, _STOP, _PROTO = 0x95, 0x94, 0x2E, 0x80
_PUTS = frozenset(b"qrp")
_GETS = frozenset(b"hjg")
_names = itertools.count()


class Token(NamedTuple):
    """One opcode with its argument, or what stands behind a joblib wrapper. ``name`` is a memo entry's."""

    kind: int
    raw: bytes
    name: int = -1


def read(data: bytes) -> list[Token]:
    """The tokens of a pickle or joblib stream, without its frames: loading needs none."""
    arrays = analyse(memoryview(data), watch=WATCHED).every_array()
    behind = {array.end_of_build: array.nested.end if array.nested else array.end for array in arrays}
    nested = {array.end_of_build for array in arrays if array.nested}
    return list(_tokens(data, behind, nested))


def _tokens(data: bytes, behind: dict[int, int], nested: set[int]) -> Iterator[Token]:
    memo: dict[int, int] = {}
    for kind, argument, start, end in _opcodes(data, behind):
        if kind == _MEMOIZE or kind in _PUTS:
            key = len(memo) if kind == _MEMOIZE else int(argument)
            memo[key] = next(_names)
            yield Token(DEFINE, b"", memo[key])
        elif kind in _GETS:
            yield Token(FETCH, b"", memo[int(argument)])
        elif kind != _FRAME:
            yield Token(kind, data[start:end])
        if end in behind:
            yield Token(NESTED if end in nested else RAW, data[end : behind[end]])


def _opcodes(data: bytes, behind: dict[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Number, argument, start and end of each opcode; raw bytes are jumped over."""
    file = io.BytesIO(data)
    while True:
        for opcode, argument, start in pickletools.genops(file):
            end = file.tell()
            kind = ord(opcode.code)
            yield kind, argument if type(argument) is int else 0, start or 0, end
            if kind == _STOP:
                return
            file.seek(behind.get(end, end))


def write(tokens: Iterable[Token]) -> bytes:
    """The stream. A FETCH whose DEFINE is gone asks for the entry that was made last."""
    pieces: list[bytes] = []
    numbers: dict[int, int] = {}
    count, memoize = 0, True
    for kind, raw, name in tokens:
        if kind == DEFINE:
            numbers[name] = count
            pieces.append(b"\x94" if memoize else _keyed(b"q", b"r", count))
            count += 1
        elif kind == FETCH:
            pieces.append(_keyed(b"h", b"j", numbers.get(name, max(count - 1, 0))))
        else:
            if kind == _PROTO:
                memoize = raw[1] >= 4
            pieces.append(raw)
    return b"".join(pieces)


def _keyed(short: bytes, long: bytes, key: int) -> bytes:
    return short + bytes([key]) if key < 256 else long + key.to_bytes(4, "little")


def fresh(tokens: Iterable[Token]) -> list[Token]:
    """A copy whose DEFINEs have new names, and whose FETCHes of them follow."""
    names: dict[int, int] = {}
    copied = []
    for token in tokens:
        if token.kind == DEFINE:
            names[token.name] = next(_names)
        copied.append(token._replace(name=names.get(token.name, token.name)) if token.name >= 0 else token)
    return copied
