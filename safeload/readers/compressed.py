"""Whole files that joblib compressed: recognised by magic as joblib does, decompressed within bounds."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from typing import TYPE_CHECKING, Any

from safeload.errors import LimitError, MissingExtraError, StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.limits import Limits

__all__ = ["compression_of", "decompress"]

_CHUNK = 4 << 20
_LZMA_MEMORY = 128 << 20
_OLD_ZLIB = re.compile(rb"ZF0x[0-9a-fA-F]{1,16} *")


def _lz4() -> Any:
    try:
        import lz4.frame
    except ImportError:
        raise MissingExtraError(
            "this file is compressed with lz4", extra="lz4", hint="pip install 'safeload[lz4]'"
        ) from None
    return lz4.frame.LZ4FrameDecompressor()


class _Zlib:
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


_DECODERS: Mapping[str, Callable[[], Any]] = {
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
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


def decompress(view: memoryview, limits: Limits) -> memoryview:
    """The plain bytes of `view`: itself where it is not compressed, else new private memory.

    Raises LimitError before more than ``limits.expanded(len(view))`` bytes are made, StreamError where it is broken.
    """
    head = bytes(view[:32])
    name = compression_of(head)
    if name is None:
        return view
    old = _OLD_ZLIB.match(head)  # joblib below 0.10: ZF, the length in hexadecimal, one zlib stream
    return _decompress(_DECODERS[name], view[old.end() :] if old else view, limits.expanded(len(view)))


def _decompress(make_decoder: Callable[[], Any], view: memoryview, most: int) -> memoryview:
    plain = bytearray()
    decoder, at = make_decoder(), 0
    try:
        while not decoder.eof:
            chunk = bytes(view[at : at + _CHUNK]) if decoder.needs_input else b""
            at += len(chunk)
            piece = decoder.decompress(chunk, _CHUNK)
            plain += piece
            if len(plain) > most:
                raise LimitError("expansion", f"the file decompresses to more than {most:,} bytes")
            if not piece and not chunk and not decoder.eof:
                raise StreamError("the compressed data end too early", offset=at)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise StreamError(f"the compressed data are broken: {error}", offset=at) from error
    if decoder.unused_data or at < len(view):
        raise StreamError("bytes follow after the compressed data", offset=at - len(decoder.unused_data or b""))
    return memoryview(plain)
