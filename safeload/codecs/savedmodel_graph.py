"""What a SavedModel may be, said of the message as TensorFlow's own protobuf reads it: the two cannot differ.

Loading runs functions: those that make and fill tables. So each operation of each function is one that is known, and
a path can only be that of a file of the model.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from safeload.codecs.savedmodel_handles import check_handles
from safeload.codecs.savedmodel_names import ASSETS, shown, unsafe
from safeload.codecs.savedmodel_objects import check_objects
from safeload.codecs.savedmodel_ops import COMPUTING, SAVING
from safeload.codecs.savedmodel_running import check_running
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["check_saved_model"]

# core/framework/types.proto: numbers and texts, and bytes an item. A constant that is a resource or a variant is a
# pointer into somebody else's memory, or makes an object by its name.
_ITEMS: Mapping[int, int] = {
    **dict.fromkeys((4, 6, 10, 11, 12, 24, 25, 26, 27, 28, 29, 30), 1),
    **dict.fromkeys((5, 14, 15, 16, 17, 19), 2),
    **dict.fromkeys((1, 3, 13, 22), 4),
    **dict.fromkeys((2, 8, 9, 23), 8),
    18: 16,
    7: 24,
}
_RANK_MAX = 254
# By these, one function takes the place of another that nobody named.
_SWAPPED = frozenset({"api_implements", "api_preferred_device"})
# A function's name is made with a number in it, and no operation's is.
_FUNCTION = re.compile(r".*_\d.*", re.DOTALL | re.ASCII)
# Gradients are found by names that somebody registered: those of the model's own get new ones.
_GRADIENT = re.compile(rb"(?:CustomGradient|(?:Stateful)?PartitionedCall)-\d+")
_STREAMS = frozenset({b"", b"stderr", b"stdout", b"log(info)", b"log(warning)", b"log(error)"})


def check_saved_model(model: Any, names: Collection[str], most: int) -> bool:
    """Raise UnsafeFileError, CodecError unless `model` computes with what is in it: files `names`, and constants of
    `most` bytes. Says whether it has files of its own (assets)."""
    if len(model.meta_graphs) != 1 or not model.meta_graphs[0].HasField("object_graph_def"):
        raise CodecError("this is a SavedModel of TensorFlow 1, or several in one", hint="safeload unpack gives it")
    (meta,) = model.meta_graphs
    for asset in meta.asset_file_def:
        if ASSETS + asset.filename not in names:
            raise unsafe(
                f"{shown(asset.filename)} is read as a file of the model, and is none",
                "SL704",
                "a file of the model stands in its folder assets",
            )
    functions = {function.signature.name: function for function in meta.graph_def.library.function}
    if len(functions) != len(meta.graph_def.library.function) or not all(map(_FUNCTION.fullmatch, functions)):
        raise CodecError("a function of the model has the name of another, or of an operation")
    _Graph(functions, most).check(meta)
    check_objects(meta.object_graph_def, functions, len(meta.asset_file_def))
    check_handles(functions, meta.object_graph_def)
    check_running(functions, meta.object_graph_def)
    return len(meta.asset_file_def) > 0


class _Graph:
    """Every node of the graph and of its functions, and what each is given."""

    def __init__(self, functions: Mapping[str, Any], most: int) -> None:
        self._functions, self._left = functions, most
        self._mentioned = set[str]()

    def check(self, meta: Any) -> None:
        self._nodes(meta.graph_def.node, "the graph")
        self._mentioned.clear()  # the graph itself is what saves, and loading does not run it
        saves = set()
        for name, function in self._functions.items():
            if any(argument.number_attr or argument.type_list_attr for argument in function.signature.input_arg):
                raise CodecError(f"function {shown(name)} has arguments of any number")
            if self._nodes(function.node_def, f"function {shown(name)}"):
                saves.add(name)
            self._attributes(function.attr)
            for argument in function.arg_attr.values():
                self._attributes(argument.attr)
        library = meta.graph_def.library
        for gradient in (*library.gradient, *library.registered_gradients):
            self._mention(gradient.gradient_func)
        for name in sorted(saves):
            if name in self._mentioned or name in meta.object_graph_def.concrete_functions or (
                _SWAPPED & set(self._functions[name].attr)
            ):  # fmt: skip
                raise unsafe(f"function {shown(name)} reads or writes variables, and not only for saving", "SL714")

    def _nodes(self, nodes: Iterable[Any], where: str) -> bool:
        """Whether there is one that saves or restores."""
        saves = False
        for node in nodes:
            if node.op in self._functions:
                self._mention(node.op)
            elif node.op in SAVING:
                saves = True
            elif node.op not in COMPUTING:
                raise unsafe(f"{where} has the operation {shown(node.op)}, which may do more than compute", "SL710")
            if node.op == "PrintV2" and node.attr["output_stream"].s not in _STREAMS:
                raise unsafe(f"{where} prints into a file", "SL714")
            if node.op == "Const" and node.attr["dtype"].type != node.attr["value"].tensor.dtype:
                raise CodecError(f"{where} has a constant of two types")  # which ends the process when it is folded
            if "_gradient_op_type" in node.attr and not _GRADIENT.fullmatch(node.attr["_gradient_op_type"].s):
                raise unsafe(f"{where} names a gradient that is not the model's", "SL710")
            self._attributes(node.attr)
        return saves

    def _attributes(self, attributes: Mapping[str, Any]) -> None:
        pending = [*attributes.values()]
        while pending:
            value = pending.pop()
            kind = value.WhichOneof("value")
            if kind == "list":
                self._values(value.list)
                pending += [inner for function in value.list.func for inner in function.attr.values()]
            elif kind == "s":
                self._mentioned.add(value.s.decode("utf-8", "replace"))
            elif kind == "tensor":
                self._tensor(value.tensor)
            elif kind == "func":
                self._mention(value.func.name)
                pending += value.func.attr.values()
            elif kind == "placeholder":
                raise CodecError("an attribute of the model is given by whoever calls it")

    def _values(self, values: Any) -> None:
        for function in values.func:
            self._mention(function.name)
        for tensor in values.tensor:
            self._tensor(tensor)
        self._mentioned.update(text.decode("utf-8", "replace") for text in values.s)

    def _mention(self, name: str) -> None:
        """A function that is called. TensorFlow would take an operation's name for one, too."""
        if name not in self._functions:
            raise CodecError(f"the model calls the function {shown(name)}, which it does not have")
        self._mentioned.add(name)

    def _tensor(self, tensor: Any) -> None:
        """A constant can be one number for a shape of any size."""
        dims = [dim.size for dim in tensor.tensor_shape.dim]
        if (
            tensor.dtype not in _ITEMS
            or tensor.tensor_shape.unknown_rank
            or len(dims) > _RANK_MAX
            or min(dims, default=0) < 0
        ):
            raise unsafe("a constant is neither numbers nor texts of a shape", "SL714")
        size = math.prod(dims) * _ITEMS[tensor.dtype]
        self._left -= size
        if self._left < 0 or max(dims, default=0) > 1 << 40:
            raise CodecError("the model's constants are larger than the limits allow")
