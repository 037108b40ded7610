"""Callables of the allow lists that could do more than a model needs: what they are replaced by while loading.

A *stub* class stands for objects whose C code trusts its state; a *guard* checks the actual arguments and then
calls the real thing.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import array_from_stub, checked_shape
from safeload.engine.dtypes import dtype_from_stub
from safeload.engine.stubs import ArrayStub, DTypeStub, Stub, WrapperStub
from safeload.errors import CodecError
from safeload.readers.machine import WRAPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STUBS", "WATCHED"]

Key = tuple[str, str]
_NUMPY_CORE = ("numpy._core", "numpy.core")
_PLAIN_BASES = (dict, list, tuple, set, str, int, float)


def _reconstructor(cls: Any, base: Any, state: Any) -> Any:
    """``copyreg._reconstructor`` calls ``base.__init__``: with an arbitrary base that is an arbitrary call."""
    if not isinstance(cls, type):
        raise CodecError("copyreg._reconstructor is called with something that is not a class")
    if base is object and state is None:
        return object.__new__(cls)
    if base in _PLAIN_BASES and type(state) is base and issubclass(cls, base):
        return copyreg._reconstructor(cls, base, state)  # type: ignore[attr-defined]
    raise CodecError("copyreg._reconstructor is called with arguments that no pickler writes")


def _frombuffer(buffer: Any, dtype: Any, shape: Any, order: Any, axis_order: Any = None) -> Any:
    """numpy's reducer of protocol 5. A copy: a memoised buffer must not become two writable arrays."""
    import numpy as np

    if type(buffer) not in (bytes, bytearray) or not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise CodecError("numpy's _frombuffer is called with arguments that numpy does not write")
    if order not in ("C", "F", "K"):
        raise CodecError("numpy's _frombuffer is called with an unknown order")
    shape = (shape,) if type(shape) is int else shape
    flat = np.frombuffer(buffer, dtype).copy() if buffer else np.empty(0, dtype)
    if order == "K":
        return flat.reshape(checked_shape(shape)).transpose(axis_order)
    return flat.reshape(checked_shape(shape), order=order)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    """numpy's scalars: `data` are the bytes of one item."""
    import numpy as np

    if type(data) is str:  # written by Python 2
        data = data.encode("latin1")
    if not isinstance(dtype, np.dtype) or dtype.hasobject or type(data) is not bytes:
        raise CodecError("a numpy scalar is made with arguments that numpy does not write")
    if dtype.itemsize == 0:
        return dtype.type()
    if len(data) != dtype.itemsize:
        raise CodecError("a numpy scalar does not have the bytes of its dtype")
    return np.frombuffer(data, dtype).copy()[0]


def _encode(text: Any, encoding: Any = "utf-8", errors: Any = "strict") -> bytes:
    """How protocols below 3 write bytes. Other codecs run code of their own: punycode is quadratic."""
    if type(text) is not str or encoding != "latin1" or errors != "strict":
        raise CodecError("_codecs.encode is called otherwise than a pickler calls it")
    return text.encode("latin1")


def _bytearray(*args: Any) -> bytearray:
    """``bytearray(n)`` would allocate what the file asks for."""
    if len(args) == 1 and type(args[0]) is bytes:
        return bytearray(args[0])
    if len(args) == 2 and type(args[0]) is str and args[1] == "latin-1":
        return bytearray(args[0].encode("latin1"))
    if not args:
        return bytearray()
    raise CodecError("bytearray is called otherwise than a pickler calls it")


def _bytes(*args: Any) -> bytes:
    if not args:
        return b""
    raise CodecError("bytes is called otherwise than a pickler calls it")


STUBS: Mapping[Key, type[Stub]] = {
    WRAPPER: WrapperStub,
    ("numpy", "dtype"): DTypeStub,
    **{(f"{core}.multiarray", "_reconstruct"): ArrayStub for core in _NUMPY_CORE},
}

# What makes the real object at a stub's checkpoint; arrays of joblib need their place in the file besides.
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    ("numpy", "dtype"): dtype_from_stub,
    **{(f"{core}.multiarray", "_reconstruct"): array_from_stub for core in _NUMPY_CORE},
}

GUARDS: Mapping[Key, Callable[..., Any]] = {
    ("copyreg", "_reconstructor"): _reconstructor,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "bytes"): _bytes,
    **{(f"{core}.numeric", "_frombuffer"): _frombuffer for core in _NUMPY_CORE},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _NUMPY_CORE},
}

WATCHED = frozenset(STUBS)
