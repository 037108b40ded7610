"""What hickle 5 keeps, made of numbers, bytes and texts: how a node is kept -> what makes the object.

As ``hickle/loaders/load_builtins.py``, ``load_numpy.py`` and ``load_scipy.py`` do it, types included: the numbers in a
list of nothing but numbers are numpy's. A class is the one that the table has, and its pickle is only compared.
"""

from __future__ import annotations

import collections
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safeload.codecs.hickle_keys import Keys, key_of
from safeload.engine.contracts.sparse import SparseStub, bsr, compressed
from safeload.errors import CodecError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Item", "Node", "build", "refuse"]

# A pickle of protocol 4 or 5 that names a class and does nothing else, and that of the type of None.
_CLASS = re.compile(rb"\x80[\4\5]\x95.\0{7}\x8c.([\w.]{1,80})\x94\x8c.(\w{1,80})\x94\x93\x94\.", re.DOTALL)
_NONE = b"\x8c\x08builtins\x94\x8c\x04type\x94\x93\x94N\x85\x94R\x94."
_DIGITS = re.compile(rb"-?\d{1,4300}")
_TEXTS = re.compile(r"[<>]U(\d{1,6})")
_NUMBERS = "biufc"


@dataclass(frozen=True, slots=True)
class Item:
    """A value in a container: under which name, at which place, and of which type the name is the key."""

    name: str
    index: int | None
    key: str | None
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`array` is None for a group, and for a dataset that holds nothing; `items` are what is in a group."""

    path: str
    base: str
    pickle: bytes
    array: Any
    items: list[Item] | None
    count: int | None
    np_dtype: str | None
    str_type: str | None
    keys: Keys


def refuse(node: Node, why: str) -> CodecError:
    return CodecError(f"{printable(node.path, 80)} is not as hickle writes it: {why}")


def build(node: Node) -> Any:
    """Raises CodecError."""
    table = _LEAVES if node.items is None else _GROUPS
    if node.base not in table:
        raise CodecError(f"{printable(node.path, 80)}: a {printable(node.base, 40)} of hickle is not loaded here")
    cls = _class(node)
    return table[node.base](node, cls)


def _class(node: Node) -> Any:
    if node.base == "None":
        if not node.pickle.endswith(_NONE) or len(node.pickle) != len(_NONE) + 11:
            raise refuse(node, "its type is another")
        return None
    match = _CLASS.fullmatch(node.pickle)
    named = ".".join(part.decode("ascii", "replace") for part in match.groups()) if match else "no plain class"
    if node.base == "np_scalar" and re.fullmatch(r"numpy\.\w+", named):
        return None  # the dtype says the same
    if named not in _CLASSES.get(node.base, ()):
        raise CodecError(f"{printable(node.path, 80)}: a {printable(named, 80)} of hickle is not loaded here")
    return _CLASSES[node.base][named]


def _scalar(node: Node, kinds: str) -> Any:
    if node.array is None or node.array.shape != () or node.array.dtype.kind not in kinds:
        raise refuse(node, "no single number")
    return node.array[()]


def _int(node: Node, cls: Any) -> int:
    if node.array is not None and node.array.ndim == 1 and node.array.dtype == "u1":
        if not _DIGITS.fullmatch(node.array.tobytes()):
            raise refuse(node, "no digits")
        return int(node.array.tobytes())
    return int(_scalar(node, "iu"))


def _np_scalar(node: Node, cls: Any) -> Any:
    value = _scalar(node, _NUMBERS)
    if node.np_dtype != node.array.dtype.str:
        raise refuse(node, "two types of numbers")
    return value


def _bytes(node: Node, cls: Any) -> Any:
    if node.array is None or node.array.dtype != "S1" or node.str_type != node.base:
        raise refuse(node, "no bytes")
    data: bytes = node.array.tobytes()
    try:
        return data if cls is bytes else data.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse(node, "no UTF-8") from None


def _numbers(node: Node, cls: Any) -> Any:
    if node.array is None:
        return cls()
    if node.array.ndim != 1 or node.array.dtype.kind not in _NUMBERS:
        raise refuse(node, "no row of numbers")
    values = [*node.array]
    if cls is set:
        node.keys.check(node.path, values, is_set=True)
    return cls(values)


def _ndarray(node: Node, cls: Any) -> Any:
    if node.array is None or node.np_dtype != node.array.dtype.str:
        raise refuse(node, "two types of numbers, or none")
    return node.array


def _placed(node: Node) -> list[Item]:
    """The items in their order: each place is taken once."""
    items = node.items or []
    placed: dict[int | None, Item] = {item.index: item for item in items}
    if placed.keys() != {*range(len(items))}:
        raise refuse(node, "places that are missing, or taken twice")
    return [placed[index] for index in range(len(items))]


def _list(node: Node, cls: Any) -> Any:
    values = [item.value for item in _placed(node)]
    if len(values) != node.count:
        raise refuse(node, "another number of items")
    return cls(values)


def _set(node: Node, cls: Any) -> Any:
    values = [item.value for item in node.items or ()]
    node.keys.check(node.path, values, is_set=True)
    return set(values)


def _dict(node: Node, cls: Any) -> Any:
    pairs = [key_of(node.path, item.name, item.key, item.value) for item in _placed(node)]
    node.keys.check(node.path, [key for key, _ in pairs])
    return cls(pairs)


def _texts(node: Node, cls: Any) -> Any:
    """An array of texts, as lists of as many dimensions. Nothing is made larger than what is there to be read."""
    import numpy as np

    match = _TEXTS.fullmatch(node.np_dtype or "")
    level: list[Any] = [item.value for item in _placed(node)]
    shape = [len(level)]
    while level and type(level[0]) is list:
        size = len(level[0])
        if len(shape) == 32 or not all(type(each) is list and len(each) == size for each in level):
            raise refuse(node, "lists of several lengths")
        _bound(node, size * len(level))
        level = [each for one in level for each in one]
        shape.append(size)
    if match is None or not all(type(each) is str and len(each) <= int(match[1]) for each in level):
        raise refuse(node, "no array of texts")
    _bound(node, len(level) * int(match[1]))
    return np.array(level, dtype=node.np_dtype).reshape(shape)


_LETTERS_MAX = 1 << 26


def _bound(node: Node, letters: int) -> None:
    if letters > _LETTERS_MAX:
        raise refuse(node, "more texts than an array of them is made for")


def _named(node: Node, *names: str) -> list[Any]:
    found = {item.name: item.value for item in node.items or ()}
    if found.keys() != {*names}:
        raise refuse(node, "other parts")
    return [found[name] for name in names]


def _masked(node: Node, cls: Any) -> Any:
    import numpy as np

    data, mask = _named(node, "data", "mask")
    good = type(data) is np.ndarray and data.dtype.kind in _NUMBERS and data.dtype.str == node.np_dtype
    whole = type(mask) is np.ndarray and mask.dtype == bool and mask.shape == np.shape(data)
    if not good or not (whole or type(mask) is np.bool):
        raise refuse(node, "no array and its mask")
    return np.ma.array(data, mask=mask)


def _sparse(node: Node, cls: Any) -> Any:
    """By the contract that a sparse matrix in a joblib stream has to keep."""
    import numpy as np
    import scipy.sparse

    data, indices, indptr, shape = _named(node, "data", "indices", "indptr", "shape")
    parts = all(type(each) is np.ndarray and each.dtype.isnative for each in (data, indices, indptr))
    if not parts or type(shape) is not tuple or not all(type(each) is np.int64 for each in shape):
        raise refuse(node, "no sparse matrix")
    stub = SparseStub()
    # Objects that share a node share the array; what was checked here must stay as it is.
    own = {"indices": indices.copy(), "indptr": indptr.copy()}
    stub.state = {"data": data, **own, "_shape": tuple(map(int, shape))}
    make = bsr if node.base == "bsr_matrix" else compressed
    return make(getattr(scipy.sparse, node.base), stub, ("scipy.sparse", node.base))


_CLASSES: Mapping[str, Mapping[str, Any]] = {
    **{each.__name__: {f"builtins.{each.__name__}": each} for each in (list, tuple, set, bytes, str)},
    **{each.__name__: {f"builtins.{each.__name__}": each} for each in (int, float, complex, bool)},
    "dict": {"builtins.dict": dict, "collections.OrderedDict": collections.OrderedDict},
    "ndarray": {"numpy.ndarray": None},
    "ndarray_masked": {"numpy.ma.MaskedArray": None, "numpy.ma.core.MaskedArray": None},
    **{
        f"{short}_matrix": {f"scipy.sparse.{room}{short}.{short}_matrix": None for room in ("", "_")}
        for short in ("csr", "csc", "bsr")
    },
}
_LEAVES: Mapping[str, Callable[[Node, Any], Any]] = {
    "None": lambda node, cls: None,
    "bool": lambda node, cls: bool(_scalar(node, "b")),
    "int": _int,
    "float": lambda node, cls: float(_scalar(node, "f")),
    "complex": lambda node, cls: complex(_scalar(node, "c")),
    "str": _bytes,
    "bytes": _bytes,
    "list": _numbers,
    "tuple": _numbers,
    "set": _numbers,
    "np_scalar": _np_scalar,
    "ndarray": _ndarray,
}
_GROUPS: Mapping[str, Callable[[Node, Any], Any]] = {
    "list": _list,
    "tuple": _list,
    "set": _set,
    "dict": _dict,
    "ndarray": _texts,
    "ndarray_masked": _masked,
    **dict.fromkeys(("csr_matrix", "csc_matrix", "bsr_matrix"), _sparse),
}
