"""numpy's reducers: arrays, scalars, masked arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import DIMENSIONS_MAX, array_from_stub, checked_shape, items_of, numpy_module
from safeload.engine.dtypes import dtype_from_stub
from safeload.engine.outofband import Ticket
from safeload.engine.stubs import ArrayStub, DTypeStub, Stub, WrapperStub
from safeload.engine.tokens import closed
from safeload.errors import CodecError
from safeload.readers.wrappers import WRAPPER

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FINISHERS", "GUARDS", "STUBS", "inline_reader", "scalar_reader"]

Key = tuple[str, str]
_InlineReader = Callable[[list[bytearray], list[Any]], list[Any]]
_CORES = ("numpy._core", "numpy.core")
_FROMBUFFER = frozenset((f"{core}.numeric", "_frombuffer") for core in _CORES)
_SCALAR = frozenset((f"{core}.multiarray", "scalar") for core in _CORES)
_FILL_MAX = 1 << 16


def _odd(name: str) -> CodecError:
    return CodecError(f"{name} is called otherwise than numpy calls it")


def _frombuffer(*args: Any) -> Any:
    """Protocol 5's arrays. Of a buffer in the stream a copy: memoised, it must not become two writable arrays."""
    np = numpy_module()
    if len(args) not in (4, 5):
        raise _odd("_frombuffer")
    buffer, dtype, shape, order = args[:4]
    if type(buffer) is Ticket:
        buffer = buffer.take()
    elif type(buffer) in (bytes, bytearray):
        buffer = bytearray(buffer)
    else:
        raise _odd("_frombuffer")
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise _odd("_frombuffer")
    shape = checked_shape((shape,) if type(shape) is int else shape)
    if order not in ("C", "F", "K") or len(buffer) != math.prod(shape) * dtype.itemsize or not dtype.itemsize:
        raise _odd("_frombuffer")
    flat = np.frombuffer(buffer, np.uint8).view(dtype) if buffer else np.zeros(math.prod(shape), dtype)
    if len(shape) == 1:
        return flat
    if order == "K":
        return flat.reshape(shape).transpose(args[4] if len(args) == 5 else None)
    return flat.reshape(shape, order=order)


def inline_reader(key: Key | None, dtype: Any) -> _InlineReader | None:
    """:func:`_frombuffer` in order ``"C"`` for many pieces of memory, each of which is nobody else's, and their shapes.

    None if `key` is another callable, or this is no dtype for it.
    """
    np = numpy_module()
    if (
        key not in _FROMBUFFER
        or not isinstance(dtype, np.dtype)
        or dtype.hasobject
        or not dtype.itemsize
        or dtype.subdtype
    ):
        return None
    make = np.ndarray

    def read(pieces: list[bytearray], shapes: list[Any]) -> list[Any]:
        arrays = list(map(make, _sizes(shapes), repeat(dtype), pieces))
        if [array.nbytes for array in arrays] != list(map(len, pieces)):
            raise _odd("_frombuffer")
        return arrays

    return read


def _sizes(shapes: list[Any]) -> list[tuple[int, ...]]:
    """The checked shapes of many arrays: as a rule they are what they should be, and a forest has a thousand."""
    if set(map(type, shapes)) == {tuple} and max(map(len, shapes)) <= DIMENSIONS_MAX:
        sizes = list(chain.from_iterable(shapes))
        if set(map(type, sizes)) <= {int} and min(sizes, default=0) >= 0:
            return shapes
    return [checked_shape((shape,) if type(shape) is int else shape) for shape in shapes]


def _scalar(*args: Any) -> Any:
    """``scalar(dtype, bytes)``: the bytes of one item."""
    import numpy as np

    dtype, data = args if len(args) == 2 else (None, None)
    if type(data) is str:  # written by Python 2
        data = data.encode("latin1")
    if not isinstance(dtype, np.dtype) or dtype.hasobject or type(data) is not bytes or len(data) != dtype.itemsize:
        raise _odd("scalar")
    return np.frombuffer(data, dtype).copy()[0] if data else dtype.type()


def scalar_reader(key: Key | None, dtype: Any) -> Callable[[list[bytes]], list[Any]] | None:
    """:func:`_scalar` for many numbers. None if `key` is another callable, or `dtype` not one of numbers."""
    np = numpy_module()
    if key not in _SCALAR or not isinstance(dtype, np.dtype) or dtype.kind not in "biufc":
        return None
    size = dtype.itemsize

    def read(items: list[bytes]) -> list[Any]:
        if any(len(item) != size for item in items):
            raise _odd("scalar")
        return list(np.frombuffer(b"".join(items), dtype))

    return read


def _masked_constant(*args: Any) -> Any:
    import numpy as np

    if args:
        raise _odd("MaskedConstant")
    return np.ma.masked


class MaskedStub(Stub):
    """A masked array: numpy's ``__setstate__`` would take a forged dtype and a short mask on trust."""

    __slots__ = ()
    what = "numpy masked array"


def _masked(stub: Any) -> Any:
    """Checkpoint: ``_mareconstruct(MaskedArray, ndarray, (0,), "b")``.

    The state is ``(1, shape, dtype, fortran, data, mask, fill value)``.
    """
    import numpy as np

    if type(stub) is not MaskedStub or len(stub.args) != 4 or type(stub.state) is not tuple or len(stub.state) != 7:
        raise _odd("_mareconstruct")
    subclass, base, shape, letter = stub.args
    owner = ("numpy.ma.core", "_mareconstruct")
    if closed(subclass, owner) is not np.ma.MaskedArray or closed(base, owner) is not np.ndarray:
        raise _odd("_mareconstruct")
    if shape != (0,) or letter not in (b"b", "b"):
        raise _odd("_mareconstruct")
    _, shape, dtype, fortran, data, mask, fill = stub.state
    # The fill value is one item more, of which the file has no bytes.
    if not isinstance(dtype, np.dtype) or dtype.itemsize > _FILL_MAX + (len(data) if type(data) is bytes else 0):
        raise _odd("_mareconstruct")
    mask_dtype = np.ma.make_mask_descr(dtype)
    made = np.ma.MaskedArray(
        items_of(data, dtype, checked_shape(shape), fortran=bool(fortran)),
        mask=items_of(mask, mask_dtype, checked_shape(shape), fortran=bool(fortran)),
    )
    if fill is not None:
        made.fill_value = fill
    return made


STUBS: Mapping[Key, type[Stub]] = {
    WRAPPER: WrapperStub,
    ("numpy", "dtype"): DTypeStub,
    ("numpy.ma.core", "_mareconstruct"): MaskedStub,
    **{(f"{core}.multiarray", "_reconstruct"): ArrayStub for core in _CORES},
}

# What makes the real object at a stub's checkpoint; arrays of joblib need their place in the file besides.
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    ("numpy", "dtype"): dtype_from_stub,
    ("numpy.ma.core", "_mareconstruct"): _masked,
    **{(f"{core}.multiarray", "_reconstruct"): array_from_stub for core in _CORES},
}

GUARDS: Mapping[Key, Callable[..., Any]] = {
    **{(f"{core}.numeric", "_frombuffer"): _frombuffer for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    ("numpy.ma.core", "MaskedConstant"): _masked_constant,
}
