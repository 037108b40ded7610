"""Zones of dateutil that were read from a file, ``tz.gettz("Europe/Berlin")``: looked up again by their name.

A pickle holds the path and all rules, lists of numbers that pandas' compiled code follows. The system's own rules of
that name take their place, as they do for the standard library's zones. Sources: dateutil/tz/tz.py (releases below 4),
dateutil/tz/_tzfile.py.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_parts import PandasStub, Part, class_name, needed
from safeload.engine.contracts.pandas_zones import missing_zone, zone_names
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.stubs import Stub

__all__ = ["FINISHERS", "GUARDS", "STUBS"]

Key = tuple[str, str]
_FILE: Key = ("dateutil.tz.tz", "tzfile")
_RULE: Key = ("dateutil.tz.tz", "_ttinfo")
_UNPICKLE: Key = ("dateutil.tz._tzfile", "_unpickle")
_PATH_MAX = 4_096
_PARTS_MAX = 4  # of a zone's name


class RulePart(Part):
    """One rule of a zone, which is found anew."""

    __slots__ = ()


def _file(stub: Any) -> Any:
    """Checkpoint: ``tzfile(None, path)``, and a state with all rules."""
    require(type(stub) is PandasStub and len(stub.args) == 2 and stub.args[0] is None, _FILE)
    return _zone(_name_in(stub.args[1], _FILE))


def _unpickle(*args: Any) -> Any:
    """``_unpickle(tzfile, name, path, rules)``"""
    require(len(args) == 4 and class_name(args[0], _UNPICKLE) == "tzfile", _UNPICKLE)
    return _zone(args[1] if type(args[1]) is str else _name_in(args[2], _UNPICKLE))


def _name_in(path: Any, key: Key) -> str:
    """The name of the zone whose file was at `path` where the model was saved. Nothing is opened there."""
    require(type(path) is str and len(path) <= _PATH_MAX, key)
    parts = path.split("/")
    for count in range(min(_PARTS_MAX, len(parts)), 0, -1):
        name = "/".join(parts[-count:])
        if name in zone_names():
            return name
    raise missing_zone(path)


@functools.lru_cache(maxsize=1_000)  # names of zones are fewer
def _known(name: str) -> Any:
    return needed("dateutil.tz").gettz(name)


def _zone(name: str) -> Any:
    zone = _known(name) if name in zone_names() else None
    if zone is None:
        raise missing_zone(name)
    return zone


def _rule(stub: Any) -> RulePart:
    """Checkpoint: offsets and names, which nobody reads."""
    require(type(stub) is PandasStub, _RULE)
    return RulePart()


GUARDS: Mapping[Key, Callable[..., Any]] = {_UNPICKLE: _unpickle}
STUBS: Mapping[Key, type[Stub]] = {_FILE: PandasStub, _RULE: PandasStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_FILE: _file, _RULE: _rule}
