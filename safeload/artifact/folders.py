"""A folder that nobody signed, and that a codec loads.

A SavedModel, an architecture of Keras and its weights, a model of ONNX and its numbers.
"""

from __future__ import annotations

import io
import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from safeload.artifact.packing import parts_of
from safeload.codecs import Held, Part, codec_of
from safeload.errors import CodecError, SafeloadError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.codecs import Codec, LoadOptions

__all__ = ["is_folder", "load_folder"]


def is_folder(source: object) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(source, (str, os.PathLike)) and os.path.isdir(source)  # noqa: PTH112  as in packing.py


def load_folder(path: str | os.PathLike[str], options: LoadOptions) -> tuple[Any, Codec, Sequence[Part]]:
    """The object, the codec that loaded it, and the members of an artifact that is to hold the same.

    Each file is read once: what was looked at is what is loaded and kept. Raises CodecError, PolicyError, OSError.
    """
    try:
        return _load(path, options)
    except SafeloadError as error:
        error.locate(os.fspath(path))
        raise


def _load(path: str | os.PathLike[str], options: LoadOptions) -> tuple[Any, Codec, Sequence[Part]]:
    try:
        parts = parts_of(path)
    except ValueError as error:
        raise CodecError(str(error)) from error
    codec = codec_of(part.kind or "file" for part in parts)
    if codec is None:
        raise CodecError(
            f"{printable(os.fspath(path))} is a folder, and none that is loaded here",
            hint="a SavedModel is, a .json and a .weights.h5 of Keras, or an .onnx and its numbers; pack takes any",
        )
    held = [_held(part) for part in parts]
    value = codec.load(held, options)
    return value, codec, [Part(each.name, partial(_write, each), each.kind) for each in held]


def _held(part: Part) -> Held:
    file = io.BytesIO()
    part.write(file)
    view = file.getbuffer()
    return Held(part.name, part.kind or "file", lambda: view)


def _write(held: Held, file: Any) -> None:
    file.write(held.read())
