"""Names of methods that scikit-learn looks up and calls while it predicts or scores.

``getattr(estimator, name)(X)`` with a name and an estimator of the file's choosing would be any method of any object.
Sources: sklearn/metrics/_scorer.py, sklearn/ensemble/_stacking.py, sklearn/frozen/_frozen.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

_SCORER = ("sklearn.metrics._scorer", "_BaseScorer")
_STACKING = ("sklearn.ensemble._stacking", "_BaseStacking")
_FROZEN = ("sklearn.frozen._frozen", "FrozenEstimator")
_CATBOOST = ("catboost.core", "_CatBoostBase")  # an estimator, and no BaseEstimator
# Of their classes some answer for names that numpy or Python itself looks up.
_LIBRARIES = sys.stdlib_module_names | {"catboost", "joblib", "numpy", "pandas", "safeload", "scipy", "sklearn"}
_NAMES = frozenset(
    {"decision_function", "predict", "predict_log_proba", "predict_proba", "score_samples", "transform", "default"}
)


def _are_names(value: Any) -> bool:
    return all(type(name) is str and name in _NAMES for name in (value if type(value) in (list, tuple) else (value,)))


def _check_scorers(scorers: list[Any]) -> None:
    for scorer in scorers:
        require(_are_names(vars(scorer).get("_response_method", "predict")), _SCORER)


def _check_stacking(models: list[Any]) -> None:
    for model in models:
        state = vars(model)
        require(_are_names(state.get("stack_method_", ())), _STACKING)
        require(state.get("stack_method", "auto") == "auto" or _are_names(state["stack_method"]), _STACKING)


def _check_frozen(models: list[Any]) -> None:
    from sklearn.base import BaseEstimator

    for model in models:
        # It answers for every attribute of what it holds.
        inner = vars(model).get("estimator")
        catboost = any((each.__module__, each.__qualname__) == _CATBOOST for each in type(inner).__mro__)
        require(isinstance(inner, BaseEstimator) or catboost or _is_of_ones_own(inner), _FROZEN)


def _is_of_ones_own(value: Any) -> bool:
    """An estimator of somebody whose class a policy named, and who did not derive it from scikit-learn's."""
    return hasattr(type(value), "fit") and not any(
        each.__module__.partition(".")[0] in _LIBRARIES for each in type(value).__mro__[:-1]
    )


CHECKERS: Mapping[tuple[str, str], Checker] = {
    _SCORER: _check_scorers,
    _STACKING: _check_stacking,
    _FROZEN: _check_frozen,
}
