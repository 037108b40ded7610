"""scipy's k-d trees: the nodes are a buffer of C structures, which point into each other and into the points.

Source: scipy/spatial/_ckdtree.pyx (``__setstate__`` takes everything on trust) and ckdtree/src/build.cxx (the layout,
in depth-first order). Whether a tree is balanced is in its nodes only, so it is checked, and not built anew: neighbours
at equal distance come in the order that they came in.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array
from safeload.engine.stubs import Stub
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "STUBS"]

Key = tuple[str, str]
_CYTHON: Key = ("scipy.spatial._ckdtree", "cKDTree")
_PYTHON: Key = ("scipy.spatial._kdtree", "KDTree")
# struct ckdtreenode; the two pointers are set anew by whoever loads it.
_NODE = [
    ("split_dim", "i8"), ("children", "i8"), ("split", "f8"), ("start", "i8"), ("end", "i8"),
    ("pointer_less", "i8"), ("pointer_greater", "i8"), ("less", "i8"), ("greater", "i8"),
]  # fmt: skip
_LEAF = -1
# C++ walks the levels by recursion, two trees at a time.
_DEPTH_MAX = 1_000
_LEAFSIZE = range(1, 1 << 62)
# A point outside of the box is moved inside by steps of its size: the smaller, the more.
_BOX = (1e-12, 1e300)


class SpatialTreeStub(Stub):
    """Without a state it has no nodes, and a query asks for the first."""

    __slots__ = ()
    what = "scipy tree of neighbours"


def _tree(key: Key, stub: Any) -> Any:
    """Checkpoint: ten items, of which the tree gets copies."""
    require(type(stub) is SpatialTreeStub and type(stub.state) is tuple and len(stub.state) == 10, key)
    buffer, data, rows, width, leafsize, most, least, order, box, boxes = stub.state
    require(_numbers(data, (None, None)) and data.shape[1] > 0 and type(rows) is int and type(width) is int, key)
    require((rows, width) == data.shape and type(leafsize) is int and leafsize in _LEAFSIZE, key)
    require(_permutation(order, rows) and _bounds(data, least, most) and _nodes(buffer, rows, width), key)
    require((box is None and boxes is None) or _box(data, box, boxes), key)
    copies = [None if part is None else part.copy() for part in (data, most, least, order, box)]
    for part in copies:
        if part is not None:
            part.flags.writeable = False  # as its constructor does
    data, most, least, order, box = copies
    module, name = key
    kind: Any = getattr(importlib.import_module(module), name)
    made = kind.__new__(kind)
    boxes = None if boxes is None else boxes.copy()
    made.__setstate__((buffer.copy(), data, rows, width, leafsize, most, least, order, box, boxes))
    return made


def _numbers(value: Any, shape: tuple[int | None, ...]) -> bool:
    """Whether `value` is an array of finite native doubles without gaps."""
    import numpy as np

    plain = array(value, shape) and type(value) is np.ndarray and value.dtype == np.float64
    return plain and bool(value.flags.c_contiguous and value.flags.aligned and np.isfinite(value).all())


def _permutation(order: Any, rows: int) -> bool:
    import numpy as np

    if not array(order, (rows,)) or type(order) is not np.ndarray or order.dtype != np.intp:
        return False
    if not order.flags.c_contiguous or (rows and (order.min() < 0 or order.max() >= rows)):
        return False
    return bool((np.bincount(order, minlength=rows) == 1).all())


def _bounds(data: Any, least: Any, most: Any) -> bool:
    rows, width = data.shape
    if not (_numbers(least, (width,)) and _numbers(most, (width,))):
        return False
    if not rows:
        return not least.any() and not most.any()
    return bool((data.min(axis=0) == least).all() and (data.max(axis=0) == most).all())


def _box(data: Any, box: Any, boxes: Any) -> bool:
    """A box of no size is none; in the others lie all points."""
    width = data.shape[1]
    if not (_numbers(box, (width,)) and _numbers(boxes, (2 * width,))):
        return False
    wraps = box > 0
    inside = (data[:, wraps] >= 0) & (data[:, wraps] < box[wraps])
    sizes = (box[wraps] >= _BOX[0]) & (box[wraps] <= _BOX[1])
    return bool((boxes[:width] == box).all() and (boxes[width:] == 0.5 * box).all() and inside.all() and sizes.all())


def _nodes(buffer: Any, rows: int, width: int) -> bool:
    """Each node but the first is the child of one that stands before it, and halves its range of the points."""
    import numpy as np

    if not array(buffer, (None,)) or buffer.dtype != np.dtype("S1") or not buffer.flags.c_contiguous:
        return False
    dtype = np.dtype(_NODE)
    if not buffer.size or buffer.size % dtype.itemsize:
        return False
    nodes = np.frombuffer(buffer.tobytes(), dtype)
    inner = np.flatnonzero(nodes["split_dim"] != _LEAF)
    less, greater, count = nodes["less"][inner], nodes["greater"][inner], len(nodes)
    start, end = nodes["start"], nodes["end"]
    dims, splits = nodes["split_dim"][inner], nodes["split"][inner]
    if not ((dims >= 0).all() and (dims < width).all() and np.isfinite(splits).all()):
        return False
    if not all(bool(((child > inner) & (child < count)).all()) for child in (less, greater)):
        return False
    if not np.array_equal(np.sort(np.concatenate((less, greater))), np.arange(1, count)):
        return False
    split = (start[less] == start[inner]) & (end[less] == start[greater]) & (end[greater] == end[inner])
    filled = (start[less] < end[less]) & (start[greater] < end[greater])
    whole = start[0] == 0 and end[0] == rows and (nodes["children"] == end - start).all()
    return bool(whole and split.all() and filled.all() and _shallow(nodes))


def _shallow(nodes: Any) -> bool:
    """Whether there are no more levels than C++ may recurse into."""
    import numpy as np

    level = np.zeros(1, np.intp)
    for _ in range(_DEPTH_MAX):
        level = level[nodes["split_dim"][level] != _LEAF]
        if not len(level):
            return True
        level = np.concatenate((nodes["less"][level], nodes["greater"][level]))
    return False


_TREES = (_CYTHON, _PYTHON)
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(_TREES, SpatialTreeStub)
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {key: partial(_tree, key) for key in _TREES}
