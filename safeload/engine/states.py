"""The checkpoint before BUILD: what a state must not say, whatever the class."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.inert import KEPT, Inert
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Set

__all__ = ["checked_state", "hidden_by"]

_METHODS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    classmethod,
    staticmethod,
)
# Not properties: nothing in a state hides them, and older versions of scikit-learn kept some of their values.
# scikit-learn's conditional methods, and functions that Cython compiled
_METHOD_TYPES = frozenset({"_AvailableIfDescriptor", "cython_function_or_method"})


def checked_state(kind: Any, state: Any) -> Any:
    """`state`, as BUILD will see it. Raises CodecError if it would hide a method of the class `kind`.

    An attribute of the instance goes before a method of the class: with ``get_params`` or ``predict`` in its state,
    an object would have whatever the file put there called by whoever uses it, at the latest by scikit-learn itself.
    """
    # BUILD takes a pair for attributes and slots
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    for part in parts:
        hidden = hidden_by(kind, part.keys()) if type(part) is dict else frozenset()
        # What stands for the one method that a model keeps of itself can do nothing, and a checker takes it away.
        if hidden and (hidden := {name for name in hidden if name != KEPT or type(part[name]) is not Inert}):
            name = printable(min(map(str, hidden)), 60)
            raise CodecError(f"the state of a {kind.__module__}.{kind.__qualname__} hides its method {name}")
    return state


def hidden_by(kind: Any, names: Set[Any]) -> Set[Any]:
    """Which of the attributes `names` would hide a method of the class `kind`."""
    return names & _methods(kind) if isinstance(kind, type) else frozenset()


@functools.lru_cache(maxsize=1_000)
def _methods(kind: type) -> frozenset[str]:
    return frozenset(
        name
        for each in kind.__mro__
        for name, value in vars(each).items()
        if isinstance(value, _METHODS) or type(value).__name__ in _METHOD_TYPES
    )
