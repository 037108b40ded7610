"""The standard library's callables. Most of them take a number for a size, or iterate whatever they are given."""

from __future__ import annotations

import copyreg
import numbers
from collections import Counter, OrderedDict, defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.members import spread
from safeload.engine.contracts.python_values import exact_types, odd
from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token, closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

_PLAIN_BASES = (dict, list, tuple, set, str, int, float)
_FACTORIES = (dict, float, int, list, set, str, OrderedDict)
_RANGE_MAX = 4_096


def _reconstructor(*args: Any) -> Any:
    """``copyreg._reconstructor`` calls ``base.__new__`` and ``base.__init__``: with any base, any call."""
    if len(args) != 3 or not isinstance(args[0], type):
        raise odd("copyreg._reconstructor")
    cls, base, state = args
    if issubclass(cls, Stub):  # its checkpoint checks what it was made over
        return cls() if base is object and state is None else cls(base, state)
    if base is object and state is None:
        return object.__new__(cls)
    if base in _PLAIN_BASES and type(state) is base and issubclass(cls, base):
        return copyreg._reconstructor(cls, base, state)  # type: ignore[attr-defined]
    raise odd("copyreg._reconstructor")


def _encode(*args: Any) -> bytes:
    """How protocols below 3 write bytes. Other codecs run code of their own: punycode is quadratic."""
    if not exact_types(args, str, str) or args[1] != "latin1":
        raise odd("_codecs.encode")
    return bytes(args[0], "latin1")


def _bytearray(*args: Any) -> bytearray:
    """``bytearray(n)`` would take as much memory as the file says."""
    if args == () or exact_types(args, bytes):
        return bytearray(*args)
    if exact_types(args, str, str) and args[1] == "latin-1":
        return bytearray(*args)
    raise odd("bytearray")


def _bytes(*args: Any) -> bytes:
    if args:
        raise odd("bytes")
    return b""


def _complex(*args: Any) -> complex:
    if not exact_types(args, float, float):
        raise odd("complex")
    return complex(*args)


def _set(*args: Any) -> set[Any]:
    if not exact_types(args, list):
        raise odd("set")
    return set(spread(*args))


def _frozenset(*args: Any) -> frozenset[Any]:
    if not exact_types(args, list):
        raise odd("frozenset")
    return frozenset(spread(*args))


def _range(*args: Any) -> range:
    """Small, because whoever iterates it later pays for its length."""
    if not exact_types(args, int, int, int) or args[2] == 0 or len(made := range(*args)) > _RANGE_MAX:
        raise odd("range")
    return made


def _slice(*args: Any) -> slice:
    """Of names of columns; of numpy's integers, which pandas has where it looked for a place: as Python's own."""
    parts = [int(arg) if _is_numpy_integer(arg) else arg for arg in args]
    if len(parts) != 3 or any(type(part) not in (int, str, type(None)) for part in parts):
        raise odd("slice")
    return slice(*parts)


def _is_numpy_integer(value: Any) -> bool:
    return type(value).__module__ == "numpy" and isinstance(value, numbers.Integral)


def _counter(*args: Any) -> Counter[Any]:
    if not exact_types(args, dict):
        raise odd("collections.Counter")
    return Counter(*args)


def _ordered_dict(*args: Any) -> OrderedDict[Any, Any]:
    if args:
        raise odd("collections.OrderedDict")
    return OrderedDict()


def _defaultdict(*args: Any) -> defaultdict[Any, Any]:
    """The factory is called at every missing key, by whoever uses the model."""
    if len(args) == 1 and (args[0] is _ordered_dict or type(args[0]) is Token):
        # OrderedDict: its guard, where the stream calls it too
        args = (OrderedDict if args[0] is _ordered_dict else closed(args[0], ("collections", "defaultdict")),)
    if args not in ((), (None,)) and not (len(args) == 1 and args[0] in _FACTORIES):
        raise odd("collections.defaultdict")
    return defaultdict(*args)


def _deque(*args: Any) -> deque[Any]:
    if args == ():
        return deque()
    if len(args) == 2 and args[0] in ((), []) and type(args[1]) is int and args[1] >= 0:
        return deque(maxlen=args[1])
    raise odd("collections.deque")


# Functions of Python, of C, of Cython, of numpy.
_FUNCTIONS = (
    "function",
    "builtin_function_or_method",
    "cython_function_or_method",
    "ufunc",
    "_ArrayFunctionDispatcher",
)


class PartialStub(Stub):
    """``functools.partial``: its own ``__setstate__`` would put another function in."""

    __slots__ = ()
    what = "functools.partial"


def _partial(stub: Any) -> partial[Any]:
    """Checkpoint: made with ``(func,)``, and the state ``(func, args, keywords, namespace)``."""
    if type(stub) is not PartialStub or type(stub.state) is not tuple or len(stub.state) != 4:
        raise odd("functools.partial")
    func, args, keywords, namespace = stub.state
    # Not an object with a __call__ that a state may steer, such as a scorer, and no class.
    if stub.args != (func,) or type(func).__name__ not in _FUNCTIONS or namespace not in (None, {}):
        raise odd("functools.partial")
    if type(args) is not tuple or type(keywords) is not dict:
        raise odd("functools.partial")
    return partial(func, *args, **keywords)


Key = tuple[str, str]

GUARDS: Mapping[Key, Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "bytes"): _bytes,
    ("builtins", "complex"): _complex,
    ("builtins", "frozenset"): _frozenset,
    ("builtins", "range"): _range,
    ("builtins", "set"): _set,
    ("builtins", "slice"): _slice,
    ("collections", "Counter"): _counter,
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "defaultdict"): _defaultdict,
    ("collections", "deque"): _deque,
    ("copyreg", "_reconstructor"): _reconstructor,
}
STUBS: Mapping[Key, type[Stub]] = {("functools", "partial"): PartialStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {("functools", "partial"): _partial}
