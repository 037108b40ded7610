"""From a name that the policy allowed to the object, for each occurrence in a stream."""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.sklearn import MODULE_ALIASES
from safeload.engine.tables import GUARDS, STUBS, tokens
from safeload.engine.tokens import Token
from safeload.errors import CodecError, UnsafeStreamError
from safeload.readers.observations import GlobalUse, Stream, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["answers", "resolve"]

_MAKING = Use.CALLED | Use.INSTANTIATED


def answers(stream: Stream, member: str, *, guarded: bool = True) -> Iterator[tuple[GlobalUse, Any]]:
    """What `find_class` gives for each global of `stream`, lazily and in order.

    Where a global is called or instantiated and has a stub or a guard, that; else the object itself. Not `guarded`:
    only the stubs, without which arrays cannot be read.
    """
    for used in stream.globals:
        yield used, _answer(used, member) if guarded else _unguarded(used)


def _unguarded(used: GlobalUse) -> Any:
    key = used.module, used.name
    if used.use & _MAKING and key in STUBS:
        return STUBS[key]
    return Token(*key) if key in tokens() and used.owners and used.owners <= STUBS.keys() else resolve(used)


def _answer(used: GlobalUse, member: str) -> Any:
    key = used.module, used.name
    if not used.use.value & _MAKING.value:
        return Token(*key) if key in tokens() else resolve(used)
    stand_in = STUBS.get(key) or GUARDS.get(key)
    if stand_in is None:
        return resolve(used)
    if Use.REFERENCED in used.use and not (key in GUARDS and key in tokens()):
        # The guard would end up where the model expects the real thing, or the real thing would be called. A confined
        # name gets to its owner's contract only, which knows the guard too.
        raise UnsafeStreamError(
            f"{used.path} is both called and kept at byte {used.offset:,}, which no pickler writes",
            fact="called-and-kept",
            offset=used.offset,
            member=member,
        )
    return stand_in


def resolve(used: GlobalUse) -> Any:
    """The object of that name, its module imported if need be. Raises CodecError."""
    name = MODULE_ALIASES.get(used.module, used.module)
    try:
        module = sys.modules.get(name) or importlib.import_module(name)
        found = _attribute(module, used.name)
    except (ImportError, AttributeError) as error:
        raise CodecError(
            f"the model needs {printable(used.path)}, which cannot be imported here: {error}",
            hint="install what it comes from, or put its folder on PYTHONPATH",
        ) from error
    if isinstance(found, types.ModuleType):
        raise CodecError(f"the model names {printable(used.path)}, which is a module and no object of a model")
    return found


def _attribute(module: Any, path: str) -> Any:
    """``Outer.Inner`` of a module: a policy allowed it by its whole path. Only through classes, never into objects."""
    found = module
    for part in path.split("."):
        if found is not module and not isinstance(found, type):
            raise AttributeError(f"{path} leads through something that is no class")
        found = getattr(found, part)
    return found
