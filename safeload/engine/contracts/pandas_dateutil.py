"""Zones of dateutil that need no file: UTC, a fixed offset, and the local one as it was where the model was saved.

dateutil below 3 makes them without arguments and sets a state, later ones call the class with the same. An object that
dateutil itself keeps for all is never given to a model that could change it.
Source: dateutil/tz/tz.py.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.pandas_parts import needed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS", "STATES"]

Key = tuple[str, str]
_LOCAL: Key = ("dateutil.tz.tz", "tzlocal")
_OFFSET: Key = ("dateutil.tz.tz", "tzoffset")
_UTC: Key = ("dateutil.tz.tz", "tzutc")
_DAY = datetime.timedelta(days=1)
_NAME_MAX = 100


def _is_offset(value: Any) -> bool:
    return type(value) is datetime.timedelta and abs(value) < _DAY


def _is_name(value: Any) -> bool:
    return type(value) is str and len(value) <= _NAME_MAX


# Classes, since NEWOBJ takes nothing else; of tzinfo, so that copyreg._reconstructor makes none of them.
class _Utc(datetime.tzinfo):
    def __new__(cls, *args: Any) -> Any:
        require(args == (), _UTC)
        return needed("dateutil.tz.tz").tzutc()


class _Offset(datetime.tzinfo):
    def __new__(cls, *args: Any) -> Any:
        """``tzoffset(name, offset)``, or ``()`` and then a state."""
        kind = needed("dateutil.tz.tz").tzoffset
        if args == ():
            return datetime.tzinfo.__new__(kind)
        require(len(args) == 2 and (args[0] is None or _is_name(args[0])) and _is_offset(args[1]), _OFFSET)
        return kind.instance(*args)


class _Local(datetime.tzinfo):
    def __new__(cls, *args: Any) -> Any:
        require(args == (), _LOCAL)
        return datetime.tzinfo.__new__(needed("dateutil.tz.tz").tzlocal)


def _no_state(kind: Any, state: Any) -> Any:
    """There is one object for all: whatever is set, all would have."""
    require(False, _UTC)


def _offset(kind: Any, state: Any) -> Any:
    require(type(state) is dict and state.keys() == {"_name", "_offset"}, _OFFSET)
    require((state["_name"] is None or _is_name(state["_name"])) and _is_offset(state["_offset"]), _OFFSET)
    return state


def _local(kind: Any, state: Any) -> Any:
    offsets = ("_std_offset", "_dst_offset", "_dst_saved")
    require(type(state) is dict and state.keys() == {*offsets, "_hasdst", "_tznames"}, _LOCAL)
    require(all(_is_offset(state[name]) for name in offsets) and type(state["_hasdst"]) is bool, _LOCAL)
    names = state["_tznames"]
    require(type(names) is tuple and len(names) == 2 and all(map(_is_name, names)), _LOCAL)
    return state


GUARDS: Mapping[Key, Callable[..., Any]] = {_UTC: _Utc, _OFFSET: _Offset, _LOCAL: _Local}
STATES: Mapping[Key, Callable[[Any, Any], Any]] = {_UTC: _no_state, _OFFSET: _offset, _LOCAL: _local}
