"""The safetensors codec: a dict of tensors or arrays in a file of safetensors, by its own library.

What shares memory is refused by that library; the torch codec keeps it, and whatever else a checkpoint holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_file
from safeload.errors import CodecError, MissingExtraError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SAFETENSORS"]

_KIND, _MEMBER = "safetensors.file", "model.safetensors"
_LENGTH = 8  # bytes, of the header's length


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if type(value) is not dict and type(value).__name__ != "OrderedDict":
        raise CodecError(f"codec='safetensors' takes a dict of tensors or arrays; this is a {type(value).__name__}")
    of_torch = any(type(one).__module__.partition(".")[0] == "torch" for one in value.values())
    try:
        data = _library(of_torch=of_torch).save(dict(value), {"format": "pt" if of_torch else "np"})
    except Exception as error:  # its own exception derives from nothing else
        raise CodecError(f"safetensors cannot keep this: {printable(str(error), 300)}") from error
    return [Part(_MEMBER, lambda file: file.write(data), _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    view = member.read()
    check_file(view, member, options)
    try:
        return _library(of_torch=_format(view) != "np").load(bytes(view))
    except MissingExtraError:
        raise
    except Exception as error:
        raise CodecError(f"safetensors cannot load this: {printable(str(error), 300)}") from error


def _format(view: memoryview) -> Any:
    """For whom it was written: the reader looked at the header's length and its JSON already."""
    length = int.from_bytes(view[:_LENGTH], "little")
    metadata = json.loads(bytes(view[_LENGTH : _LENGTH + length])).get("__metadata__") or {}
    return metadata.get("format")


def _library(*, of_torch: bool) -> Any:
    extra = "torch,safetensors" if of_torch else "safetensors"
    try:
        if of_torch:
            import safetensors.torch as library
        else:
            import safetensors.numpy as library
    except ImportError as error:
        raise missing("a file of safetensors", extra) from error
    return library


SAFETENSORS = Codec("safetensors", ("safetensors",), lambda value: False, _parts, _load)
