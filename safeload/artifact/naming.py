"""A path where `dump` expects a model: the file is meant, if a codec of files is named; else it is a mistake."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.artifact.packing import parts_of
from safeload.codecs import CODECS, codec_of
from safeload.codecs.packed import packed_kind
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.codecs import Part

__all__ = ["named_parts"]

_SHOWN, _PATH_MAX = 200, 4_096
_OF_TEXTS = ("joblib", "pickle", "hickle")  # which keep them


def named_parts(path: str | os.PathLike[str], codec: str | None) -> list[Part]:
    """The members for a file or folder that `codec` loads, as it is; none where the text itself is meant.

    Raises CodecError for a path without a codec, and for a file of another one; OSError.
    """
    is_text = codec in _OF_TEXTS and not (codec == "hickle" and not isinstance(path, str))  # which keeps no Path
    if is_text or (codec is None and isinstance(path, str) and not _is_there(path)):
        return []
    shown = printable(os.fspath(path), _SHOWN)
    if codec is None:
        raise CodecError(
            f"{shown} is a path, and no model",
            hint="pack() keeps a file as it is, and so does codec= with its format; codec='joblib' keeps the text",
        )
    if codec not in CODECS:
        return []  # whoever looks for it says so
    parts = [part._replace(kind=part.kind or packed_kind(_view(path))) for part in parts_of(path)]
    if codec_of(part.kind or "" for part in parts) is not CODECS[codec]:
        raise CodecError(f"{shown} is nothing that codec={codec!r} loads", hint="pack() keeps any file as it is")
    return parts


def _is_there(path: str) -> bool:
    return 0 < len(path) < _PATH_MAX and "\0" not in path and os.path.exists(path)  # noqa: PTH110  raises for long names


def _view(path: str | os.PathLike[str]) -> memoryview:
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)) if size else memoryview(b"")
