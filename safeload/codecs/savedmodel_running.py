"""The functions that loading a SavedModel runs: those that make, fill, save and restore its tables.

They need few operations. With all that compute, one could loop without end, or ask for any memory, before anybody has
called anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.codecs.savedmodel_names import shown, unsafe
from safeload.codecs.savedmodel_ops import CALLING, LOADING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_running"]

_RUN = frozenset({"_create_resource", "_initialize", "_destroy_resource"})


def check_running(functions: Mapping[str, Any], objects: Any) -> None:
    """Raise UnsafeFileError unless they have no other operations."""
    pending = [name for number in _numbers(objects) for name in _names(objects.nodes[number])]
    seen = set[str]()
    while pending:
        name = pending.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            if node.op in CALLING:
                pending.append(node.attr["f"].func.name)
            elif node.op in functions:
                pending.append(node.op)
            elif node.op not in LOADING:
                raise unsafe(f"function {shown(name)} would run {shown(node.op)} while the model is loaded", "SL714")


def _numbers(objects: Any) -> Iterator[int]:
    for node in objects.nodes:
        yield from (child.node_id for child in node.children if child.local_name in _RUN)
        for saveable in node.saveable_objects.values():
            yield saveable.save_function
            yield saveable.restore_function


def _names(node: Any) -> Iterator[str]:
    yield from node.function.concrete_functions
    yield node.bare_concrete_function.concrete_function_name
