"""The numpy codec: an array, or a dict of arrays, as ``.npy`` members, which anything that knows numpy can read.

Loading gives arrays on the verified memory, without a copy. Objects are never in them: those are joblib's.
"""

from __future__ import annotations

import math
import sys
import zipfile
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Literal

from safeload.codecs.base import Codec, Held, LoadOptions, Part
from safeload.codecs.checked import check_file
from safeload.engine.arrays import native
from safeload.errors import CodecError
from safeload.readers.files.npy import npy_header
from safeload.readers.files.views import ViewFile
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NUMPY", "arrays_of"]

_ONE, _MANY, _ARCHIVE = "numpy.array", "numpy.dict", "numpy.archive"
_SUFFIX = ".npy"
_KEY_MAX = 200
_ITEM_MAX = 1 << 28  # bytes, as in engine/dtypes.py


def _takes(value: Any) -> bool:
    return _is_plain(value) or (
        type(value) is dict
        and bool(value)
        and all(map(_is_key, value))
        and len({key.casefold() for key in value}) == len(value)
        and all(map(_is_plain, value.values()))
    )


def _is_plain(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or value.dtype.hasobject:
        return False
    return not issubclass(value.dtype.type, numpy.record)  # .npy files do not say that


def _is_key(key: Any) -> bool:
    """Whether a member can have that name on every system: others are joblib's."""
    return type(key) is str and key.isascii() and key.isidentifier() and len(key) <= _KEY_MAX


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if not _takes(value):
        raise CodecError(
            f"codec='numpy' takes an array, or a dict from names to arrays, without objects; this is a "
            f"{type(value).__name__}",
            hint="codec=None chooses by itself",
        )
    if type(value) is dict:
        return [Part(f"{key}{_SUFFIX}", partial(_write, array), _MANY) for key, array in value.items()]
    return [Part(f"array{_SUFFIX}", partial(_write, value), _ONE)]


def _write(array: Any, file: IO[bytes]) -> None:
    import numpy as np

    from safeload.codecs.numbers import numbers_of

    numbers = numbers_of(array)
    try:
        if numbers is None:
            np.lib.format.write_array(file, array, (1, 0), allow_pickle=False)
        else:  # numpy copies what it does not write to a file of its own
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
            file.write(numbers)
    except ValueError:  # its header is long, or not Latin 1; numpy would warn of that
        np.lib.format.write_array(file, array, (3, 0), allow_pickle=False)


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    kinds = {member.kind for member in held}
    if kinds == {_ONE} and len(held) == 1:
        return _array(held[0], options)
    if kinds == {_ARCHIVE} and len(held) == 1:
        return _archive(held[0], options)
    if kinds != {_MANY} or not all(member.name.endswith(_SUFFIX) for member in held):
        raise CodecError(f"members of kind {printable(', '.join(sorted(kinds)))} are no array, and no dict of some")
    return {member.name.removesuffix(_SUFFIX): _array(member, options) for member in held}


def _archive(member: Held, options: LoadOptions) -> Any:
    view = member.read()
    check_file(view, member, options)
    return arrays_of(view, options)


def arrays_of(view: memoryview, options: LoadOptions) -> dict[str, Any]:
    """What ``numpy.savez`` wrote, as its dict. Somebody has read `view` to its end before, within the limits."""
    try:
        with zipfile.ZipFile(ViewFile(view)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception as error:  # of zipfile and the decoders, which know less methods than our reader
        raise CodecError(f"the archive cannot be read: {printable(str(error), 300)}") from error
    return {
        name.removesuffix(_SUFFIX): _array(Held(name, _ONE, partial(_writable, data)), options)
        for name, data in members.items()
    }


def _writable(data: bytes) -> memoryview:
    return memoryview(bytearray(data))


def _array(member: Held, options: LoadOptions) -> Any:
    import numpy as np

    view = member.read()
    if bytes(view[:6]) != b"\x93NUMPY":
        raise CodecError(f"{printable(member.name)} is no .npy file")
    header = npy_header(view)
    if header.itemsize > _ITEM_MAX:
        raise CodecError(f"an item in {printable(member.name)} is larger than {_ITEM_MAX:,} bytes")
    try:
        dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(header.descr)
    except (ValueError, TypeError, SyntaxError, OverflowError) as error:
        raise CodecError(f"the dtype in {printable(member.name)} is none") from error
    if dtype.hasobject:
        raise CodecError(f"{printable(member.name)} holds objects, which numpy would unpickle", hint="codec='joblib'")
    count = math.prod(header.shape)
    if header.end + count * dtype.itemsize != len(view) or (count and not dtype.itemsize):
        raise CodecError(f"{printable(member.name)} does not have the bytes that its shape asks for")
    order: Literal["C", "F"] = "F" if header.fortran else "C"
    try:
        array: np.ndarray[Any, Any] = np.ndarray(header.shape, dtype, view, header.end, order=order)
        array = native(array) if options.mmap_mode is None else array  # as joblib does
    except (ValueError, OverflowError) as error:  # of no items, and sizes beyond all memory
        raise CodecError(f"{printable(member.name)} has a shape that no array has") from error
    if options.mmap_mode == "r":
        array.flags.writeable = False
    return array


NUMPY = Codec("numpy", ("numpy",), _takes, _parts, _load, at_once=True)
