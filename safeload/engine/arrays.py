"""Arrays: from joblib's raw bytes as views on the verified memory, and from numpy's own pickled states."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.engine.stubs import ArrayStub, WrapperStub
from safeload.engine.tokens import closed
from safeload.errors import CodecError
from safeload.readers.wrappers import WRAPPER

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from safeload.readers.buffer import Buffer, Work
    from safeload.readers.observations import ArrayData

__all__ = [
    "DIMENSIONS_MAX",
    "VIEW_MIN",
    "Memory",
    "array_from_dtype",
    "array_from_stub",
    "array_from_wrapper",
    "array_reader",
    "checked_shape",
    "items_of",
    "numpy_module",
]

# A scalar must not keep a gigabyte alive: below this, arrays are copied out of the file's memory.
VIEW_MIN = 64 * 1024
DIMENSIONS_MAX = 64  # numpy's NPY_MAXDIMS
_RECONSTRUCT = ("numpy._core.multiarray", "_reconstruct")


@dataclass(frozen=True, slots=True)
class Memory:
    """The verified bytes and how arrays on them are handed out.

    `work` bounds what the stream may cost where it was compressed. `shared` is true where arrays may be views on the
    buffer; `writable` is false for ``mmap_mode="r"``; with `native`, foreign byte orders are converted, as
    `joblib.load` does. `give_back` is what makes zeros of bytes that nobody looks at again, from where to where.
    """

    buffer: Buffer
    work: Work | None
    shared: bool
    writable: bool
    native: bool
    give_back: Callable[[int, int], None] | None = None

    @property
    def view(self) -> memoryview:
        return self.buffer.view


def array_from_wrapper(data: ArrayData, memory: Memory, stub: Any) -> np.ndarray[Any, Any]:
    """Checkpoint: the array of a joblib wrapper that the stream built. Raises CodecError."""
    import numpy as np

    if type(stub) is not WrapperStub or type(stub.state) is not dict or stub.state.get("shape") != data.shape:
        raise CodecError("a joblib array is not what the analysis saw")
    order = "F" if stub.state.get("order") == "F" else "C"
    array: np.ndarray[Any, Any] = _array(data, memory, stub.state.get("dtype"), order)
    return array.view(np.matrix) if closed(stub.state.get("subclass"), WRAPPER) is np.matrix else array


def array_from_dtype(data: ArrayData, memory: Memory, dtype: Any) -> Any:
    """Checkpoint: the array of a wrapper that the analysis read whole, from its dtype. Raises CodecError."""
    assert data.whole is not None  # noqa: S101  # the caller looked
    return _array(data, memory, dtype, data.whole.order)


def _array(data: ArrayData, memory: Memory, dtype: Any, order: str) -> Any:
    read = array_reader(memory, dtype, order, itemsize=data.itemsize, consumed=data.consumed)
    return read([(data.start, data.end - data.start, data.shape)])[0]


def array_reader(
    memory: Memory, dtype: Any, order: str, *, itemsize: int, consumed: bool
) -> Callable[[list[tuple[int, int, tuple[int, ...]]]], list[Any]]:
    """What makes arrays of `dtype`, given where the bytes of each begin, how many these are, and the shape.

    Raises CodecError where `dtype` is not the one that the analysis counted with, for which an item has `itemsize`
    bytes.
    """
    numpy = numpy_module()
    if not isinstance(dtype, numpy.dtype) or dtype.hasobject or dtype.itemsize != itemsize:
        raise CodecError("a joblib array is not what the analysis saw")
    view, make, shared = memory.view, numpy.ndarray, memory.shared
    # What is copied anyway need not be copied here.
    view_min = 0 if consumed else VIEW_MIN
    swapped, writable = memory.native and not dtype.isnative, memory.writable

    def read(pieces: list[tuple[int, int, tuple[int, ...]]]) -> list[Any]:
        if not itemsize and any(map(math.prod, [shape for _, _, shape in pieces])):
            raise CodecError("a joblib array has items of no size")
        arrays = []
        for start, size, shape in pieces:
            data: memoryview | bytearray = view[start : start + size]
            if size < view_min or start % 16 or not shared:
                data = bytearray(data)
            arrays.append(make(shape, dtype, data) if order == "C" else make(shape, dtype, data, 0, None, order))
        if swapped:
            arrays = [native(array) for array in arrays]
        if not writable:
            for array in arrays:
                array.flags.writeable = False
        return arrays

    return read


@functools.cache
def numpy_module() -> Any:
    """An import statement looks the module up each time, and a forest has a thousand arrays."""
    import numpy

    return numpy


def native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """`array` in this machine's byte order; records keep theirs, which changes no value."""
    if array.dtype.isnative or array.dtype.names is not None:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def checked_shape(shape: Any) -> tuple[int, ...]:
    """`shape`, if it is a tuple of at most 64 sizes. Raises CodecError."""
    if type(shape) is tuple and len(shape) <= DIMENSIONS_MAX:
        for size in shape:
            if type(size) is not int or size < 0:
                break
        else:
            return shape
    raise CodecError("an array's shape is not a tuple of sizes")


def array_from_stub(stub: Any) -> np.ndarray[Any, Any]:
    """Checkpoint: the array that ``_reconstruct`` and its state ``(1, shape, dtype, fortran, data)`` describe."""
    import numpy as np

    if type(stub) is not ArrayStub:
        raise CodecError("something else stands where a numpy array was made")
    subclass = _check_arguments(stub.args)
    state = stub.state
    if type(state) is not tuple or len(state) != 5 or not isinstance(state[2], np.dtype):
        raise CodecError("a numpy array has a state that numpy does not write")
    _, shape, dtype, fortran, data = state
    array = items_of(data, dtype, checked_shape(shape), fortran=bool(fortran))
    # Of these two classes the views are what they make of a plain array; others are loaded as such.
    return array.view(subclass) if subclass in (np.matrix, np.recarray) else array


def _check_arguments(args: Any) -> Any:
    """``_reconstruct(ndarray, (0,), b"b")``: another shape would be memory that nobody wrote."""
    if len(args) != 3 or args[1] != (0,) or args[2] not in (b"b", "b"):
        raise CodecError("a numpy array is made with arguments that numpy does not write")
    return closed(args[0], _RECONSTRUCT)


def items_of(data: Any, dtype: np.dtype[Any], shape: tuple[int, ...], *, fortran: bool) -> np.ndarray[Any, Any]:
    """A new array of `shape` from the items as numpy pickles them: bytes, as they lay in memory, or a list.

    A list, where `dtype` holds objects, is in the order of C, however the array lay.
    """
    count = math.prod(shape)
    if dtype.hasobject:
        made = _object_items(data, dtype, count).reshape(shape)
        return made.copy(order="F") if fortran else made
    items = _raw_items(data, dtype, count)
    return items.reshape(shape[::-1]).transpose() if fortran else items.reshape(shape)


def _object_items(data: Any, dtype: np.dtype[Any], count: int) -> np.ndarray[Any, Any]:
    import numpy as np

    if type(data) is not list or len(data) != count:
        raise CodecError("an array of objects does not have the number of objects that its shape asks for")
    items = np.empty(count, dtype)
    for index, value in enumerate(data):
        items[index] = value
    return items


def _raw_items(data: Any, dtype: np.dtype[Any], count: int) -> np.ndarray[Any, Any]:
    import numpy as np

    if type(data) is str:  # written by Python 2
        data = data.encode("latin1")
    # Items of no size could be as many as the file says.
    if type(data) is not bytes or len(data) != count * dtype.itemsize or (count and not dtype.itemsize):
        raise CodecError("an array does not have the bytes that its shape asks for")
    # Of its own: two arrays on one memoised byte string must not change each other. Copied as bytes, since numpy leaves
    # what is between fields as the heap had it, and a model that is saved again would publish that.
    items = np.frombuffer(data, np.uint8).copy().view(dtype) if data else np.zeros(count, dtype)
    return native(items)  # as numpy's own __setstate__ does
