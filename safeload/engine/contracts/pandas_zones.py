"""Time zones by name: those of the standard library, and pytz's, which pandas below 3 prefers.

A name becomes a path below the folders of zones, whose file is read, or that of a package, which is imported.
Sources: zoneinfo/_tzpath.py, zoneinfo/_common.py, pytz/__init__.py.
"""

from __future__ import annotations

import datetime
import functools
import re
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_parts import needed
from safeload.engine.tokens import closed
from safeload.engine.valid import require
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "GUARDS",
    "is_plain_zone",
    "is_zone",
    "is_zone_name",
    "missing_zone",
    "zone_method",
    "zone_names",
]

Key = tuple[str, str]
_NAMED: Key = ("pytz", "_p")
_FIXED: Key = ("pytz", "FixedOffset")
_ZONE: Key = ("zoneinfo", "ZoneInfo")
_GETATTR: Key = ("builtins", "getattr")
_DATEUTIL = frozenset(
    {("dateutil.tz.tz", name) for name in ("tzfile", "tzlocal", "tzoffset", "tzutc")}
    | {("dateutil.tz._tzfile", "tzfile")}
)
# No dots: the name becomes a path below a folder of zones.
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}\Z")
_HOURS = re.compile(r"[+-][0-9]{2}:[0-9]{2}\Z", re.ASCII)
_DAY = 24 * 60 * 60


def is_zone(value: Any) -> bool:
    """Whatever the policy let the file make."""
    return isinstance(value, datetime.tzinfo)


def is_zone_name(value: Any) -> bool:
    """Whether `value` is spelled as the name of a zone is, or as hours and minutes from UTC are."""
    return type(value) is str and bool(_NAME.match(value) or _HOURS.match(value))


def is_plain_zone(value: Any) -> bool:
    """Of the standard library or of dateutil, as contracts make them, and none of a class derived from those."""
    kind = type(value)
    if kind is datetime.timezone or (kind.__module__, kind.__qualname__) in _DATEUTIL:
        return True
    import zoneinfo

    return kind is zoneinfo.ZoneInfo


def zone_method(*args: Any) -> Callable[..., datetime.tzinfo]:
    """``getattr(ZoneInfo, "_unpickle")``: how a zone's method is pickled. What it gives is called at once."""
    import zoneinfo

    require(len(args) == 2 and type(args[1]) is str and args[1] == "_unpickle", _ZONE)
    require(closed(args[0], _GETATTR) is zoneinfo.ZoneInfo, _ZONE)
    return _zone_info


def _zone_info(*args: Any) -> datetime.tzinfo:
    """``ZoneInfo._unpickle(name, whether it comes from the cache)``."""
    import zoneinfo

    require(len(args) == 2 and type(args[0]) is str, _ZONE)
    name, cached = args
    require(type(cached) in (bool, int) and cached in (0, 1), _ZONE)
    if name not in zone_names():
        raise missing_zone(name)
    try:
        return zoneinfo.ZoneInfo(name) if cached else zoneinfo.ZoneInfo.no_cache(name)
    except (KeyError, ValueError, OSError) as error:  # gone, or broken, since the names were read
        raise missing_zone(name) from error


def zone_names() -> frozenset[str]:
    """The zones that there are: no other name gets to a path, where it might be a device or a package."""
    import zoneinfo

    return _names(zoneinfo.TZPATH)


@functools.lru_cache(maxsize=1)
def _names(path: tuple[str, ...]) -> frozenset[str]:
    import zoneinfo

    return frozenset(filter(_NAME.match, zoneinfo.available_timezones()))


def missing_zone(name: str) -> CodecError:
    _names.cache_clear()  # it may be there the next time
    return CodecError(
        f"the model needs the time zone {printable(name, 80)}, which this system does not have",
        hint="install or update the system's time zones, or tzdata",
    )


def _named(*args: Any) -> Any:
    """``_p(name[, offset, daylight saving, abbreviation])``: one of a zone's rules.

    A rule that pytz does not have it would add, for the whole process: the zone itself takes its place.
    """
    require(len(args) in (1, 4) and type(args[0]) is str and bool(_NAME.match(args[0])), _NAMED)
    zone = needed("pytz").timezone(args[0])
    if len(args) == 1:
        return zone
    require(all(type(part) is int and abs(part) <= _DAY for part in args[1:3]) and type(args[3]) is str, _NAMED)
    rule = (datetime.timedelta(seconds=args[1]), datetime.timedelta(seconds=args[2]), args[3])
    return getattr(zone, "_tzinfos", {}).get(rule, zone)


def _fixed(*args: Any) -> Any:
    """Minutes, fewer than a day has."""
    require(len(args) == 1 and type(args[0]) is int and abs(args[0]) < _DAY // 60, _FIXED)
    return needed("pytz").FixedOffset(args[0])


def _utc(*args: Any) -> Any:
    return needed("pytz").utc


GUARDS: Mapping[Key, Callable[..., Any]] = {_NAMED: _named, _FIXED: _fixed, ("pytz", "_UTC"): _utc}
