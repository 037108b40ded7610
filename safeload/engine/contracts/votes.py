"""Classifiers that vote: their answers are counted in a table as wide as the largest of them.

Source: sklearn/ensemble/_voting.py (``predict`` gives ``numpy.bincount`` the predictions of each member).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import each, indices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_INNER = ("best_estimator_", "estimator_", "estimator")
_DEPTH_MAX = 20


def _classes_of(member: Any) -> Any:
    """The classes that a member says: its own, or those of the last step, or of what it holds."""
    for _ in range(_DEPTH_MAX):
        state = getattr(member, "__dict__", {})
        if "classes_" in state:
            return state["classes_"]
        steps = state.get("steps")
        if type(steps) is list and steps and type(steps[-1]) is tuple:
            member = steps[-1][-1]
        else:
            member = next((state[name] for name in _INNER if name in state), None)
    return None


def _votes(state: dict[str, Any]) -> bool:
    """Members predict places in ``classes_``."""
    if "estimators_" not in state or state.get("voting") == "soft":
        return True
    said = [_classes_of(member) for member in state["estimators_"]]
    return all(classes is None or indices(classes, len(state["classes_"])) for classes in said)


CHECKERS: Mapping[Key, Checker] = {("sklearn.ensemble._voting", "VotingClassifier"): each(_votes)}
