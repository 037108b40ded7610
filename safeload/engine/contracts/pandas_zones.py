"""Time zones: those of the standard library, and pytz's, which pandas below 3 prefers where it is installed.

Source: pytz/__init__.py.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_parts import needed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS", "is_zone"]

Key = tuple[str, str]
_NAMED: Key = ("pytz", "_p")
_FIXED: Key = ("pytz", "FixedOffset")
# No dots: the name becomes a path below a folder of zones.
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}\Z")
_DAY = 24 * 60 * 60


def is_zone(value: Any) -> bool:
    """Whatever the policy let the file make."""
    return isinstance(value, datetime.tzinfo)


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
