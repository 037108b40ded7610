"""From a name that the policy allowed to the object, for each occurrence in a stream."""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from safeload.engine.guards import GUARDS, STUBS
from safeload.errors import CodecError, UnsafeStreamError
from safeload.readers.observations import GlobalUse, Stream, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["answers"]

_MAKING = Use.CALLED | Use.INSTANTIATED


def answers(stream: Stream, member: str) -> Iterator[tuple[GlobalUse, Any]]:
    """What `find_class` gives for each global of `stream`, lazily and in order.

    Where a global is called or instantiated and has a stub or a guard, that; else the object itself.
    """
    for used in stream.globals:
        yield used, _answer(used, member)


def _answer(used: GlobalUse, member: str) -> Any:
    key = used.module, used.name
    stand_in = STUBS.get(key) or GUARDS.get(key)
    if stand_in is None or not used.use & _MAKING:
        return _resolve(used)
    if Use.REFERENCED in used.use:
        # The guard would end up where the model expects the real thing, or the real thing would be called.
        raise UnsafeStreamError(
            f"{used.path} is both called and kept at byte {used.offset:,}, which no pickler writes",
            fact="called-and-kept",
            offset=used.offset,
            member=member,
        )
    return stand_in


def _resolve(used: GlobalUse) -> Any:
    module = sys.modules.get(used.module)
    try:
        if module is None:
            module = importlib.import_module(used.module)
        found = getattr(module, used.name)
    except (ImportError, AttributeError) as error:
        raise CodecError(
            f"the model needs {printable(used.path)}, which is not installed here: {error}",
            hint="`safeload inspect` lists the versions that the model was made with",
        ) from error
    if isinstance(found, types.ModuleType):
        raise CodecError(f"the model names {printable(used.path)}, which is a module and no object of a model")
    return found
