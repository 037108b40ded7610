"""Compressed files: gzip, zlib, bz2, xz, lzma, zstd, lz4, and what joblib below 0.10 wrote. Told by magic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.errors import LimitError, MissingExtraError, StreamError
from safeload.readers.compressed import DECODERS, OLD_ZLIB
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.plain import behind_zeros, collected, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from safeload.readers.files.look import Look

__all__ = ["ENCODINGS", "read"]

_STREAMS_MAX = 10_000
_WINDOW_LOG_MAX = 27  # 128 MiB, as much as zstd itself takes without being asked


def _zstd() -> Any:
    from backports import zstd

    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})


# Kind -> what makes a decoder of one stream.
ENCODINGS: Mapping[str, Callable[[], Any]] = {**DECODERS, "old joblib": DECODERS["zlib"], "zstd": _zstd}


class _Streams:
    """The streams of one kind that follow each other, as pieces of plain bytes. `end` is where the last ends."""

    def __init__(self, view: memoryview, start: int, kind: str) -> None:
        self._view, self._kind = view, kind
        self.end = start

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(_STREAMS_MAX):
            self.end = yield from decoded(ENCODINGS[self._kind], self._view, self.end)
            rest = self._view[self.end :]
            if not len(rest) or kind_of(rest) != self._kind:
                return
        raise StreamError(f"more than {_STREAMS_MAX:,} streams follow each other", offset=self.end)


def read(look: Look, view: memoryview) -> None:
    kind = look.part.kind
    old = OLD_ZLIB.match(bytes(view[:32])) if kind == "old joblib" else None
    streams = _Streams(view, old.end() if old else 0, kind)
    try:
        plain, broken = collected(streams, look.budget)
    except LimitError as error:
        look.unread(0, error.message)
        return
    except MissingExtraError as error:
        look.unread(0, error.message, extra=error.extra)
        return
    if broken is not None:
        look.unread(broken.offset, broken.message)
        look.span(0, len(view), "nested", "compressed")
    else:
        look.span(0, streams.end, "nested", "compressed")
    if len(plain) or broken is None:
        look.into(kind, plain, packed=True)
    end = streams.end + behind_zeros(view[streams.end :])
    if broken is None and end < len(view):
        look.span(end, len(view), "nested", "behind")
        look.say("after-stop", end, f"{len(view) - end:,} bytes follow after the compressed data")
        look.into("behind the compressed data", view[end:], end)
