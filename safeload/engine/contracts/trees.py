"""scikit-learn's decision trees: C code follows child and feature indices without looking.

Sources: sklearn/tree/_tree.pyx (``Tree.__setstate__`` checks shapes and dtypes, ``apply``, ``decision_path``) and
sklearn/tree/_classes.py.
"""

from __future__ import annotations

import functools
import sys
from itertools import chain
from operator import attrgetter, itemgetter, lt, methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.engine.arrays import numpy_module
from safeload.engine.stubs import Stub
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "FINISHERS", "FINISHERS_OF_MANY", "STUBS", "tree_class"]

Key = tuple[str, str]
_TREE: Key = ("sklearn.tree._tree", "Tree")
_LEAF = -1
_NODES_AT_ONCE = 1 << 13
_SMALL_TREE = 64  # nodes
_INDICES = ("left_child", "right_child", "feature")
_NUMBERS = ("node_count", "n_features", "max_depth")
_STATE = {"max_depth", "node_count", "nodes", "values"}
_ITEMS = itemgetter("max_depth", "node_count", "nodes", "values")
_SHAPE, _DTYPE, _BYTES = attrgetter("shape"), attrgetter("dtype"), methodcaller("tobytes")


class TreeStub(Stub):
    """A Tree without its state is a tree of memory that nobody wrote."""

    __slots__ = ()
    what = "sklearn Tree"


class _Trees(NamedTuple):
    """What some trees are made of: of each argument and item of the state a column."""

    features: tuple[int, ...]
    classes: tuple[Any, ...]
    outputs: tuple[int, ...]
    depths: tuple[int, ...]
    counts: tuple[int, ...]
    nodes: tuple[Any, ...]
    values: tuple[Any, ...]


def _tree(stub: Any) -> Any:
    """Checkpoint: ``Tree(n_features, n_classes, n_outputs)`` and its four items."""
    require(type(stub) is TreeStub, _TREE)
    require(_are_trees(_columns([stub.args], [stub.state])), _TREE)
    return _made([stub.args], [stub.state])[0]


def _trees(given: list[Any], states: list[Any]) -> list[Any]:
    """The same for many: a forest has hundreds, and what each costs counts.

    Their nodes are checked here, and not at the end: what was looked at is in the processor's cache when it is copied.
    """
    trees = _columns(given, states)
    require(_are_trees(trees), _TREE)
    _check_many(trees.counts, trees.features, trees.depths, trees.nodes)
    return _made(given, states)


def _made(given: list[Any], states: list[Any]) -> list[Any]:
    made, kind = [], tree_class()
    for args, state in zip(given, states, strict=True):
        tree = kind(*args)  # copies n_classes
        tree.__setstate__(state)  # copies nodes and values, after comparing dtypes and shapes
        made.append(tree)
    return made


def _columns(given: list[Any], states: list[Any]) -> _Trees:
    require(set(map(len, given)) == {3} and set(map(type, states)) == {dict}, _TREE)
    require(all(set(names) == _STATE for names in set(map(tuple, states))), _TREE)
    return _Trees(*zip(*given, strict=True), *zip(*map(_ITEMS, states), strict=True))


def _are_trees(trees: _Trees) -> bool:
    np = numpy_module()
    features, classes, outputs, depths, counts, nodes, values = trees
    numbers, arrays = (features, outputs, depths, counts), (classes, nodes, values)
    if set(map(type, chain(*numbers))) != {int} or set(map(type, chain(*arrays))) != {np.ndarray}:
        return False
    if set(map(_DTYPE, classes)) != {np.dtype("p")} or list(map(_SHAPE, classes)) != list(zip(outputs)):  # one column
        return False
    per_output = [each.tolist() for each in classes]
    return bool(
        0 <= min(features) <= max(features) <= sys.maxsize
        and min(outputs) >= 1
        and min(map(min, per_output)) >= 1
        and list(map(_SHAPE, nodes)) == list(zip(counts))  # one column
        and min(depths) >= 0
        and all(map(lt, depths, counts))  # or a path would be as long as the file says
        # As many values as shape says, so that no allocation is larger than the file.
        and list(map(_SHAPE, values)) == list(zip(counts, outputs, map(max, per_output), strict=True))
    )


@functools.cache
def tree_class() -> Any:
    """An import statement looks the class up each time, and a forest has a thousand trees."""
    from sklearn.tree._tree import Tree

    return Tree


def _check_trees(trees: list[Any]) -> None:
    """The trees that were made one by one."""
    counts, features, depths = ([getattr(tree, name) for tree in trees] for name in _NUMBERS)
    _check_many(counts, features, depths, [tree.__getstate__()["nodes"] for tree in trees])


def _check_many(
    node_counts: Sequence[int], n_features: Sequence[int], depths: Sequence[int], nodes: Sequence[Any]
) -> None:
    """Children behind their parents and inside, features inside, depth as stated."""
    np = numpy_module()
    counts, features = np.array(node_counts), np.array(n_features)
    ends = np.cumsum(counts)
    roots, total = ends - counts, int(ends[-1])
    # Of each node, with children counted over all trees.
    children, inner = np.empty((total, 2), np.int32 if total < 1 << 31 else np.int64), np.empty(total, bool)
    # Memory that is used again for each piece: new one would cost more than what is done in it.
    work = np.empty((len(_INDICES) + 3, max(_NODES_AT_ONCE, int(counts.max()))), np.intp)
    first = 0
    while first < len(nodes):
        # So many that they stay in the processor's cache, or one.
        last = max(int(np.searchsorted(ends, roots[first] + _NODES_AT_ONCE, "right")), first + 1)
        some, part = slice(first, last), slice(roots[first], ends[last - 1])
        numbers = counts[some], features[some], roots[some]
        _check_nodes(nodes[some], numbers, work[:, : part.stop - part.start], children[part], inner[part])
        first = last
    _check_depths(np.array(depths), roots, children, inner)


def _check_nodes(nodes: Sequence[Any], numbers: tuple[Any, Any, Any], work: Any, children: Any, inner: Any) -> None:
    """The nodes of some trees. Fills `children`, where they are among all nodes, and `inner`, which nodes have any."""
    np = numpy_module()
    counts, features, roots = numbers
    left, right, feature, start, behind, room = work
    _gather(nodes, work)
    owner = np.repeat(np.arange(len(nodes)), counts)
    roots.take(owner, out=start)
    np.add(left, start, out=children[:, 0], casting="same_kind")
    np.add(right, start, out=children[:, 1], casting="same_kind")
    # Behind the parent: no cycle, which would be an endless walk. Unsigned, so that one comparison has two ends.
    np.subtract(np.arange(roots[0] + 1, roots[0] + 1 + len(owner)), start, out=behind)
    np.subtract(counts.take(owner, out=room), behind, out=room)
    leaf = np.bitwise_and(left, right, out=start) == _LEAF
    for place in (left, right):
        place -= behind
    np.less(left.view(np.uint), room.view(np.uint), out=inner)
    inner &= right.view(np.uint) < room.view(np.uint)
    inner &= feature.view(np.uint) < features.take(owner, out=room).view(np.uint)
    require(bool((inner | leaf).all()), _TREE)


def _gather(nodes: Sequence[Any], columns: Any) -> None:
    """The three fields of all nodes, into the first three of `columns`."""
    np = numpy_module()
    if columns.shape[1] > _SMALL_TREE * len(nodes):
        for name, column in zip(_INDICES, columns, strict=False):
            np.concatenate([each[name] for each in nodes], out=column)
        return
    # To ask each small tree for each field takes three times as long.
    require(len(set(map(_DTYPE, nodes))) == 1, _TREE)
    together = np.frombuffer(b"".join(map(_BYTES, nodes)), nodes[0].dtype)
    for name, column in zip(_INDICES, columns, strict=False):
        np.copyto(column, together[name])


def _check_depths(stated: Any, roots: Any, children: Any, inner: Any) -> None:
    """``decision_path`` writes one entry a level into ``1 + max_depth`` places."""
    np = numpy_module()
    level, depth, least, seen = roots, 0, int(stated.min()), 0
    while len(level):
        # In a tree each node is reached once; two ways to one node, thirty times over, are a billion.
        seen += len(level)
        require(seen <= len(inner), _TREE)
        if depth > least:
            require(bool((stated[np.searchsorted(roots, level, "right") - 1] >= depth).all()), _TREE)
        level = children.take(level[inner.take(level)], axis=0).ravel()
        depth += 1


STUBS: Mapping[Key, type[Stub]] = {_TREE: TreeStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_TREE: _tree}
FINISHERS_OF_MANY: Mapping[Key, Callable[[list[Any], list[Any]], list[Any]]] = {_TREE: _trees}
CHECKERS: Mapping[Key, Checker] = {_TREE: _check_trees}
