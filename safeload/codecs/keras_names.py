"""Names in configurations of Keras that have no module: those of somebody's own load if the policy has one that fits.

Keras writes functions so, and in HDF5 classes as well. What it looks for among its own, it is asked; what is registered
(``package>name``) the reader of documents has told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safeload.errors import CodecError, UnsafeFileError
from safeload.readers.files.documents import objects_in
from safeload.readers.observations import GlobalUse, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.codecs.base import Held
    from safeload.policy import Policy
    from safeload.readers.files.parts import Part

__all__ = ["functions", "named_only", "nodes", "without_module"]

# keras/src/saving/serialization_lib.py: BUILTIN_MODULES, and where else functions are
_ROOMS = ("activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers", "ops")
_KINDS = frozenset({"keras, configuration", "json"})


def nodes(parts: list[Part]) -> Iterator[dict[str, Any]]:
    """The objects in the configurations among parts that were looked into."""
    for part in parts:
        if part.kind in _KINDS:
            yield from objects_in(json.loads(bytes(part.view)))


def functions(keras: Any, parts: list[Part], member: Held, policy: Policy) -> dict[str, Any]:
    """The functions that are no functions of Keras, by their names. Raises UnsafeFileError."""
    return {name: named_only(name, "function", member, policy) for name in without_module(keras, parts)}


def without_module(keras: Any, parts: list[Part]) -> list[str]:
    """The names of functions that are no functions of Keras and are not registered."""
    written = {str(node.get("config")) for node in nodes(parts) if node.get("class_name") == "function"}
    rooms = [getattr(keras, room, None) for room in _ROOMS]
    return sorted(name for name in written if ">" not in name and not any(hasattr(room, name) for room in rooms))


def named_only(name: str, what: str, member: Held, policy: Policy) -> Any:
    """The class or function that a file names without a module, and the policy with one. Raises UnsafeFileError."""
    granted = [module for module, own in policy.allowed if own == name and _grants(policy, module, name)]
    if not granted:
        shown = printable(name, 80)
        raise UnsafeFileError(
            f"{printable(member.name)}: {shown} is a {what} of somebody's own",
            rule="SL703", offset=0, member=member.name,
            hint=f'Policy.default().allow("its.module.{shown}", use=("new", "build", "reference", "call"))',
        )  # fmt: skip
    return _imported(granted, name)


def _grants(policy: Policy, module: str, name: str) -> bool:
    use = Use.INSTANTIATED | Use.CALLED
    return not policy.denied(GlobalUse(module, name, 0, use, module, name))


def _imported(modules: list[str], name: str) -> Any:
    import importlib

    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise CodecError(f"the model needs {printable(name, 80)}, which is not here")
