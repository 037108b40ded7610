"""The objects around the functions of a SavedModel: TensorFlow makes them, and sets each as an attribute of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from safeload.codecs.savedmodel_names import shown, unsafe
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_objects"]

# Names under which classes are made that are TensorFlow's own.
_CLASSES = frozenset({"", "tf.StaticHashTable", "tf.TrackableConstant"})
# How the parts of an object of each kind are called: TensorFlow sets them as attributes, of whatever name.
_NOTHING = re.compile(r"\Z(?!)")
_PARTS: Mapping[str, re.Pattern[str]] = {
    "asset": _NOTHING,
    "bare_concrete_function": re.compile(r"capture_\d+"),
    "captured_tensor": _NOTHING,
    "constant": _NOTHING,
    "function": re.compile(r"trace_\d+"),
    "resource": re.compile(r"_initializer|_create_resource|_initialize|_destroy_resource"),
    "user_object": re.compile(r"__call__|(?!__).*", re.DOTALL),
    "variable": _NOTHING,
}
# What objects have that were loaded and saved again; the second is made anew.
_HONEST = frozenset({"__call__", "_self_saveable_object_factories"})
# Of lists by their place; they grow to it.
_LISTS = frozenset({"trackable_list_wrapper", "trackable_tuple_wrapper"})
_ITEM = re.compile(r"\d{1,7}|[^\W\d]\w*", re.ASCII)


def check_objects(graph: Any, functions: Mapping[str, Any], assets: int) -> None:
    """Raise CodecError, UnsafeFileError unless each is of a kind that is known, and is there."""
    count = len(graph.nodes)
    if not count or any(not 0 <= number < count for number in _references(graph)):
        raise CodecError("the model refers to an object that it does not have")
    for name in graph.concrete_functions:
        if name not in functions:
            raise CodecError(f"the model has no function {shown(name)}")
    for node in graph.nodes:
        if node.registered_name not in _CLASSES or node.registered_saver:
            name = node.registered_name or node.registered_saver
            raise unsafe(f"{shown(name)} is a class of somebody's own", "SL703")
        parts = _PARTS.get(node.WhichOneof("kind") or "", _NOTHING)
        parts = _ITEM if node.user_object.identifier in _LISTS else parts
        for child in node.children:
            if node.HasField("user_object") and _is_tensorflows(child.local_name):
                raise unsafe(f"the part {shown(child.local_name)} of an object is TensorFlow's own", "SL703")
            if not parts.fullmatch(child.local_name):
                raise unsafe(f"an object has the part {shown(child.local_name)}, as none of its kind", "SL703")
        if node.HasField("asset") and not 0 <= node.asset.asset_file_def_index < assets:
            raise CodecError("the model refers to a file that it does not have")


def _references(graph: Any) -> Iterator[int]:
    for node in graph.nodes:
        for reference in (*node.children, *node.dependencies):
            yield reference.node_id
        for slot in node.slot_variables:
            yield slot.original_variable_node_id
            yield slot.slot_variable_node_id
        for saveable in node.saveable_objects.values():
            yield saveable.save_function
            yield saveable.restore_function
    for function in graph.concrete_functions.values():
        yield from function.bound_inputs


def _is_tensorflows(name: str) -> bool:
    """Whether an object would have that in place of what TensorFlow calls by itself."""
    import tensorflow

    tracked = tensorflow.__internal__.tracking.AutoTrackable
    return name not in _HONEST and (name.startswith("_self_") or hasattr(tracked, name))
