"""numpy's reducers: arrays, scalars, masked arrays, random generators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_from_stub, checked_shape, items_of
from safeload.engine.dtypes import dtype_from_stub
from safeload.engine.stubs import ArrayStub, DTypeStub, Stub, WrapperStub
from safeload.engine.tokens import Token, closed
from safeload.errors import CodecError
from safeload.readers.machine import WRAPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

Key = tuple[str, str]
_CORES = ("numpy._core", "numpy.core")
_PICKLE = "numpy.random._pickle"
_BIT_GENERATOR_CTOR: Key = (_PICKLE, "__bit_generator_ctor")
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def _odd(name: str) -> CodecError:
    return CodecError(f"{name} is called otherwise than numpy calls it")


def _frombuffer(*args: Any) -> Any:
    """Protocol 5's arrays. A copy: a memoised buffer must not become two writable arrays."""
    import numpy as np

    if len(args) not in (4, 5):
        raise _odd("_frombuffer")
    buffer, dtype, shape, order = args[:4]
    if type(buffer) not in (bytes, bytearray) or not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise _odd("_frombuffer")
    shape = checked_shape((shape,) if type(shape) is int else shape)
    if order not in ("C", "F", "K") or len(buffer) != math.prod(shape) * dtype.itemsize:
        raise _odd("_frombuffer")
    flat = np.frombuffer(buffer, dtype).copy() if buffer else np.empty(math.prod(shape), dtype)
    if order == "K":
        return flat.reshape(shape).transpose(args[4] if len(args) == 5 else None)
    return flat.reshape(shape, order=order)


def _scalar(*args: Any) -> Any:
    """``scalar(dtype, bytes)``: the bytes of one item."""
    import numpy as np

    dtype, data = args if len(args) == 2 else (None, None)
    if type(data) is str:  # written by Python 2
        data = data.encode("latin1")
    if not isinstance(dtype, np.dtype) or dtype.hasobject or type(data) is not bytes or len(data) != dtype.itemsize:
        raise _odd("scalar")
    return np.frombuffer(data, dtype).copy()[0] if data else dtype.type()


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
    if not isinstance(dtype, np.dtype):
        raise _odd("_mareconstruct")
    mask_dtype = np.ma.make_mask_descr(dtype)
    made = np.ma.MaskedArray(
        items_of(data, dtype, checked_shape(shape), fortran=bool(fortran)),
        mask=items_of(mask, mask_dtype, checked_shape(shape), fortran=bool(fortran)),
    )
    if fill is not None:
        made.fill_value = fill
    return made


def _bit_generator(*args: Any) -> Any:
    """numpy 2 passes the class, numpy 1.26 its name."""
    import numpy as np

    name = args[0] if len(args) == 1 else "MT19937" if not args else None
    if type(name) is str and name in _BIT_GENERATORS:
        return getattr(np.random, name)()
    return closed(name, _BIT_GENERATOR_CTOR)()


def _generator(owner: Key) -> Callable[..., Any]:
    """numpy 1.26 passes a name and the function that makes a bit generator of it; numpy 2 the bit generator."""

    def guard(*args: Any) -> Any:
        import numpy as np

        if not 1 <= len(args) <= 2 or (len(args) == 2 and args[1] != Token(*_BIT_GENERATOR_CTOR)):
            raise _odd(owner[1])
        made = args[0] if isinstance(args[0], np.random.BitGenerator) else _bit_generator(args[0])
        return np.random.RandomState(made) if "randomstate" in owner[1] else np.random.Generator(made)

    return guard


def _seed_sequence(*args: Any) -> Any:
    from numpy.random import bit_generator

    owner = ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence")
    if len(args) != 3 or type(args[1]) is not int or args[2] is not None:
        raise _odd("__pyx_unpickle_SeedSequence")
    return getattr(bit_generator, owner[1])(closed(args[0], owner), args[1], None)


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
    _BIT_GENERATOR_CTOR: _bit_generator,
    (_PICKLE, "__generator_ctor"): _generator((_PICKLE, "__generator_ctor")),
    (_PICKLE, "__randomstate_ctor"): _generator((_PICKLE, "__randomstate_ctor")),
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"): _seed_sequence,
}
