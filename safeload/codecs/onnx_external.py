"""ONNX: the numbers of a model that stand in files beside it.

Source: onnx/onnx.proto (``TensorProto.external_data``), docs/ExternalData.md.
"""

from __future__ import annotations

import math
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["External", "bring_in", "check_external", "external_tensors"]

# Bits of an item, by TensorProto.DataType. Texts cannot be elsewhere.
_BITS: Mapping[int, int] = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13, 14), 64),
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
    15: 128,
}
_PATH = re.compile(r"[^/\\:\0]+(?:/[^/\\:\0]+)*\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
_SHARED = 2  # times: weights may be tied, and a file of a megabyte must not become a terabyte
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class External(NamedTuple):
    """A tensor whose numbers are `size` bytes at `offset` of the file `location`, a path from the model's folder."""

    tensor: Any
    location: str
    offset: int
    size: int


def external_tensors(model: Any) -> list[External]:
    """All of a ModelProto, wherever they stand in it. Raises CodecError."""
    return [_external(tensor) for tensor in _tensors(model) if tensor.data_location == 1 or len(tensor.external_data)]


def check_external(found: list[External], sizes: Mapping[str, int]) -> None:
    """Raise CodecError unless all of them are in files of these sizes, which are read at most twice."""
    for one in found:
        if one.location not in sizes:
            raise CodecError(f'numbers of this model are in "{printable(one.location, 80)}", which is not with it')
        if one.offset + one.size > sizes[one.location]:
            raise CodecError(f'numbers of this model are beyond the end of "{printable(one.location, 80)}"')
    if sum(one.size for one in found) > _SHARED * sum(sizes.values()):
        raise CodecError("tensors of this model share their bytes in another file, again and again")


def bring_in(model: Any, folder: str) -> None:
    """Put the numbers that stand in files of `folder` into `model`. Raises CodecError, OSError."""
    found = external_tensors(model)
    files = {location: _file(folder, location) for location in dict.fromkeys(one.location for one in found)}
    check_external(found, {location: path.stat().st_size for location, path in files.items()})
    for location, path in files.items():
        with open(path, "rb", opener=lambda name, mode: os.open(name, mode | _NO_LINK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CodecError(f"{printable(location, 80)} is no plain file")
            for one in found:
                if one.location == location:
                    file.seek(one.offset)
                    one.tensor.raw_data = file.read(one.size)
                    one.tensor.data_location = 0
                    del one.tensor.external_data[:]
                    if len(one.tensor.raw_data) != one.size:  # the file became shorter just now
                        raise CodecError(f"numbers of this model are beyond the end of {printable(location, 80)}")


def _tensors(message: Any) -> Iterator[Any]:
    waiting = [message]
    while waiting:
        one = waiting.pop()
        if one.DESCRIPTOR.full_name == "onnx.TensorProto":
            yield one
        for field, value in one.ListFields():
            if field.message_type is not None:
                waiting += value if field.is_repeated else [value]


def _external(tensor: Any) -> External:
    said = {entry.key: entry.value for entry in tensor.external_data}
    location, offset, length = said.get("location", ""), said.get("offset", "0"), said.get("length")
    bits = _BITS.get(tensor.data_type)
    if (
        bits is None
        or len(said) < len(tensor.external_data)
        or min(tensor.dims, default=0) < 0
        or not all(map(_NUMBER.match, (offset, length or "0")))
    ):
        raise CodecError(f"a tensor in another file is described as none is: {printable(tensor.name, 80)}")
    size = (math.prod(tensor.dims) * bits + 7) // 8
    if length is not None and int(length) != size:
        raise CodecError(
            f"{printable(tensor.name, 80)} does not have the bytes in another file that its shape asks for"
        )
    return External(tensor, location, int(offset), size)


def _file(folder: str, location: str) -> Path:
    """A file of `folder`, by a path that leads nowhere else, whatever is a link there."""
    if not _PATH.match(location) or {".", ".."} & set(location.split("/")):
        raise CodecError(f'numbers of this model are in another file, "{printable(location, 80)}"')
    path = Path(folder, location)
    if os.path.realpath(path) != str(path) or not path.is_file():
        raise CodecError(f'numbers of this model are in "{printable(location, 80)}", which is no file beside it')
    return path
