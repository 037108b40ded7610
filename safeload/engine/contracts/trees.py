"""scikit-learn's decision trees: C code follows child and feature indices without looking.

Sources: sklearn/tree/_tree.pyx (``Tree.__setstate__`` checks shapes and dtypes, ``apply``, ``decision_path``) and
sklearn/tree/_classes.py.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import numpy_module
from safeload.engine.stubs import Stub
from safeload.engine.valid import require
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "FINISHERS", "STUBS", "tree_class"]

Key = tuple[str, str]
_TREE: Key = ("sklearn.tree._tree", "Tree")
_LEAF = -1
_NODES_AT_ONCE = 1 << 13
_STATE = ("nodes", "values", "node_count", "max_depth")


class TreeStub(Stub):
    """A Tree without its state is a tree of memory that nobody wrote."""

    __slots__ = ()
    what = "sklearn Tree"


def _tree(stub: Any) -> Any:
    """Checkpoint: ``Tree(n_features, n_classes, n_outputs)`` and its four items."""
    if type(stub) is not TreeStub or len(stub.args) != 3 or type(stub.state) is not dict:
        raise CodecError("a Tree is made otherwise than scikit-learn makes it")
    (n_features, n_classes, n_outputs), state = stub.args, stub.state
    numpy = numpy_module()
    if not (
        type(n_features) is type(n_outputs) is int
        and n_features >= 0
        and n_outputs >= 1
        and isinstance(n_classes, numpy.ndarray)
        and n_classes.dtype == numpy.intp
        and n_classes.shape == (n_outputs,)
        and _are_nodes(state, n_outputs, n_classes.tolist(), numpy)
    ):
        require(False, _TREE)
    made = tree_class()(n_features, n_classes, n_outputs)  # copies n_classes
    made.__setstate__(state)  # copies nodes and values, after comparing dtypes and shapes
    return made


def _are_nodes(state: dict[Any, Any], n_outputs: int, counts: list[int], numpy: Any) -> bool:
    nodes, values, count, depth = map(state.get, _STATE)
    return bool(
        len(state) == len(_STATE)
        and isinstance(nodes, numpy.ndarray)
        and isinstance(values, numpy.ndarray)
        and nodes.ndim == 1
        and type(count) is type(depth) is int
        and count == len(nodes) >= 1
        and depth < count  # or a path would be as long as the file says
        and min(counts) >= 1
        # As many values as shape says, so that no allocation is larger than the file.
        and values.shape == (count, n_outputs, max(counts))
    )


@functools.cache
def tree_class() -> Any:
    """An import statement looks the class up each time, and a forest has a thousand trees."""
    from sklearn.tree._tree import Tree

    return Tree


def _check_trees(trees: list[Any]) -> None:
    """All trees of a file: children behind their parents and inside, features inside, depth as stated."""
    np = numpy_module()
    counts = np.array([tree.node_count for tree in trees])
    roots = np.cumsum(counts) - counts
    total = int(counts.sum())
    # Of each node, with children counted over all trees.
    left, right = (np.empty(total, np.int32 if total < 1 << 31 else np.int64) for _ in range(2))
    inner = np.empty(total, bool)
    scratch = np.empty(0, np.uint8)
    first = 0
    while first < len(trees):
        # So many that they stay in the processor's cache, or one.
        last = max(int(np.searchsorted(roots, roots[first] + _NODES_AT_ONCE)) - 1, first + 1)
        some = slice(first, last)
        nodes = [tree.__getstate__()["nodes"] for tree in trees[some]]
        part = slice(roots[first], roots[first] + int(counts[some].sum()))
        size = (part.stop - part.start) * nodes[0].itemsize
        if len(scratch) < size:
            scratch = np.empty(size, np.uint8)
        # Joined as bytes, since numpy joins records field by field.
        joined = np.concatenate([each.view(np.uint8) for each in nodes], out=scratch[:size]).view(nodes[0].dtype)
        features = np.array([tree.n_features for tree in trees[some]])
        _check_nodes(joined, counts[some], features, roots[some], (left[part], right[part], inner[part]))
        first = last
    _check_depths([tree.max_depth for tree in trees], roots, left, right, inner)


def _check_nodes(nodes: Any, counts: Any, features: Any, roots: Any, found: tuple[Any, Any, Any]) -> None:
    """The nodes of some trees. Fills `found`: where their children are among all nodes, and which have any."""
    np = numpy_module()
    left, right, inner = found
    starts = np.repeat(roots, counts)
    own, many, width = (
        np.arange(len(nodes)) - (starts - roots[0]),
        np.repeat(counts, counts),
        np.repeat(features, counts),
    )
    np.not_equal(nodes["left_child"], _LEAF, out=inner)
    leaf = ~inner
    require(np.array_equal(nodes["right_child"] == _LEAF, leaf), _TREE)
    for name, children in (("left_child", left), ("right_child", right)):
        child = nodes[name]
        # Behind the parent: no cycle, which would be an endless walk.
        require(bool((leaf | ((child > own) & (child < many))).all()), _TREE)
        np.add(child, starts, out=children, casting="same_kind")
    feature = nodes["feature"]
    require(bool((leaf | ((feature >= 0) & (feature < width))).all()), _TREE)


def _check_depths(stated: list[int], roots: Any, left: Any, right: Any, inner: Any) -> None:
    """``decision_path`` writes one entry a level into ``1 + max_depth`` places."""
    np = numpy_module()
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
