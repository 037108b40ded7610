"""How a member is stored: as it is, or compressed by frames of 4 MiB (docs/format.md, section 3)."""

from __future__ import annotations

import bz2
import lzma
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.errors import CorruptMemberError, MissingExtraError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ENCODINGS", "IDENTITY", "Compression", "choose_compression"]

IDENTITY = "identity"
# Decoders may ask for memory by a number in the frame: these are what a frame of 4 MiB can need.
_XZ_MEMORY = 96 << 20
_ZSTD_WINDOW_LOG = 23
_PIECE = 64 << 10


@dataclass(frozen=True, slots=True)
class Encoding:
    """One complete stream per frame. ``level`` None is the encoding's default, which is joblib's.

    `decoder` makes an object with ``decompress(data, max_length)``, ``eof`` and ``unused_data``.
    """

    compress: Callable[[memoryview, int | None], bytes]
    decoder: Callable[[], Any]
    levels: range = range(10)


@dataclass(frozen=True, slots=True)
class Compression:
    """What the ``compress`` argument of `dump` asks for."""

    encoding: str = IDENTITY
    level: int | None = None


def _compress_zlib(data: memoryview, level: int | None) -> bytes:
    return zlib.compress(data, 3 if level is None else level)


def _compress_bz2(data: memoryview, level: int | None) -> bytes:
    return bz2.compress(data, level or 9)


def _compress_xz(data: memoryview, level: int | None) -> bytes:
    return lzma.compress(data, preset=level)


def _decoder_xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)


def _zstd() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
    except ImportError:
        from backports import zstd
    return zstd


def _compress_zstd(data: memoryview, level: int | None) -> bytes:
    result: bytes = _zstd().compress(data, 3 if level is None else level)
    return result


def _decoder_zstd() -> Any:
    zstd = _zstd()
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


def _lz4() -> Any:
    try:
        import lz4.frame
    except ImportError:
        raise MissingExtraError(
            "lz4 is not installed", extra="lz4", hint="pip install 'safeload[lz4]', or use compress='zstd'"
        ) from None
    return lz4.frame


def _compress_lz4(data: memoryview, level: int | None) -> bytes:
    result: bytes = _lz4().compress(data, compression_level=level or 0)
    return result


ENCODINGS: dict[str, Encoding] = {
    "zstd": Encoding(_compress_zstd, _decoder_zstd, range(1, 23)),
    "zlib": Encoding(_compress_zlib, zlib.decompressobj),
    "lzma": Encoding(_compress_xz, _decoder_xz),
    "bz2": Encoding(_compress_bz2, bz2.BZ2Decompressor, range(1, 10)),
    "lz4": Encoding(_compress_lz4, lambda: _lz4().LZ4FrameDecompressor()),
}

# joblib's names for `compress`, and zstd.
_ENCODING_OF: Mapping[str, str] = {
    "zlib": "zlib",
    "gzip": "zlib",
    "bz2": "bz2",
    "lzma": "lzma",
    "xz": "lzma",
    "lz4": "lz4",
    "zstd": "zstd",
}


def decode_frame(encoding: str, data: memoryview, view: memoryview, member: str) -> None:
    """Decompress one frame into `view`, which it must fill exactly. Raises CorruptMemberError.

    Never makes more than ``len(view) + 1`` bytes, whatever the frame holds. In pieces that the allocator has at hand:
    to be given new memory for each frame, and to give it back, takes longer than to decompress it.
    """
    decoder, filled, end = ENCODINGS[encoding].decoder(), 0, 0
    while end < len(data) and not decoder.eof and filled <= len(view):
        start, end = end, end + _PIECE
        try:
            plain = decoder.decompress(data[start:end], len(view) - filled + 1)
        except MemoryError:
            raise
        except Exception as error:  # each library has errors of its own; all mean the same
            raise _corrupt(member, str(error)) from error
        view[filled : filled + len(plain)] = plain[: len(view) - filled]
        filled += len(plain)
    if filled != len(view) or not decoder.eof or decoder.unused_data or end < len(data):
        raise _corrupt(member, "a frame does not hold exactly its share of the member")


def _corrupt(member: str, reason: str) -> CorruptMemberError:
    text = f'member "{printable(member)}" cannot be decompressed: {printable(reason)}'
    return CorruptMemberError("frame-corrupt", text, member=member)


def choose_compression(compress: int | bool | str | tuple[str, int | None]) -> Compression:
    """joblib's ``compress``: an int, a bool, a name, or ``(name, level)``. Raises ValueError as joblib does."""
    if isinstance(compress, tuple):
        if len(compress) != 2:
            raise ValueError(f"compress must have two elements (method, level), got {compress!r}")
        method, level = compress
    elif isinstance(compress, str):
        method, level = compress, None
    elif compress is True:
        method, level = "zlib", None
    elif isinstance(compress, int):
        method, level = "zlib", int(compress)
    else:
        raise ValueError(f"compress must be an int, a bool, a name or (name, level), got {compress!r}")
    if method not in _ENCODING_OF:
        raise ValueError(f"unknown compression method {method!r}; known are {', '.join(_ENCODING_OF)}")
    if level == 0 or level is False:
        return Compression()
    encoding = _ENCODING_OF[method]
    levels = ENCODINGS[encoding].levels
    if level is not None and (not isinstance(level, int) or level not in levels):
        raise ValueError(f"compression level {level!r} of {method} is outside {levels.start} to {levels.stop - 1}")
    if encoding == "lz4":
        _lz4()  # absent: say so before the model is pickled
    return Compression(encoding, level)
