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
    require(n_classes.shape == (n_outputs,) and bool((n_classes >= 1).all()), _TREE)
    state: dict[Any, Any] = stub.state
    nodes: Any = state.get("nodes")
    values: Any = state.get("values")
    require(state.keys() == _STATE and isinstance(nodes, np.ndarray) and isinstance(values, np.ndarray), _TREE)
    require(nodes.ndim == 1 and state["node_count"] == len(nodes) >= 1, _TREE)
    require(type(state["node_count"]) is int and type(state["max_depth"]) is int, _TREE)
    # As many values as shape says, so that no allocation is larger than the file.
    require(values.shape == (len(nodes), n_outputs, int(n_classes.max())), _TREE)
    made = Tree(n_features, n_classes.copy(), n_outputs)
    made.__setstate__(state)  # copies nodes and values, after comparing dtypes and shapes
    return made


def _check_trees(trees: list[Any]) -> None:
    """All trees of a file at once: children behind their parents and inside, features inside, depth as stated."""
    import numpy as np

    nodes = [tree.__getstate__()["nodes"] for tree in trees]
    counts = np.array([len(each) for each in nodes])
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    start = np.repeat(starts, counts)
    left, right, feature = (
        np.concatenate([each[name] for each in nodes]) for name in ("left_child", "right_child", "feature")
    )
    own = np.arange(len(start)) - start
    inner = left != _LEAF
    require(bool((right[~inner] == _LEAF).all()), _TREE)
    count, features = np.repeat(counts, counts)[inner], np.repeat([tree.n_features for tree in trees], counts)[inner]
    for child in (left[inner], right[inner]):
        # Behind the parent: no cycle, which would be an endless walk.
        require(bool(((child > own[inner]) & (child < count)).all()), _TREE)
    require(bool(((feature[inner] >= 0) & (feature[inner] < features)).all()), _TREE)
    _check_depths(trees, starts, start, left, right, inner)


def _check_depths(trees: list[Any], starts: Any, start: Any, left: Any, right: Any, inner: Any) -> None:
    """``decision_path`` writes one entry a level into ``1 + max_depth`` places."""
    import numpy as np

    stated = np.array([tree.max_depth for tree in trees])
    owner = np.repeat(np.arange(len(trees)), np.diff(np.append(starts, len(start))))
    level, depth = starts, 0
    while len(level):
        require(bool((stated[owner[level]] >= depth).all()), _TREE)
        parents = level[inner[level]]
        level = np.concatenate((left[parents] + start[parents], right[parents] + start[parents]))
        depth += 1


STUBS: Mapping[Key, type[Stub]] = {_TREE: TreeStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_TREE: _tree}
CHECKERS: Mapping[Key, Checker] = {_TREE: _check_trees}
