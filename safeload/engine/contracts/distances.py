"""What goes with a distance into C code that compares nothing.

Sources: scipy/spatial/distance.py (``_validate_mahalanobis_kwargs`` takes ``VI`` of any size; what ``seuclidean`` and
``minkowski`` take is compared), sklearn/covariance/_empirical_covariance.py (``mahalanobis``, which ``predict`` of
outliers asks), sklearn/metrics/_pairwise_distances_reduction (norms of the points).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "metric_arguments"]

Key = tuple[str, str]
_NORMS = frozenset({"X_norm_squared", "Y_norm_squared"})
_GIVEN = ("metric_params", "effective_metric_params_")
# Estimators with `metric_params` that have no other checks: they measure while they are fitted, maybe once more.
_MEASURING: tuple[Key, ...] = (
    ("sklearn.cluster._dbscan", "DBSCAN"),
    ("sklearn.cluster._optics", "OPTICS"),
    ("sklearn.manifold._classical_mds", "ClassicalMDS"),
    ("sklearn.manifold._isomap", "Isomap"),
    ("sklearn.manifold._mds", "MDS"),
    ("sklearn.manifold._t_sne", "TSNE"),
    ("sklearn.neighbors._kde", "KernelDensity"),
)


def metric_arguments(state: dict[str, Any], width: Any = None) -> bool:
    """Whether the arguments of the metric fit `width` features, or as many as the estimator was fitted on.

    No norms for the Euclidean distance, of which it is taken for granted that there are as many as points; and for the
    Mahalanobis distance no matrix for data that nobody knows yet.
    """
    features = state.get("n_features_in_") if width is None else width
    return all(_fits(state[name], features) for name in _GIVEN if state.get(name) is not None)


def _fits(given: Any, width: Any) -> bool:
    if type(given) is not dict or given.keys() & _NORMS:
        return False
    return given.get("VI") is None or (width is not None and array(given["VI"], (width, width), "f"))


def _covariance(state: dict[str, Any]) -> bool:
    """The precision, or what it is computed of, has a row and a column for each feature of the location."""
    if "location_" not in state:
        return True
    if not array(state["location_"], (None,)):
        return False
    square = state["location_"].shape * 2
    return all(array(state[name], square) for name in ("covariance_", "precision_") if state.get(name) is not None)


CHECKERS: Mapping[Key, Checker] = {
    **dict.fromkeys(_MEASURING, each(metric_arguments)),
    ("sklearn.covariance._empirical_covariance", "EmpiricalCovariance"): each(_covariance),
}
