"""What tensors stand in: dicts, lists, numbers and texts, as one list of nodes, each after those that it is made of.

So nothing is deeper than a node, whatever the object; and what is shared is shared again.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from safeload.codecs.torch_tensors import DTYPES, Storages, TensorForm
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.codecs.torch_tensors import Numbers

__all__ = ["read_tree", "tree_of"]

_VERSION = 1
_NODES_MAX, _DEPTH_MAX, _KEY_MAX = 10_000_000, 500, 1 << 24
_WEIGHT_FLOOR, _WEIGHT_RATIO = 100_000, 10
_SCALARS = (type(None), bool, str)
_METADATA = "_metadata"  # of a state dict: the versions of its modules


def tree_of(value: Any, numbers: Numbers, kind: str) -> bytes:
    """`value` as JSON, its tensors added to `numbers`. Raises CodecError for what is neither."""
    nodes, done = _Nodes(numbers).of(value)
    _check_extents(nodes)
    document = {
        "v": _VERSION,
        "kind": kind,
        "storages": numbers.spans(),
        "tensors": numbers.forms(),
        "nodes": nodes,
        "root": done,
    }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()


class _Nodes:
    """Walks an object from its leaves up, with a stack of its own."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._nodes: list[list[Any]] = []
        self._known: dict[int, int] = {}  # node, by identity
        self._open: set[int] = set()
        self._kept: list[Any] = []  # so that an identity stays its own

    def of(self, value: Any) -> tuple[list[list[Any]], int]:
        waiting: list[tuple[Any, bool]] = [(value, False)]
        while waiting:
            one, opened = waiting.pop()
            if id(one) in self._known:
                continue
            inner = _inner(one)
            if opened or not inner:
                self._open.discard(id(one))
                self._kept.append(one)
                self._known[id(one)] = len(self._nodes)
                self._nodes.append(self._node(one))
                continue
            if id(one) in self._open:
                raise CodecError("an object that holds itself cannot be kept by the torch codec")
            self._open.add(id(one))
            waiting.append((one, True))
            waiting += [(part, False) for part in reversed(inner) if id(part) not in self._known]
        return self._nodes, self._known[id(value)]

    def _node(self, value: Any) -> list[Any]:  # a table of types
        import torch

        kind, at = type(value), self._known
        if isinstance(value, torch.Tensor):
            return ["tensor", self._numbers.add(value)]
        if kind in _SCALARS:
            return ["is", value]
        if kind is int:
            return ["int", str(value)]
        if kind is float:
            return ["float", value.hex()]
        if kind in (dict, OrderedDict):
            metadata = getattr(value, _METADATA, None)
            items = [[at[id(_key(key))], at[id(item)]] for key, item in value.items()]
            return [kind.__name__, items, *([] if metadata is None else [at[id(metadata)]])]
        if kind in (list, tuple, torch.Size):
            return [kind.__name__, [at[id(part)] for part in value]]
        if kind is torch.dtype and str(value).removeprefix("torch.") in DTYPES:
            return ["dtype", str(value).removeprefix("torch.")]
        if kind is torch.device:
            return ["device", str(value)]
        raise CodecError(
            f"a {kind.__module__}.{kind.__qualname__} is no tensor, number or text, and no list or dict of some",
            hint=_NUMPY if kind.__module__ == "numpy" else _STATES,
        )


_NUMPY = "float(value), or torch.as_tensor(array)"
_STATES = "the torch codec keeps states: state_dict() of a module or an optimizer, and what stands beside them"


def _inner(value: Any) -> list[Any]:
    """What an object is made of, if it is one of the containers."""
    if type(value) in (dict, OrderedDict):
        metadata = getattr(value, _METADATA, None)
        return [*value.keys(), *value.values(), *([] if metadata is None else [metadata])]
    return list(value) if isinstance(value, (list, tuple)) else []


def read_tree(data: bytes, numbers: memoryview) -> tuple[Any, str]:
    """The object, its tensors on the memory of `numbers`, and the class that its state is of, if one was named.

    Raises CodecError.
    """
    try:
        document = json.loads(data)
        if document["v"] != _VERSION or type(document["kind"]) is not str or len(document["nodes"]) > _NODES_MAX:
            raise CodecError("this tree of tensors is of a version that is not known here")
        _check_extents(document["nodes"])
        storages = Storages(numbers, document["storages"])
        tensors = [storages.tensor(_form(fields)) for fields in document["tensors"]]
        values: list[Any] = []
        for node in document["nodes"]:
            values.append(_READERS[node[0]](node, values, tensors))
        return values[_index(document["root"], values)], document["kind"]
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
        raise CodecError(f"this is no tree of tensors: {printable(str(error), 100)}") from error


def _check_extents(nodes: list[Any]) -> None:
    """What is shared counts each time: `repr`, copies and comparisons are recursive, and go that way."""
    depths: list[int] = []
    weights: list[int] = []
    for node in nodes:
        parts = [part for each in node[1:] if type(each) is list for part in _flat(each)]
        parts += node[2:]  # the versions of modules, beside the items of a dict
        depths.append(1 + max((depths[_index(part, depths)] for part in parts), default=0))
        weights.append(1 + sum(weights[part] for part in parts))
        if depths[-1] > _DEPTH_MAX or weights[-1] > _WEIGHT_FLOOR + _WEIGHT_RATIO * len(nodes):
            raise CodecError("its parts stand in one another too deep, or too often")


def _flat(items: list[Any]) -> list[Any]:
    return [part for each in items for part in (each if type(each) is list else [each])]


def _form(fields: Any) -> TensorForm:
    storage, dtype, offset, shape, stride, parameter = fields
    numbers = [storage, offset, *shape, *stride]
    if any(type(number) is not int for number in numbers) or parameter not in (None, True, False):
        raise ValueError("a tensor is described otherwise")
    return TensorForm(storage, dtype, offset, shape, stride, parameter)


def _index(number: Any, values: list[Any]) -> int:
    """Only what is there already: so there is no cycle."""
    if type(number) is not int or not 0 <= number < len(values):
        raise ValueError("a node leads to none")
    return number


def _key(value: Any) -> Any:
    """Texts, and numbers so small that few of them can meet in a table."""
    if type(value) is str or (type(value) is int and abs(value) < _KEY_MAX):
        return value
    raise CodecError(f"the keys of a dict are texts or whole numbers below {_KEY_MAX:,}, not {type(value).__name__}")


def _dict(kind: Any, node: Any, values: list[Any]) -> Any:
    made = kind()
    for key, item in node[1]:
        made[_key(values[_index(key, values)])] = values[_index(item, values)]
    if len(node) == 3:
        setattr(made, _METADATA, values[_index(node[2], values)])
    return made


def _is(node: Any, values: list[Any], tensors: list[Any]) -> Any:
    if type(node[1]) not in _SCALARS:
        raise ValueError("a plain value is none")
    return node[1]


def _size(node: Any, values: list[Any], tensors: list[Any]) -> Any:
    import torch

    return torch.Size([values[_index(part, values)] for part in node[1]])


def _dtype(node: Any, values: list[Any], tensors: list[Any]) -> Any:
    import torch

    if node[1] not in DTYPES:  # torch imports modules of its own by name
        raise ValueError("a dtype is not known here")
    return getattr(torch, node[1])


def _device(node: Any, values: list[Any], tensors: list[Any]) -> Any:
    import torch

    return torch.device(node[1])


_READERS: dict[str, Callable[[Any, list[Any], list[Any]], Any]] = {
    "tensor": lambda node, values, tensors: tensors[_index(node[1], tensors)],
    "is": _is,
    "int": lambda node, values, tensors: int(node[1]),
    "float": lambda node, values, tensors: float.fromhex(node[1]),
    "dict": lambda node, values, tensors: _dict(dict, node, values),
    "OrderedDict": lambda node, values, tensors: _dict(OrderedDict, node, values),
    "list": lambda node, values, tensors: [values[_index(part, values)] for part in node[1]],
    "tuple": lambda node, values, tensors: tuple(values[_index(part, values)] for part in node[1]),
    "Size": _size,
    "dtype": _dtype,
    "device": _device,
}
