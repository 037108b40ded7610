"""KDTree, BallTree and the metrics they measure with: arrays that index each other, and C code trusts them all.

Checked against the one layout that ``BinaryTree.__init__`` makes of so many points and such a leaf size, then
given to the library's own ``__setstate__``. Sources: sklearn/neighbors/_binary_tree.pxi.tp,
sklearn/metrics/_dist_metrics.pyx.tp.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, number
from safeload.engine.stubs import Stub
from safeload.engine.tokens import closed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "STUBS"]

Key = tuple[str, str]
_METRIC: Key = ("sklearn.metrics._dist_metrics", "newObj")
_TREES: Mapping[Key, int] = {  # and how many bounds a node has
    ("sklearn.neighbors._ball_tree", "newObj"): 1,
    ("sklearn.neighbors._kd_tree", "newObj"): 2,
}


class NewObjStub(Stub):
    """``newObj(C)`` is ``C.__new__(C)`` for any class, and without its state an object of unwritten memory."""

    __slots__ = ()
    what = "sklearn tree of neighbours or metric"


def _made(stub: Any, key: Key, size: int) -> tuple[Any, tuple[Any, ...]]:
    """An empty object of the class, and its state, of `size` items."""
    require(type(stub) is NewObjStub and len(stub.args) == 1 and type(stub.state) is tuple, key)
    require(len(stub.state) == size, key)
    cls = closed(stub.args[0], key)
    return cls.__new__(cls), stub.state


def _metric(stub: Any) -> Any:
    """Checkpoint: the power, a vector, a matrix. The owner compares them with its features."""
    made, (power, vector, matrix) = _made(stub, _METRIC, 3)
    require(type(power) is float and not math.isnan(power), _METRIC)
    require(_floats(vector, (None,)) and _floats(matrix, (None, None)), _METRIC)
    require(matrix.shape[0] == matrix.shape[1], _METRIC)
    made.__setstate__((power, vector.copy(), matrix.copy()))
    return made


def _floats(value: Any, shape: tuple[int | None, ...]) -> bool:
    """Whether `value` is an array of native doubles without gaps."""
    import numpy as np

    return array(value, shape) and value.dtype == np.float64 and bool(value.flags.c_contiguous)


def _binary_tree(key: Key, stub: Any) -> Any:
    """Checkpoint: 13 items. The data stay what they are, shared with the estimator: no index is among them."""
    made, state = _made(stub, key, 13)
    data, order, nodes, bounds, leaf_size, n_levels, n_nodes, *counters, metric, weights = state
    require(_floats(data, (None, None)) and data.size > 0, key)
    require(number(leaf_size, 1) and all(type(one) is int for one in (leaf_size, n_levels, n_nodes, *counters)), key)
    rows, width = data.shape
    require(n_levels == _levels(rows, leaf_size) and n_nodes == 2**n_levels - 1, key)
    require(_permutation(order, rows) and _layout(nodes, rows, n_levels), key)
    require(_floats(bounds, (_TREES[key], n_nodes, width)), key)
    require(weights is None or _floats(weights, (rows,)), key)
    require(_measures(metric, data), key)
    copies = (order.copy(), nodes.copy(), bounds.copy())
    made.__setstate__((data, *copies, *state[4:]))
    return made


def _levels(rows: int, leaf_size: int) -> int:
    """As ``BinaryTree.__init__`` counts."""
    import numpy as np

    return int(np.log2(max(1.0, (rows - 1) / leaf_size)) + 1)


def _permutation(order: Any, rows: int) -> bool:
    import numpy as np

    if not array(order, (rows,)) or order.dtype != np.intp or order.min() < 0 or order.max() >= rows:
        return False
    return bool((np.bincount(order, minlength=rows) == 1).all())


def _layout(nodes: Any, rows: int, n_levels: int) -> bool:
    """Each node halves the range of its parent; the last level are leaves."""
    import numpy as np

    if n_levels > rows.bit_length() + 1 or not array(nodes, (2**n_levels - 1,)) or nodes.dtype != _node_dtype():
        return False
    start, end = np.array([0]), np.array([rows])
    for level in range(n_levels):
        at = slice(2**level - 1, 2 ** (level + 1) - 1)
        leaf = 1 if level == n_levels - 1 else 0
        if not all((nodes[name][at] == wanted).all() for name, wanted in (("idx_start", start), ("idx_end", end))):
            return False
        if not (nodes["is_leaf"][at] == leaf).all():
            return False
        middle = start + (end - start) // 2
        start, end = np.column_stack((start, middle)).ravel(), np.column_stack((middle, end)).ravel()
    return True


def _node_dtype() -> Any:
    import numpy as np
    from sklearn.neighbors import KDTree

    return KDTree(np.zeros((1, 1))).get_arrays()[2].dtype


def _measures(metric: Any, data: Any) -> bool:
    """Whether the metric is one for doubles, with weights for as many features as there are: it compares itself."""
    from sklearn.metrics._dist_metrics import DistanceMetric64

    if not isinstance(metric, DistanceMetric64):
        return False
    try:
        metric._validate_data(data)
    except ValueError:
        return False
    return True


STUBS: Mapping[Key, type[Stub]] = dict.fromkeys((_METRIC, *_TREES), NewObjStub)
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _METRIC: _metric,
    **{key: partial(_binary_tree, key) for key in _TREES},
}
