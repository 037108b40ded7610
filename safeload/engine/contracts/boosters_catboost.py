"""catboost: a model is an object of C++, made anew from its bytes.

Source: catboost/core.py (``_CatBoostBase.__setstate__``). The bytes are parsed by C++, which is why only the default
policy holds catboost.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.boosters import ModelStub, state_of
from safeload.engine.contracts.shapes import each
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "FINISHERS", "STUBS", "fill"]

Key = tuple[str, str]
_MODULE = "catboost.core"
_NAMES = ("CatBoost", "CatBoostClassifier", "CatBoostRanker", "CatBoostRegressor")
_MAGIC = b"CBM1"
_DEVIATION = "RMSEWithUncertainty"
# Lists of numbers: of the importance of each feature, and how deep those of the evaluations are nested.
_LISTS: Mapping[str, int] = {
    "_loss_value_change": 1,
    "_prediction_values_change": 1,
    "_test_eval": 2,
    "_test_evals": 3,
}


def _model(key: Key, stub: Any) -> Any:
    """Checkpoint: the state is the parameters by their names, and of a fitted model its bytes and some lists."""
    state = state_of(stub, key)
    require("__model" not in state or _serialised(state["__model"]), key)
    require(all(_nested(state[name], depth) for name, depth in _LISTS.items() if name in state), key)
    # The others become parameters, whatever they are called; a name of Python's own is none.
    require(all(type(name) is str for name in state), key)
    require(not any(name.startswith("_") for name in state.keys() - _LISTS.keys() - {"__model"}), key)
    kind = getattr(importlib.import_module(_MODULE), key[1])
    made = kind.__new__(kind)
    made.__setstate__(state)
    return made


def fill(made: Any, model: bytes) -> Any:
    """Give a model that is not fitted the bytes of one that was. Whatever catboost raises, passes."""
    require(_serialised(model), (type(made).__module__, type(made).__qualname__))
    made.__setstate__({"__model": model})
    return made


def _regressor(state: dict[str, Any]) -> bool:
    """It asks for deviations if its parameters say so: of a model of another loss, C++ reads what is behind it."""
    parameters = state["_init_params"]
    asked = [parameters.get(name) for name in ("loss_function", "objective")]
    if not any(isinstance(loss, str) and loss == _DEVIATION for loss in asked):
        return True
    fitted = state.get("_random_seed") is not None  # what catboost itself asks
    return not fitted or state["_object"]._get_loss_function_name() == _DEVIATION


def _serialised(model: Any) -> bool:
    return type(model) is bytes and model.startswith(_MAGIC)


def _nested(values: Any, depth: int) -> bool:
    """Whether `values` is a list, or for the innermost an array, of numbers."""
    import numpy as np

    if depth == 0:
        return type(values) in (float, int) or isinstance(values, np.floating)
    if depth == 1 and type(values) is np.ndarray:
        return values.ndim == 1 and values.dtype.kind == "f"
    return type(values) is list and all(_nested(value, depth - 1) for value in values)


_KEYS: tuple[Key, ...] = tuple((_MODULE, name) for name in _NAMES)
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(_KEYS, ModelStub)
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {key: partial(_model, key) for key in _KEYS}
CHECKERS: Mapping[Key, Checker] = {(_MODULE, "CatBoostRegressor"): each(_regressor)}
