"""The safetensors codec: a dict of tensors or arrays in a file of safetensors, which its own library writes.

What shares memory is refused by that library; the torch codec keeps it, and whatever else a checkpoint holds. Loading
needs no library: the header says where numbers lie, and these are not copied.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_file
from safeload.codecs.torch_tensors import Storages, TensorForm
from safeload.errors import CodecError
from safeload.readers.files.tensors import SafeTensor, safetensors_header
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SAFETENSORS"]

_KIND, _MEMBER = "safetensors.file", "model.safetensors"
# Names of the format -> those of torch and numpy.
_DTYPES: Mapping[str, str] = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "F32": "float32", "F64": "float64", "C64": "complex64",
    "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}  # fmt: skip


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if type(value) not in (dict, OrderedDict):
        raise CodecError(f"codec='safetensors' takes a dict of tensors or arrays; this is a {type(value).__name__}")
    of_torch = any(type(one).__module__.partition(".")[0] == "torch" for one in value.values())
    library = _library(of_torch=of_torch)
    try:
        data = library.save(dict(value), {"format": "pt" if of_torch else "np"})
    except Exception as error:  # its own exception derives from nothing else
        raise CodecError(f"safetensors cannot keep this: {printable(str(error), 300)}") from error
    return [Part(_MEMBER, lambda file: file.write(data), _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    view = member.read()
    check_file(view, member, options)
    metadata, tensors = safetensors_header(view)
    make = _array if metadata.get("format") == "np" else _tensor
    try:
        return {tensor.name: make(view, tensor, options) for tensor in tensors}
    except (ValueError, RuntimeError, OverflowError) as error:  # of no items, and sizes beyond all memory
        raise CodecError(f"{printable(member.name)} has a tensor of a shape that none has") from error


def _dtype_of(tensor: SafeTensor) -> str:
    if tensor.dtype not in _DTYPES:
        raise CodecError(f"{printable(tensor.name, 80)} holds {tensor.dtype}, which is not known here")
    return _DTYPES[tensor.dtype]


def _numbers(view: memoryview, tensor: SafeTensor, itemsize: int) -> memoryview:
    """Of a tensor that does not begin where processors want that, a copy."""
    piece = view[tensor.start : tensor.end]
    return memoryview(bytearray(piece)) if tensor.start % itemsize else piece


def _array(view: memoryview, tensor: SafeTensor, options: LoadOptions) -> Any:
    import numpy as np

    try:
        dtype = np.dtype(_dtype_of(tensor))
    except TypeError:
        raise CodecError(f"numpy has no {_DTYPES[tensor.dtype]}, and the file is for numpy") from None
    array = np.ndarray(tensor.shape, dtype, _numbers(view, tensor, dtype.itemsize))
    if dtype.kind == "b" and array.size and array.view("u1").max() > 1:
        raise CodecError(f"{printable(tensor.name, 80)} has truths that are neither 0 nor 1")
    if options.mmap_mode == "r":
        array.flags.writeable = False
    return array


def _tensor(view: memoryview, tensor: SafeTensor, options: LoadOptions) -> Any:
    try:
        import torch
    except ImportError as error:
        raise missing("a file of tensors of PyTorch", "torch") from error
    name = _dtype_of(tensor)
    numbers = _numbers(view, tensor, getattr(torch, name).itemsize)
    strides = [math.prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
    form = TensorForm(0, name, 0, list(tensor.shape), strides, None)
    return Storages(numbers, [(0, len(numbers))]).tensor(form)


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
