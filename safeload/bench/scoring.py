"""How good the answers are: by the model's own score where it has one."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

__all__ = ["score_of"]

_MEASURES = {
    "ClassifierMixin.score": "accuracy",
    "RegressorMixin.score": "R^2",
    "CatBoostClassifier.score": "accuracy",
    "CatBoostRegressor.score": "R^2",
}
_TWO = {0, 1}


def score_of(model: Any, data: Any, targets: Any, answer: Any) -> tuple[str, float | None]:
    """What is measured, and how much of it; None for no number. `answer` is what the model said.

    A model of None is one that is not to be asked: the answer counts. Raises whatever the model raises.
    """
    if callable(getattr(model, "score", None)) and hasattr(model, "predict"):
        name, score = _measure(model), float(model.score(data, targets))
    elif (labels := _labels(model, data, answer)) is not None:
        name, score = "accuracy", _share_alike(labels, targets)
    else:
        name, score = _of_answer(answer[0] if isinstance(answer, (list, tuple)) else answer, targets)
    return name, score if math.isfinite(score) else None  # of R^2 for one sample; JSON has no NaN


def _measure(model: Any) -> str:
    while hasattr(model, "_final_estimator"):  # a pipeline is what its last step is
        model = model._final_estimator
    return _MEASURES.get(getattr(type(model).score, "__qualname__", ""), "score")


def _labels(model: Any, data: Any, answer: Any) -> Any:
    """What a classifier of a library's own predicts, where its answer is something else or more; None for others."""
    import numpy as np

    pypmml, catboost, xgboost = (sys.modules.get(name) for name in ("pypmml", "catboost", "xgboost"))
    if pypmml is not None and isinstance(model, pypmml.Model) and model.functionName == "classification":
        # A column for each probability, and one for the label.
        places = [place for place, field in enumerate(model.outputFields) if field.feature == "predictedValue"]
        columns = np.asarray(answer, object).reshape(len(data), -1)
        return columns[:, places[0]] if len(places) == 1 else None
    if catboost is not None and type(model) is catboost.CatBoost and len(model.classes_):
        return model.predict(data, prediction_type="Class")  # it answers with what each class weighs
    if xgboost is not None and isinstance(model, xgboost.Booster):
        objective = json.loads(model.save_config())["learner"]["objective"]["name"]
        return answer if objective == "multi:softmax" else None
    return None


def _share_alike(said: Any, wanted: Any) -> float:
    """How much of them is the same label. Documents write numbers as text, and their evaluators as floats."""
    import numpy as np

    pair = [np.asarray(labels).ravel() for labels in (said, wanted)]
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"{pair[0].size:,} answers cannot be held against {pair[1].size:,} targets")
    try:
        said, wanted = (labels.astype("f8") for labels in pair)
    except (TypeError, ValueError):
        said, wanted = (labels.astype("U") for labels in pair)
    return float(np.mean(said == wanted))


def _of_answer(answer: Any, targets: Any) -> tuple[str, float]:
    """Accuracy for labels, and for what can only be probabilities of labels; R^2 for all else."""
    import numpy as np

    said, wanted = np.asarray(answer), np.asarray(targets).ravel()
    if wanted.dtype.kind in "iub" and said.dtype.kind == "f":
        if said.ndim == 2 and said.shape[1] > 1:
            if wanted.min() < 0 or wanted.max() >= said.shape[1]:
                raise ValueError(f"{said.shape[1]} columns stand for labels other than 0 to {said.shape[1] - 1}")
            said, wanted = said.argmax(axis=1), wanted.astype("i8")
        elif set(np.unique(wanted)) <= _TWO and said.min() >= 0 and said.max() <= 1:
            said, wanted = (said.ravel() > 0.5).astype("i8"), wanted.astype("i8")
    said = said.ravel()
    if said.shape != wanted.shape:
        raise ValueError(f"{said.size:,} answers cannot be held against {wanted.size:,} targets")
    if said.dtype.kind != "f":
        return "accuracy", float(np.mean(said == wanted))
    off, apart = wanted - said, wanted - wanted.mean()
    spread = float(apart @ apart)
    return "R^2", 1 - float(off @ off) / spread if spread else 0.0
