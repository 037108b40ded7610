"""Estimators of two classes, or of one output, which answer once for each row: wider answers are laid end to end.

One against the rest takes ``np.ravel(estimator.decision_function(X))``; three columns become rows of a sparse result
that has not as many. So do ``ravel`` in scikit-learn's own ``predict``, and a vote of regressors that transposes.
Sources: sklearn/multiclass.py (``_predict_binary``), linear_model/_base.py, svm/_base.py, ensemble/_gb.py and
_voting.py, neural_network/_multilayer_perceptron.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["is_of_one_column"]

_CLASSES = 2


def _few(value: Any, most: int) -> bool:
    return number(value) and value <= most


def _classes(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.ndarray | list | tuple) and len(value) <= _CLASSES


def _rows(most: int) -> Callable[[Any], bool]:
    """A matrix of at most as many rows, or a vector."""

    def valid(value: Any) -> bool:
        shape: Any = getattr(value, "shape", None)
        return type(shape) is tuple and (len(shape) == 1 or (len(shape) == 2 and shape[0] <= most))

    return valid


def _column(value: Any) -> bool:
    shape: Any = getattr(value, "shape", None)
    return type(shape) is tuple and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1))


def _short(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.ndarray) and value.shape in ((1,), (_CLASSES,))


# What an attribute must be like, where there is one: after a fit to two classes or one output it is.
_ATTRIBUTES: Mapping[str, Callable[[Any], bool]] = {
    "classes_": _classes,
    "n_classes_": lambda value: _few(value, _CLASSES),
    "n_outputs_": lambda value: _few(value, 1),
    "n_trees_per_iteration_": lambda value: _few(value, 1),
    "coef_": _rows(1),
    "_dual_coef_": _rows(1),
    "_n_support": _short,
    "_loss": lambda value: getattr(value, "is_multiclass", False) is False,
}


def is_of_one_column(state: dict[str, Any], name: str) -> bool:
    """Whether an estimator of the class `name` of scikit-learn has these attributes as two classes make them."""
    if not all(valid(state[each]) for each, valid in _ATTRIBUTES.items() if each in state):
        return False
    if name == "OneVsRestClassifier":
        return len(state.get("estimators_", ())) <= 1
    if name.startswith("GradientBoosting") and "estimators_" in state:
        return _column(state["estimators_"])
    if name.startswith("KNeighborsRegressor") and "_y" in state:
        return _column(state["_y"])
    if name.startswith("MLP") and "coefs_" in state:
        layers = state["coefs_"]
        return (
            _few(state["n_layers_"], len(layers) + 1) and state["n_layers_"] == len(layers) + 1 and _column(layers[-1])
        )
    return True
