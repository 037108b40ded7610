"""Bound methods, which are pickled as ``getattr(object, name)``; and those of classes, which picklers call.

Of all that a call may give, only such a method may be called: where it was made, once, and of a class in the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError
from safeload.readers import opcodes as op
from safeload.readers.nodes import Alias, Global, Made
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from safeload.readers.machine import Machine
    from safeload.readers.nodes import Node

__all__ = ["GETATTR", "attribute_of", "class_called", "method_of"]

GETATTR = ("builtins", "getattr")
# How zones are pickled: getattr(ZoneInfo, "_unpickle")(name, 0 or 1).
_METHODS = {("zoneinfo", "ZoneInfo"): "_unpickle"}
# How protocols below 4 pickle what an object of the class keeps of it: getattr(interp1d, "_call_linear").
# And any protocol the methods of texts: getattr(str, "split"), which vectorisers are given.
_KEPT = frozenset({("scipy.interpolate._interpolate", "interp1d"), ("builtins", "str")})
_TEXTS = (op.SHORT_BINUNICODE, op.BINUNICODE, op.UNICODE)
# A zone is a file that is read and ten kilobytes of memory, of ten bytes in a stream. In a joblib file each array of
# objects names its zones anew, in more than 256 bytes.
_ZONES_MAX = 1_000
_BYTES_OF_A_ZONE = 256


def method_of(machine: Machine, source: Global, args: Node, use: Use) -> Global | None:
    """The class of which ``getattr(class, name)`` gives a method that may be called."""
    if source.key != GETATTR or use is not Use.CALLED or args.__class__ is not tuple or len(args) != 2:
        return None
    cls, name = args
    if cls.__class__ is not Global or cls.key not in _METHODS:
        return None
    if name.__class__ is not int or machine.data.view[name] not in _TEXTS:
        return None
    return cls if machine.data.short_string(name) == _METHODS[cls.key] else None


def attribute_of(machine: Machine, args: Node, method: Global | None) -> tuple[str, str]:
    """The name in the arguments of a ``getattr(an object that the stream made, name)``, or nothing, for a policy.

    Of a class that has such methods, behind that one's own path.
    """
    owner = ".".join(GETATTR)
    if method is not None:
        return f"{owner}.{method.module}.{method.name}", _METHODS[method.key]
    if args.__class__ is tuple and len(args) == 2 and args[0].__class__ is Global and args[0].key in _KEPT:
        args[0].instantiated += args[0].watched  # by its stub, which is what the guard gets
        return f"{owner}.{args[0].module}.{args[0].name}", machine.data.short_string(args[1]) or ""
    if args.__class__ is not tuple or len(args) != 2 or args[0].__class__ not in (Made, Alias):
        return owner, ""
    return owner, machine.data.short_string(args[1]) or ""


def class_called(machine: Machine, source: Node, use: Use) -> Global | None:
    """The class whose method `source` is, which is called now. Raises LimitError.

    Only now has the class a place where it may stand: a method that is kept, and not called, leaves it without. What is
    made counts as an object of that class: whatever is done with it, is judged so.
    """
    if source.__class__ is not Made or source.build is not None or use is not Use.CALLED:
        return None
    cls = source.meaning
    if cls.__class__ is not Global:
        return None
    cls.give(GETATTR)
    machine.spent.zones += 1
    if machine.spent.zones > _ZONES_MAX + machine.data.size // _BYTES_OF_A_ZONE:
        raise LimitError("zones", f"more than {machine.spent.zones - 1:,} time zones in so small a file")
    return cls
