"""Bytes under analysis, seen through windows: opcodes are copied out piece by piece, arrays never."""

from __future__ import annotations

import codecs
import re
import struct
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers import opcodes as op

if TYPE_CHECKING:
    from safeload.readers.buffer import Buffer, Work

__all__ = ["Data"]

_FIRST_WINDOW = 1 << 16
_LAST_WINDOW = 1 << 24
_INT_SIZES = {op.BININT1: 1, op.BININT2: 2}
_DECIMAL = re.compile(rb"-?(?:0|[1-9][0-9]{0,18})\Z")
_TEXTS_MAX = 10_000
_SHORT = 256
_NAME_BYTES = 2_000  # one byte more than a name may have is too many
_STRINGS = {op.SHORT_BINUNICODE: 1, op.BINUNICODE: 4, op.BINUNICODE8: 8}

_BYTES = frozenset({op.SHORT_BINBYTES, op.BINBYTES})
_LENGTHS = {**_STRINGS, op.SHORT_BINSTRING: 1, op.BINSTRING: 4, op.SHORT_BINBYTES: 1, op.BINBYTES: 4}
_LENGTHS |= {op.BINBYTES8: 8, op.BYTEARRAY8: 8}
_SHORT_STRINGS = {**_STRINGS, op.SHORT_BINSTRING: 1, op.BINSTRING: 4, op.SHORT_BINBYTES: 1, op.BINBYTES: 4}


class Data:
    """A buffer and a window into it that grows while reading goes straight on, and is small again after a jump.

    `size` is what is known of the buffer's length; :meth:`reach` asks for more.
    """

    def __init__(self, buffer: Buffer, work: Work | None = None) -> None:
        self.buffer, self.work = buffer, work
        self.view = buffer.view
        self.size = len(self.view)
        self._window = _FIRST_WINDOW
        self._end = -1
        self._texts: dict[int, str | None] = {}  # names come again and again, by the memo
        self._lines: dict[int, int] = {}  # so may long texts of protocol 0

    def reach(self, end: int) -> bool:
        """Whether there are `end` bytes. Raises LimitError for more than a compressed file may become."""
        if end > self.size:
            self.buffer.reach(end)
            self.view = self.buffer.view
            self.size = len(self.view)
        return end <= self.size

    def peek(self, end: int) -> bool:
        """:meth:`reach` for what nobody declared, up to the most that there may be."""
        return self.reach(min(end, self.buffer.most + 1))

    def window(self, at: int) -> bytes:
        """A copy of the bytes from `at` on. Each byte is copied a bounded number of times, whatever the jumps."""
        self._window = min(self._window * 2, _LAST_WINDOW) if at <= self._end else _FIRST_WINDOW
        end = at + self._window
        self.peek(end + 1)  # one more, so that a window that ends here is the last one
        piece = bytes(self.view[at:end])
        self._end = at + len(piece)
        return piece

    def line(self, at: int) -> tuple[bytes, int]:
        """The bytes up to the newline at or behind `at`, and the position behind the newline."""
        length = 256
        while True:
            more = self.peek(at + length)
            piece = bytes(self.view[at : at + length])
            end = piece.find(b"\n")
            if end >= 0:
                return piece[:end], at + end + 1
            if not more:
                raise StreamError("the stream ends inside a line of text", offset=at)
            length *= 2

    def number(self, at: int, size: int) -> int:
        """The little-endian number of `size` bytes at `at`."""
        if at + size > self.size and not self.reach(at + size):
            raise StreamError("the stream ends inside an opcode's argument", offset=at)
        return int.from_bytes(self.view[at : at + size], "little")

    def name(self, token: object) -> str | None:
        """The text that the opcode at offset `token` pushed, if it is a binary unicode string; only its beginning, if
        it is longer than any name is."""
        if type(token) is not int:
            return None
        width = _STRINGS.get(self.view[token])
        if width is None:
            return None
        start = token + 1 + width
        length = min(self.number(token + 1, width), _NAME_BYTES)
        try:
            return str(bytes(self.view[start : start + length]), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None

    def short_string(self, token: object) -> str | None:
        """Text of any of the string opcodes, if it has at most 256 bytes."""
        if type(token) is not int:
            return None
        if token not in self._texts:
            if len(self._texts) > _TEXTS_MAX:
                self._texts.clear()
            self._texts[token] = self._short_string(token)
        return self._texts[token]

    def short_text(self, token: object) -> str | None:
        """:meth:`short_string`, but of opcodes that push text, and not bytes."""
        return None if type(token) is int and self.view[token] in _BYTES else self.short_string(token)

    def _short_string(self, token: int) -> str | None:
        kind = self.view[token]
        if kind in (op.STRING, op.UNICODE):
            return self._text(token)
        width = _SHORT_STRINGS.get(kind)
        if width is None or (length := self.number(token + 1, width)) > _SHORT:
            return None
        start = token + 1 + width
        return str(bytes(self.view[start : start + length]), "utf-8", "replace")

    def length(self, token: int) -> int:
        """How many bytes of text or of bytes the opcode at offset `token` pushed; 0 for others."""
        kind = self.view[token]
        width = _LENGTHS.get(kind)
        if width is not None:
            return self.number(token + 1, width)
        if kind not in (op.STRING, op.UNICODE):
            return 0
        if token not in self._lines:
            self._lines[token] = self.line(token + 1)[1] - token
        return self._lines[token]

    def integer(self, token: object) -> int | None:
        """The int that the opcode at offset `token` pushed."""
        if type(token) is not int:
            return None
        kind = self.view[token]
        if kind in _INT_SIZES:
            return self.number(token + 1, _INT_SIZES[kind])
        if kind == op.BININT:
            return int(struct.unpack_from("<i", self.view, token + 1)[0])
        if kind == op.LONG1:
            length = self.view[token + 1]
            return int.from_bytes(self.view[token + 2 : token + 2 + length], "little", signed=True)
        if kind in (op.INT, op.LONG):
            digits = self.line(token + 1)[0].removesuffix(b"L")
            return int(digits) if _DECIMAL.match(digits) else None
        return None

    def is_none(self, token: object) -> bool:
        return type(token) is int and self.view[token] == op.NONE

    def _text(self, token: int) -> str | None:
        """What the unpickler makes of a text opcode's line: escapes are read, so that none hides a name."""
        raw = self.line(token + 1)[0]
        if len(raw) > _SHORT:
            return None
        try:
            if self.view[token] == op.UNICODE:
                return str(raw, "raw-unicode-escape")
            return str(codecs.escape_decode(raw[1:-1])[0], "latin1")
        except ValueError:
            return None
