"""Estimators of neighbours: the points they were fitted on, the tree of these points, and their labels.

Sources: sklearn/neighbors/_base.py (``kneighbors`` compares its argument with 0, and not its attribute),
sklearn/metrics/_pairwise_distances_reduction (``ArgKminClassMode`` counts labels in a table as wide as ``classes_``,
without looking).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.distances import metric_arguments
from safeload.engine.contracts.shapes import array, each, indices, is_word, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_METHODS = {"ball_tree": "BallTree", "kd_tree": "KDTree"}


def _fitted(state: dict[str, Any]) -> bool:
    """The columns of a graph of neighbours are ``n_samples_fit_``, its indices those of the points."""
    import numpy as np
    from scipy import sparse

    if "_fit_X" not in state:
        return metric_arguments(state)
    points, method = state["_fit_X"], state["_fit_method"]
    if not (array(points, (None, None)) or (sparse.issparse(points) and points.ndim == 2)):
        return False
    rows, width = points.shape
    if not (number(state["n_samples_fit_"]) and state["n_samples_fit_"] == rows and _same_width(state, width)):
        return False
    wanted = state.get("n_neighbors")
    if not (wanted is None or number(wanted, 1)):  # of none at all the first is written nevertheless
        return False
    if not metric_arguments(state, width):
        return False
    if method == "brute":
        return state["_tree"] is None
    tree = state["_tree"]
    kind = _METHODS.get(method) if is_word(method) else None
    return kind == type(tree).__name__ and np.asarray(tree.data).shape == (rows, width)


def _same_width(state: dict[str, Any], width: int) -> bool:
    return bool(state.get("n_features_in_", width) == width)


def _labelled(state: dict[str, Any]) -> bool:
    """A label for each point, each a place in ``classes_``."""
    if "_y" not in state or "_fit_X" not in state:
        return True
    labels, classes, rows = state["_y"], state["classes_"], state["_fit_X"].shape[0]
    if state["outputs_2d_"]:
        return (
            type(classes) is list
            and array(labels, (rows, len(classes)), "iu")
            and all(indices(column, len(one)) for column, one in zip(labels.T, classes, strict=True))
        )
    return array(labels, (rows,)) and array(classes, (None,)) and indices(labels, len(classes))


CHECKERS: Mapping[Key, Checker] = {
    ("sklearn.neighbors._base", "NeighborsBase"): each(_fitted),
    ("sklearn.neighbors._classification", "KNeighborsClassifier"): each(_labelled),
    ("sklearn.neighbors._classification", "RadiusNeighborsClassifier"): each(_labelled),
}
