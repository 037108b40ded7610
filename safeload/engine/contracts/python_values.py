"""The standard library's values: times, numbers, members of enums, paths, patterns. And how arguments are looked at."""

from __future__ import annotations

import datetime
import decimal
import fractions
import importlib
import pathlib
import re
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_zones import is_plain_zone
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "GUARDS", "exact_types", "odd"]

_DIGITS_MAX = 4_096
_EXPONENT_MAX = 10_000
_VALUES = (int, str, type(None))  # of members
_PATTERN_MAX = 4_096
# each one, ignoring case, is spelled out
_RANGES_MAX = 100
_FLAGS = int(re.ASCII | re.IGNORECASE | re.LOCALE | re.MULTILINE | re.DOTALL | re.UNICODE | re.VERBOSE)
_DECIMAL = re.compile(r"-?(?:[0-9.]+(?:E[+-]?[0-9]{1,10})?|Infinity|s?NaN[0-9]*)\Z", re.ASCII)
_FRACTION = re.compile(r"-?[0-9]+(?:/[0-9]+)?\Z", re.ASCII)
_PATHS = (pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)


def odd(name: str) -> CodecError:
    return CodecError(f"{name} is called otherwise than a pickler calls it")


def exact_types(args: tuple[Any, ...], *kinds: type) -> bool:
    """Whether `args` are exactly of these types: a subclass brings methods of its own."""
    return tuple(type(arg) for arg in args) == kinds


def _date(*args: Any) -> datetime.date:
    if not exact_types(args, bytes) or len(args[0]) != 4:
        raise odd("datetime.date")
    return datetime.date(*args)


def _with_zone(make: Callable[..., Any], size: int, name: str) -> Callable[..., Any]:
    """Another object than a zone that is known would have its ``utcoffset`` called."""

    def guard(*args: Any) -> Any:
        if len(args) not in (1, 2) or type(args[0]) is not bytes or len(args[0]) != size:
            raise odd(name)
        if len(args) == 2 and not is_plain_zone(args[1]):
            raise odd(name)
        return make(*args)

    return guard


def _timedelta(*args: Any) -> datetime.timedelta:
    if not exact_types(args, int, int, int):
        raise odd("datetime.timedelta")
    return datetime.timedelta(*args)


def _timezone(*args: Any) -> datetime.timezone:
    if not (exact_types(args, datetime.timedelta) or exact_types(args, datetime.timedelta, str)):
        raise odd("datetime.timezone")
    return datetime.timezone(*args)


def _decimal(*args: Any) -> decimal.Decimal:
    """``int(Decimal("1e999999999"))`` takes all memory."""
    if not exact_types(args, str) or len(args[0]) > _DIGITS_MAX or not _DECIMAL.match(args[0]):
        raise odd("decimal.Decimal")
    exponent = args[0].partition("E")[2]
    if exponent and abs(int(exponent)) > _EXPONENT_MAX:
        raise odd("decimal.Decimal")
    return decimal.Decimal(*args)


def _fraction(*args: Any) -> fractions.Fraction:
    """``Fraction("1e9999999")`` computes for ever; Python 3.11 and older write ``"3/4"``."""
    if exact_types(args, str) and len(args[0]) <= _DIGITS_MAX and _FRACTION.match(args[0]):
        return fractions.Fraction(*args)
    if exact_types(args, int, int) and args[1] > 0 and max(abs(args[0]), args[1]).bit_length() <= 4 * _DIGITS_MAX:
        return fractions.Fraction(*args)
    raise odd("fractions.Fraction")


def _member(module: str, name: str) -> Callable[..., Any]:
    """Looked up by its value: to call the class would ask its ``_missing_``."""

    def guard(*args: Any) -> Any:
        members = getattr(importlib.import_module(module), name)._value2member_map_
        if len(args) != 1 or type(args[0]) not in _VALUES or args[0] not in members:
            raise odd(f"{module}.{name}")
        return members[args[0]]

    return guard


def _regex_flag(*args: Any) -> re.RegexFlag:
    """The class keeps each combination that it was asked for: no more of them than there are."""
    if not exact_types(args, int) or args[0] & _FLAGS != args[0]:
        raise odd("re.RegexFlag")
    return re.RegexFlag(args[0])


def _pure_path(make: type[pathlib.PurePath]) -> Callable[..., Any]:
    def guard(*args: Any) -> Any:
        if any(type(arg) is not str for arg in args):
            raise odd(make.__name__)
        return make(*args)

    return guard


def _compile(*args: Any) -> re.Pattern[Any]:
    """DEBUG prints; 100,000 alternatives, or 1,000 ranges without case, compile for minutes."""
    if not (exact_types(args, str, int) or exact_types(args, bytes, int)):
        raise odd("re._compile")
    ranges = args[0].count("-" if type(args[0]) is str else b"-")
    if len(args[0]) > _PATTERN_MAX or ranges > _RANGES_MAX or args[1] & ~_FLAGS:
        raise odd("re._compile")
    return re.compile(*args)


def _check_uuids(values: list[Any]) -> None:
    """``UUID.__setstate__`` takes whatever it is given for the number."""
    for value in values:
        if type(getattr(value, "int", None)) is not int or not 0 <= value.int < 1 << 128:
            raise odd("uuid.UUID")


Key = tuple[str, str]

GUARDS: Mapping[Key, Callable[..., Any]] = {
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
CHECKERS: Mapping[Key, Checker] = {("uuid", "UUID"): _check_uuids}
