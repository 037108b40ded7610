"""Whole files that joblib compressed: recognised by magic as joblib does, decompressed within bounds."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from typing import TYPE_CHECKING, Any

from safeload.errors import LimitError, MissingExtraError, StreamError
from safeload.readers.buffer import Buffer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.limits import Limits

__all__ = ["DECODERS", "OLD_ZLIB", "ZlibDecoder", "compression_of", "plain_buffer"]

_CHUNK = 4 << 20
_LZMA_MEMORY = 128 << 20
OLD_ZLIB = re.compile(rb"ZF0x[0-9a-fA-F]{1,16} *")


def _lz4() -> Any:
    try:
        import lz4.frame
    except ImportError:
        raise MissingExtraError(
            "this file is compressed with lz4", extra="lz4", hint="pip install 'safeload[lz4]'"
        ) from None
    return lz4.frame.LZ4FrameDecompressor()


class ZlibDecoder:
    """zlib's object with the interface of the others, which keep what ``max_length`` left over to themselves."""

    def __init__(self, wbits: int) -> None:
        self._object = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._object.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._object.decompress(self._object.unconsumed_tail + data, max_length)


DECODERS: Mapping[str, Callable[[], Any]] = {
    "zlib": lambda: ZlibDecoder(zlib.MAX_WBITS),
    "gzip": lambda: ZlibDecoder(zlib.MAX_WBITS | 16),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY),
    "lz4": _lz4,
}
# joblib's own prefixes (joblib.compressor). `x` is no opcode; `B` and `]` are, but not with these second bytes.
_MAGICS: Mapping[bytes, str] = {
    b"\x78": "zlib",
    b"\x1f\x8b": "gzip",
    b"BZ": "bz2",
    b"\xfd7zXZ": "xz",
    b"\x5d\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
}


def compression_of(head: bytes) -> str | None:
    """The name of the compression whose magic `head` begins with."""
    if head.startswith(b"ZF"):
        return "zlib"
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


def plain_buffer(view: memoryview, limits: Limits) -> Buffer:
    """The plain bytes of `view`: itself where it is not compressed, else new private memory, made as it is read."""
    head = bytes(view[:32])
    name = compression_of(head)
    if name is None:
        return Buffer(view)
    old = OLD_ZLIB.match(head)  # joblib below 0.10: ZF, the length in hexadecimal, one zlib stream
    return _Decompressed(DECODERS[name](), view[old.end() :] if old else view, limits.expanded(len(view)))


class _Decompressed(Buffer):
    """Never makes more than `most` bytes, nor much more than somebody asked for."""

    def __init__(self, decoder: Any, stored: memoryview, most: int) -> None:
        super().__init__(memoryview(b""), most)
        self._decoder, self._stored = decoder, stored
        self._at = 0  # in `stored`
        self._memory = memoryview(bytearray(_CHUNK))
        self._size = 0

    def reach(self, end: int) -> None:
        if end <= self._size or self._decoder.eof:
            return
        if end > self.most + 1:
            raise self._too_much()
        try:
            while self._size < end and not self._decoder.eof:
                self._take(self._next(), end)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
            raise StreamError(f"the compressed data are broken: {error}", offset=self._at) from error
        if self._decoder.eof:
            self._check_end()
        self.view = self._memory[: self._size]

    def _next(self) -> bytes:
        chunk = b""
        if self._decoder.needs_input:
            chunk = bytes(self._stored[self._at : self._at + _CHUNK])
            self._at += len(chunk)
            if not chunk:
                raise StreamError("the compressed data end too early", offset=self._at)
        piece: bytes = self._decoder.decompress(chunk, _CHUNK)
        return piece

    def _take(self, piece: bytes, end: int) -> None:
        size = self._size + len(piece)
        if size > self.most:
            raise self._too_much()
        if size > len(self._memory):
            memory = memoryview(bytearray(min(max(end + _CHUNK, 2 * size), self.most)))
            memory[: self._size] = self._memory[: self._size]
            self._memory = memory
        self._memory[self._size : size] = piece
        self._size = size

    def _check_end(self) -> None:
        unused = self._decoder.unused_data
        if unused or self._at < len(self._stored):
            raise StreamError("bytes follow after the compressed data", offset=self._at - len(unused or b""))

    def _too_much(self) -> LimitError:
        return LimitError("expansion", f"the file decompresses to more than {self.most:,} bytes")
