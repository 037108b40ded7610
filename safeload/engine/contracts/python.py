"""The standard library's callables. Most of them take a number for a size, or iterate whatever they are given."""

from __future__ import annotations

import copyreg
import datetime
import decimal
import fractions
import importlib
import numbers
import pathlib
import re
from collections import Counter, OrderedDict, defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.members import spread
from safeload.engine.contracts.pandas_zones import is_plain_zone
from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token, closed
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "FINISHERS", "GUARDS", "STUBS"]

_PLAIN_BASES = (dict, list, tuple, set, str, int, float)
_FACTORIES = (dict, float, int, list, set, str, OrderedDict)
_RANGE_MAX = 4_096
_DIGITS_MAX = 4_096
_EXPONENT_MAX = 10_000
_VALUES = (int, str, type(None))  # of members
_PATTERN_MAX = 4_096
# each one, ignoring case, is spelled out
_RANGES_MAX = 100
_FLAGS = int(re.ASCII | re.IGNORECASE | re.LOCALE | re.MULTILINE | re.DOTALL | re.UNICODE | re.VERBOSE)
_DECIMAL = re.compile(r"-?(?:[0-9.]+(?:E[+-]?[0-9]{1,10})?|Infinity|s?NaN[0-9]*)\Z", re.ASCII)
_FRACTION = re.compile(r"-?[0-9]+(?:/[0-9]+)?\Z", re.ASCII)


def _odd(name: str) -> CodecError:
    return CodecError(f"{name} is called otherwise than a pickler calls it")


def _types(args: tuple[Any, ...], *kinds: type) -> bool:
    """Whether `args` are exactly of these types: a subclass brings methods of its own."""
    return tuple(type(arg) for arg in args) == kinds


def _reconstructor(*args: Any) -> Any:
    """``copyreg._reconstructor`` calls ``base.__new__`` and ``base.__init__``: with any base, any call."""
    if len(args) != 3 or not isinstance(args[0], type):
        raise _odd("copyreg._reconstructor")
    cls, base, state = args
    if issubclass(cls, Stub):  # its checkpoint checks what it was made over
        return cls() if base is object and state is None else cls(base, state)
    if base is object and state is None:
        return object.__new__(cls)
    if base in _PLAIN_BASES and type(state) is base and issubclass(cls, base):
        return copyreg._reconstructor(cls, base, state)  # type: ignore[attr-defined]
    raise _odd("copyreg._reconstructor")


def _encode(*args: Any) -> bytes:
    """How protocols below 3 write bytes. Other codecs run code of their own: punycode is quadratic."""
    if not _types(args, str, str) or args[1] != "latin1":
        raise _odd("_codecs.encode")
    return bytes(args[0], "latin1")


def _bytearray(*args: Any) -> bytearray:
    """``bytearray(n)`` would take as much memory as the file says."""
    if args == () or _types(args, bytes):
        return bytearray(*args)
    if _types(args, str, str) and args[1] == "latin-1":
        return bytearray(*args)
    raise _odd("bytearray")


def _bytes(*args: Any) -> bytes:
    if args:
        raise _odd("bytes")
    return b""


def _complex(*args: Any) -> complex:
    if not _types(args, float, float):
        raise _odd("complex")
    return complex(*args)


def _set(*args: Any) -> set[Any]:
    if not _types(args, list):
        raise _odd("set")
    return set(spread(*args))


def _frozenset(*args: Any) -> frozenset[Any]:
    if not _types(args, list):
        raise _odd("frozenset")
    return frozenset(spread(*args))


def _range(*args: Any) -> range:
    """Small, because whoever iterates it later pays for its length."""
    if not _types(args, int, int, int) or args[2] == 0 or len(made := range(*args)) > _RANGE_MAX:
        raise _odd("range")
    return made


def _slice(*args: Any) -> slice:
    """Of names of columns; of numpy's integers, which pandas has where it looked for a place: as Python's own."""
    parts = [int(arg) if _is_numpy_integer(arg) else arg for arg in args]
    if len(parts) != 3 or any(type(part) not in (int, str, type(None)) for part in parts):
        raise _odd("slice")
    return slice(*parts)


def _is_numpy_integer(value: Any) -> bool:
    return type(value).__module__ == "numpy" and isinstance(value, numbers.Integral)


def _counter(*args: Any) -> Counter[Any]:
    if not _types(args, dict):
        raise _odd("collections.Counter")
    return Counter(*args)


def _ordered_dict(*args: Any) -> OrderedDict[Any, Any]:
    if args:
        raise _odd("collections.OrderedDict")
    return OrderedDict()


def _defaultdict(*args: Any) -> defaultdict[Any, Any]:
    """The factory is called at every missing key, by whoever uses the model."""
    if len(args) == 1 and (args[0] is _ordered_dict or type(args[0]) is Token):
        # OrderedDict: its guard, where the stream calls it too
        args = (OrderedDict if args[0] is _ordered_dict else closed(args[0], ("collections", "defaultdict")),)
    if args not in ((), (None,)) and not (len(args) == 1 and args[0] in _FACTORIES):
        raise _odd("collections.defaultdict")
    return defaultdict(*args)


def _deque(*args: Any) -> deque[Any]:
    if args == ():
        return deque()
    if len(args) == 2 and args[0] in ((), []) and type(args[1]) is int and args[1] >= 0:
        return deque(maxlen=args[1])
    raise _odd("collections.deque")


def _date(*args: Any) -> datetime.date:
    if not _types(args, bytes) or len(args[0]) != 4:
        raise _odd("datetime.date")
    return datetime.date(*args)


def _with_zone(make: Callable[..., Any], size: int, name: str) -> Callable[..., Any]:
    """Another object than a zone that is known would have its ``utcoffset`` called."""

    def guard(*args: Any) -> Any:
        if len(args) not in (1, 2) or type(args[0]) is not bytes or len(args[0]) != size:
            raise _odd(name)
        if len(args) == 2 and not is_plain_zone(args[1]):
            raise _odd(name)
        return make(*args)

    return guard


def _timedelta(*args: Any) -> datetime.timedelta:
    if not _types(args, int, int, int):
        raise _odd("datetime.timedelta")
    return datetime.timedelta(*args)


def _timezone(*args: Any) -> datetime.timezone:
    if not (_types(args, datetime.timedelta) or _types(args, datetime.timedelta, str)):
        raise _odd("datetime.timezone")
    return datetime.timezone(*args)


def _decimal(*args: Any) -> decimal.Decimal:
    """``int(Decimal("1e999999999"))`` takes all memory."""
    if not _types(args, str) or len(args[0]) > _DIGITS_MAX or not _DECIMAL.match(args[0]):
        raise _odd("decimal.Decimal")
    exponent = args[0].partition("E")[2]
    if exponent and abs(int(exponent)) > _EXPONENT_MAX:
        raise _odd("decimal.Decimal")
    return decimal.Decimal(*args)


def _fraction(*args: Any) -> fractions.Fraction:
    """``Fraction("1e9999999")`` computes for ever; Python 3.11 and older write ``"3/4"``."""
    if _types(args, str) and len(args[0]) <= _DIGITS_MAX and _FRACTION.match(args[0]):
        return fractions.Fraction(*args)
    if _types(args, int, int) and args[1] > 0 and max(abs(args[0]), args[1]).bit_length() <= 4 * _DIGITS_MAX:
        return fractions.Fraction(*args)
    raise _odd("fractions.Fraction")


def _member(module: str, name: str) -> Callable[..., Any]:
    """Looked up by its value: to call the class would ask its ``_missing_``."""

    def guard(*args: Any) -> Any:
        members = getattr(importlib.import_module(module), name)._value2member_map_
        if len(args) != 1 or type(args[0]) not in _VALUES or args[0] not in members:
            raise _odd(f"{module}.{name}")
        return members[args[0]]

    return guard


def _regex_flag(*args: Any) -> re.RegexFlag:
    """The class keeps each combination that it was asked for: no more of them than there are."""
    if not _types(args, int) or args[0] & _FLAGS != args[0]:
        raise _odd("re.RegexFlag")
    return re.RegexFlag(args[0])


def _pure_path(make: type[pathlib.PurePath]) -> Callable[..., Any]:
    def guard(*args: Any) -> Any:
        if any(type(arg) is not str for arg in args):
            raise _odd(make.__name__)
        return make(*args)

    return guard


def _compile(*args: Any) -> re.Pattern[Any]:
    """DEBUG prints; 100,000 alternatives, or 1,000 ranges without case, compile for minutes."""
    if not (_types(args, str, int) or _types(args, bytes, int)):
        raise _odd("re._compile")
    ranges = args[0].count("-" if type(args[0]) is str else b"-")
    if len(args[0]) > _PATTERN_MAX or ranges > _RANGES_MAX or args[1] & ~_FLAGS:
        raise _odd("re._compile")
    return re.compile(*args)


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
        raise _odd("functools.partial")
    func, args, keywords, namespace = stub.state
    # Not an object with a __call__ that a state may steer, such as a scorer, and no class.
    if stub.args != (func,) or type(func).__name__ not in _FUNCTIONS or namespace not in (None, {}):
        raise _odd("functools.partial")
    if type(args) is not tuple or type(keywords) is not dict:
        raise _odd("functools.partial")
    return partial(func, *args, **keywords)


def _check_uuids(values: list[Any]) -> None:
    """``UUID.__setstate__`` takes whatever it is given for the number."""
    for value in values:
        if type(getattr(value, "int", None)) is not int or not 0 <= value.int < 1 << 128:
            raise _odd("uuid.UUID")


Key = tuple[str, str]
_PATHS = (pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)

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
    ("datetime", "date"): _date,
    ("datetime", "datetime"): _with_zone(datetime.datetime, 10, "datetime.datetime"),
    ("datetime", "time"): _with_zone(datetime.time, 6, "datetime.time"),
    ("datetime", "timedelta"): _timedelta,
    ("datetime", "timezone"): _timezone,
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("re", "RegexFlag"): _regex_flag,
    **{key: _member(*key) for key in (("http", "HTTPMethod"), ("http", "HTTPStatus"), ("uuid", "SafeUUID"))},
    ("re", "_compile"): _compile,
    **{(module, made.__name__): _pure_path(made) for module in ("pathlib", "pathlib._local") for made in _PATHS},
}
STUBS: Mapping[Key, type[Stub]] = {("functools", "partial"): PartialStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {("functools", "partial"): _partial}
CHECKERS: Mapping[Key, Checker] = {("uuid", "UUID"): _check_uuids}
