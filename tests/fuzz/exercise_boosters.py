"""What someone asks of a model of xgboost, lightgbm or catboost: answers of all kinds, its trees, its text, a copy."""

from __future__ import annotations

import copy
import itertools
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fuzz.asking import asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Use = tuple[str, Callable[[], Any]]

__all__ = ["uses_of_booster"]

_METHODS = (
    "predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "apply", "calc_leaf_indexes",
    "staged_predict", "staged_predict_proba", "get_feature_importance", "virtual_ensembles_predict",
)  # fmt: skip
_ATTRIBUTES = (
    "feature_importances_", "feature_names_in_", "feature_name_", "feature_names_", "n_features_in_", "n_features_",
    "classes_", "best_iteration", "best_score", "best_iteration_", "best_score_", "evals_result_", "objective_",
    "coef_", "intercept_", "tree_count_", "n_estimators_", "n_classes_", "learning_rate_", "feature_types",
    "feature_names",
    "random_seed_", "loss_function_", "scale_and_bias",
)  # fmt: skip
_CALLED = (
    "get_params", "get_xgb_params", "get_all_params", "evals_result", "get_evals_result", "get_test_eval", "get_n_leaf",
    "get_num_boosting_rounds", "get_best_score", "get_tree_leaf_counts", "get_leaf_values", "get_leaf_weights",
    "attributes", "get_dump", "get_fscore", "get_score", "trees_to_dataframe", "save_config", "num_features",
    "num_boosted_rounds",
        "num_trees", "num_model_per_iteration", "model_to_string", "dump_model", "feature_importance", "feature_name",
    "num_feature", "upper_bound", "lower_bound", "copy", "save_raw", "get_feature_importance", "is_fitted",
    "free_dataset", "eval_train", "eval_valid", "__copy__", "reset", "get_cat_feature_indices", "get_categories",
)  # fmt: skip
_SWITCHES: tuple[dict[str, Any], ...] = (
    {"pred_leaf": True}, {"pred_contrib": True}, {"pred_contribs": True}, {"pred_interactions": True},
    {"raw_score": True}, {"output_margin": True}, {"num_iteration": 2}, {"start_iteration": 1}, {"ntree_end": 1},
    {"iteration_range": (0, 2)}, {"prediction_type": "RawFormulaVal"}, {"prediction_type": "Probability"},
    {"prediction_type": "Exponent"}, {"validate_features": False}, {"thread_count": 1},
    {"predict_disable_shape_check": True},
)  # fmt: skip
_ITEMS_MAX = 20


def uses_of_booster(model: Any, data: Any) -> Iterator[Use]:
    rows = _matrix(model, data)
    for name in _METHODS if data is not None else ():
        yield name, partial(asked, model, name, _narrowed(model, data) if name == "apply" else rows)
    for switches in _SWITCHES if data is not None else ():
        yield f"predict, {switches}", partial(asked, model, "predict", rows, **switches)
    if isinstance(data, np.ndarray):
        yield "few", lambda: model.predict(_matrix(model, data[:1].astype(np.float32)))
        yield "narrow", lambda: model.predict(_matrix(model, data[:, :1]))
        yield "wide", lambda: model.predict(_matrix(model, np.hstack((data, data))))
        yield "in place", lambda: model.inplace_predict(data)
    for name in (*_ATTRIBUTES, *_CALLED):
        yield name, partial(asked, model, name)
    yield "one value", lambda: (model.get_leaf_output(0, 0), model.get_split_value_histogram(0))
    yield "slice", lambda: (model[0:1].predict(rows), list(itertools.islice(model, _ITEMS_MAX)))
    yield "copied", lambda: copy.deepcopy(model).predict(rows)
    yield "written", lambda: pickle.loads(pickle.dumps(model)).predict(rows)
    inner = getattr(model, "__dict__", {}).get("_Booster")
    if inner is not None:
        yield from uses_of_booster(inner, data)


def _matrix(model: Any, data: Any) -> Any:
    """xgboost's own Booster takes its own matrix."""
    if type(model).__module__ != "xgboost.core" or data is None:
        return data
    import xgboost

    names, data = getattr(model, "feature_names", None), _narrowed(model, data)
    try:
        return xgboost.DMatrix(data, feature_names=names, enable_categorical=True)
    except ValueError:
        return xgboost.DMatrix(data, enable_categorical=True)


def _narrowed(model: Any, data: Any) -> Any:
    """No more columns than the model has: of more, xgboost 3.2 writes elsewhere, whatever file it comes from."""
    if not type(model).__module__.startswith("xgboost"):
        return data
    try:
        width = model.num_features() if hasattr(model, "num_features") else model.n_features_in_
    except Exception:  # it is not fitted
        return data
    return data[:, :width] if isinstance(data, np.ndarray) else data.iloc[:, :width]
