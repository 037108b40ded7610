"""The torch codec: what is made of tensors, as numbers and a description of what is where. Nothing is ever pickled.

State dicts of modules and optimizers, whole checkpoints, single tensors. A module is kept as its state; its class is
for whoever loads it to have: ``load(..., into=module)``. Tensors that share memory share it again.
"""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing
from safeload.codecs.checked import parts_of_file
from safeload.codecs.keras import is_model
from safeload.codecs.torch_files import load_file
from safeload.codecs.torch_tensors import Numbers
from safeload.codecs.torch_tree import read_tree, tree_of
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TORCH"]

_TREE, _NUMBERS, _FILE = "torch.tree", "torch.numbers", "torch.file"
_LOOKED_MAX = 10_000  # objects, until a tensor is found


def _takes(value: Any) -> bool:
    """Whether it is a module, a tensor, or plain containers with a tensor in them."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):  # or half imported
        return False
    waiting: list[Any] = [value]
    seen: set[int] = set()
    while waiting and len(seen) < _LOOKED_MAX:
        one = waiting.pop()
        if is_model(one):  # of Keras, which may be a module too
            continue
        if isinstance(one, (torch.nn.Module, torch.Tensor)):
            return True
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict) and type(one).__name__ in ("dict", "OrderedDict"):
            waiting += one.values()
        elif type(one) in (list, tuple):
            waiting += one
    return False


def _parts(value: Any, protocol: int | None) -> list[Part]:
    torch = _torch()
    kind = ""
    if isinstance(value, torch.nn.Module):
        kind, value = f"{type(value).__module__}.{type(value).__qualname__}", value.state_dict()
    numbers = Numbers()
    tree = tree_of(value, numbers, kind)
    return [Part("tree.json", lambda file: file.write(tree), _TREE), Part("numbers.bin", numbers.write, _NUMBERS)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    kinds = [member.kind for member in held]
    if kinds == [_FILE]:
        view = held[0].read()
        return _given(load_file(view, held[0], parts_of_file(view, options)), "", options)
    _torch()
    if kinds != [_TREE, _NUMBERS]:
        raise CodecError("the members of this artifact are not a tree of tensors and their numbers")
    tree, numbers = held
    return _given(*read_tree(bytes(tree.read()), numbers.read()), options)


def _given(value: Any, kind: str, options: LoadOptions) -> Any:
    """`value`, which is the state of a `kind`, or the module that it was to be put into."""
    if options.into is None:
        return value
    torch = _torch()
    if not isinstance(options.into, torch.nn.Module):
        raise TypeError(f"into takes a torch.nn.Module, got {type(options.into).__name__}")
    before = _kept(options.into, value)
    try:
        options.into.load_state_dict(value)
    except (RuntimeError, TypeError, AttributeError, ValueError, KeyError) as error:
        if before is not None:
            options.into.load_state_dict(before)
        name = f"{type(options.into).__module__}.{type(options.into).__qualname__}"
        raise CodecError(
            f"the state of a {printable(kind or 'model')} does not fit into this {name}: {printable(str(error), 300)}"
        ) from error
    return options.into


def _kept(module: Any, value: Any) -> Any:
    """A copy of the module's state, if `value` may not fit: PyTorch tells after it has put in what fits."""
    own = module.state_dict()
    if any(map(_torch().nn.parameter.is_lazy, own.values())):  # which have no shape yet, and are made to fit
        return None
    fits = isinstance(value, dict) and own.keys() == value.keys()
    if fits and all(getattr(own[name], "shape", None) == getattr(value[name], "shape", None) for name in own):
        return None
    return copy.deepcopy(own)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise missing("a model of PyTorch", "torch") from error
    return torch


TORCH = Codec("torch", ("torch",), _takes, _parts, _load, fills=True, at_once=True)
