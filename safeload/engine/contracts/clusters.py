"""Centres and components narrower than the rows that C code compares them with; threads without number.

Sources: sklearn/cluster/_kmeans.py and _k_means_lloyd.pyx (a matrix product that takes its width from X),
_bisect_k_means.py, _birch.py, _hdbscan/_tree.pyx, sklearn/decomposition/_nmf.py and _cdnmf_fast.pyx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.distances import metric_arguments
from safeload.engine.contracts.shapes import array, each, indices, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_THREADS_MAX = 4_096  # OpenMP ends the process if it cannot start them


def _centres(state: dict[str, Any]) -> bool:
    if "cluster_centers_" not in state:
        return True
    threads = state.get("_n_threads", 1)
    return (
        array(state["cluster_centers_"], (None, state["n_features_in_"]), "f")
        and number(threads, 1)
        and threads <= _THREADS_MAX
    )


def _bisected(state: dict[str, Any]) -> bool:
    """Every pair of centres that a row is compared with on its way down has the row's width."""
    if "_bisecting_tree" not in state:
        return True
    waiting, seen = [state["_bisecting_tree"]], 0
    while waiting:
        node = vars(waiting.pop())
        seen += 1
        children = [node[name] for name in ("left", "right") if node.get(name) is not None]
        if not array(node["center"], (state["n_features_in_"],), "f") or len(children) not in (0, 2):
            return False
        if seen > 2 * len(state["cluster_centers_"]):
            return False  # a loop
        waiting += children
    return True


def _linked(state: dict[str, Any]) -> bool:
    """Step i joins two of n points and i groups; ``dbscan_clustering`` walks them in a table of that size."""
    import numpy as np

    tree = state.get("_single_linkage_tree_")
    if tree is None or not array(tree, (None,)):
        return tree is None and metric_arguments(state)
    if not metric_arguments(state):
        return False
    ends = len(tree) + 1 + np.arange(len(tree))
    return all(bool(((tree[side] >= 0) & (tree[side] < ends)).all()) for side in ("left_node", "right_node"))


def _components(state: dict[str, Any]) -> bool:
    """The factors of new rows are as many as components; C code walks both."""
    if "components_" not in state or "_n_components" not in state:
        return True
    return array(state["components_"], (state["_n_components"], state["n_features_in_"]), "f")


def _grouped(state: dict[str, Any]) -> bool:
    """A group of columns has at least one: sums are made for as many groups as the largest number says."""
    if "labels_" not in state or "n_features_in_" not in state:
        return True
    width = state["n_features_in_"]
    return array(state["labels_"], (width,)) and indices(state["labels_"], width)


def _squared(state: dict[str, Any]) -> bool:
    """A squared norm for each centre: C code takes it for given that there are as many."""
    if "_subcluster_norms" not in state:
        return True
    centres = state["subcluster_centers_"]
    return array(centres, (None, state["n_features_in_"]), "f") and array(
        state["_subcluster_norms"], (len(centres),), "f"
    )


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.cluster._agglomerative", "FeatureAgglomeration"): each(_grouped),
    ("sklearn.cluster._birch", "Birch"): each(_squared),
    ("sklearn.cluster._bisect_k_means", "BisectingKMeans"): each(_bisected),
    ("sklearn.cluster._hdbscan.hdbscan", "HDBSCAN"): each(_linked),
    ("sklearn.cluster._kmeans", "_BaseKMeans"): each(_centres),
    ("sklearn.decomposition._nmf", "_BaseNMF"): each(_components),
}
