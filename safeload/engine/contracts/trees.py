"""scikit-learn's decision trees: C code follows child and feature indices without looking.

Sources: sklearn/tree/_tree.pyx (``Tree.__setstate__`` checks shapes and dtypes, ``apply``, ``decision_path``) and
sklearn/tree/_classes.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.stubs import Stub
from safeload.engine.valid import require
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "FINISHERS", "STUBS"]

Key = tuple[str, str]
_TREE: Key = ("sklearn.tree._tree", "Tree")
_LEAF = -1
_STATE = {"max_depth", "node_count", "nodes", "values"}


class TreeStub(Stub):
    """A Tree without its state is a tree of memory that nobody wrote."""

    __slots__ = ()
    what = "sklearn Tree"


def _tree(stub: Any) -> Any:
    """Checkpoint: ``Tree(n_features, n_classes, n_outputs)`` and its four items."""
    import numpy as np
    from sklearn.tree._tree import Tree

    if type(stub) is not TreeStub or len(stub.args) != 3 or type(stub.state) is not dict:
        raise CodecError("a Tree is made otherwise than scikit-learn makes it")
    n_features, n_classes, n_outputs = stub.args
    require(type(n_features) is int and type(n_outputs) is int and n_features >= 0 and n_outputs >= 1, _TREE)
    require(isinstance(n_classes, np.ndarray) and n_classes.dtype == np.intp, _TREE)
    require(n_classes.shape == (n_outputs,) and min(counts := n_classes.tolist()) >= 1, _TREE)
    state: dict[Any, Any] = stub.state
    nodes: Any = state.get("nodes")
    values: Any = state.get("values")
    require(state.keys() == _STATE and isinstance(nodes, np.ndarray) and isinstance(values, np.ndarray), _TREE)
    require(nodes.ndim == 1 and state["node_count"] == len(nodes) >= 1, _TREE)
    require(type(state["node_count"]) is int and type(state["max_depth"]) is int, _TREE)
    require(state["max_depth"] < len(nodes), _TREE)  # or a path would be as long as the file says
    # As many values as shape says, so that no allocation is larger than the file.
    require(values.shape == (len(nodes), n_outputs, max(counts)), _TREE)
    made = Tree(n_features, n_classes.copy(), n_outputs)
    made.__setstate__(state)  # copies nodes and values, after comparing dtypes and shapes
    return made


def _check_trees(trees: list[Any]) -> None:
    """All trees of a file at once: children behind their parents and inside, features inside, depth as stated."""
    import numpy as np

    nodes = [tree.__getstate__()["nodes"] for tree in trees]
    counts = np.array([len(each) for each in nodes])
    ends = np.cumsum(counts)
    left, right, feature = (
        np.concatenate([each[name] for each in nodes]) for name in ("left_child", "right_child", "feature")
    )
    inner = left != _LEAF
    require(np.array_equal(inner, right != _LEAF), _TREE)
    # Of the nodes with children: which they are, whose tree they are in, and where in it.
    at = np.flatnonzero(inner)
    owner = np.searchsorted(ends, at, side="right")
    start = (ends - counts)[owner]
    own, count = at - start, counts[owner]
    for children in (left, right):
        child = children[at]
        # Behind the parent: no cycle, which would be an endless walk.
        require(bool((child > own).all() and (child < count).all()), _TREE)
        children[at] = child + start  # from here on, counted over all trees
    chosen, features = feature[at], np.array([tree.n_features for tree in trees])[owner]
    require(bool((chosen >= 0).all() and (chosen < features).all()), _TREE)
    _check_depths([tree.max_depth for tree in trees], ends - counts, left, right, inner)


def _check_depths(stated: list[int], roots: Any, left: Any, right: Any, inner: Any) -> None:
    """``decision_path`` writes one entry a level into ``1 + max_depth`` places."""
    import numpy as np

    # The trees whose nodes are at `level`, each with the depth that it states: those get fewer.
    level, allowed, depth = roots, np.array(stated), 0
    while len(level):
        require(bool(allowed.min() >= depth), _TREE)
        further = inner[level]
        parents, allowed = level[further], allowed[further]
        level, allowed = np.concatenate((left[parents], right[parents])), np.concatenate((allowed, allowed))
        depth += 1


STUBS: Mapping[Key, type[Stub]] = {_TREE: TreeStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_TREE: _tree}
CHECKERS: Mapping[Key, Checker] = {_TREE: _check_trees}
