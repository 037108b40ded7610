"""Small models of xgboost, lightgbm and catboost, and of scikit-learn around them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingRegressor
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from testkit.estimators import CLASSES, TARGETS, VALUES, X

__all__ = ["LIBRARIES", "NAMES", "fitted", "library", "predictions"]

LIBRARIES = ("xgboost", "lightgbm", "catboost")

Models = dict[str, tuple[Any, Any]]

PAIR = np.asarray(CLASSES == 0, dtype=np.int64)
LABELS = np.array(["ash", "beech", "cedar"], dtype=object)[CLASSES]
GROUPS = np.repeat(np.arange(4), len(X) // 4)
FRAME = pandas.DataFrame({"number": X[:, 0], "colour": pandas.Categorical(np.array(["red", "green", "blue"])[CLASSES])})
WORDS = FRAME.astype({"colour": str})
FEW: dict[str, Any] = {"n_estimators": 3, "n_jobs": 1}
QUIET: dict[str, Any] = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}

# The models that the functions below make, so that collecting tests imports none of the libraries.
NAMES: dict[str, tuple[str, ...]] = {
    "xgboost": (
        "early stopping", "two classes", "categories", "ranker", "random forest", "forest of classes", "dropout",
        "linear", "callback", "native", "not fitted", "pipeline", "calibrated", "two outputs", "frozen",
    ),
    "lightgbm": (
        "early stopping", "labels and categories", "linear trees", "continued", "ranker", "quantiles", "random forest",
        "native", "native, kept for training", "from text", "not fitted", "grid search", "selection", "class weights",
    ),
    "catboost": (
        "early stopping", "two evaluations", "categories", "ranker", "base class", "multi-class", "uncertainty",
        "not fitted", "frozen", "pipeline", "random search", "stacking", "voting",
    ),
}  # fmt: skip


def library(name: str) -> Any:
    """The library; where it is not installed the test is skipped, and fails where CI says that all must run."""
    if importlib.util.find_spec(name) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed, and CI runs every test: pip install 'safeload[test]'")
        pytest.skip(f"{name} is not installed: pip install 'safeload[boosters]'")
    return importlib.import_module(name)


@cache
def fitted(name: str) -> Models:
    """What :data:`NAMES` says of a library: the model and what it predicts."""
    for needed in LIBRARIES if name == "catboost" else (name,):
        library(needed)
    # xgboost deprecates what it still has; lightgbm and catboost warn of small data.
    with warnings.catch_warnings(action="ignore"):
        models = {"xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost}[name]()
    assert tuple(models) == NAMES[name]
    return models


def predictions(model: Any, data: Any) -> list[Any]:
    """All that a model says of the data. One that is not fitted says its parameters."""
    names = [name for name in ("predict", "predict_proba", "decision_function", "transform") if hasattr(model, name)]
    parameters = repr(sorted(model.get_params().items(), key=str)) if hasattr(model, "get_params") else ""
    if data is None:
        return [parameters]
    with warnings.catch_warnings(action="ignore"):
        return [np.asarray(getattr(model, name)(data)) for name in names]


def _xgboost() -> Models:
    import xgboost
    from xgboost.sklearn import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

    matrix = xgboost.DMatrix(X, VALUES, feature_names=["a", "b", "c", "d"])
    stopping = xgboost.callback.EarlyStopping(rounds=2, save_best=True)
    watched: dict[str, Any] = {"eval_set": [(X, CLASSES)], "verbose": False}
    return {
        "early stopping": (
            XGBClassifier(**FEW, early_stopping_rounds=2, eval_metric=["mlogloss", "merror"]).fit(
                X, CLASSES, **watched
            ),
            X,
        ),
        "two classes": (XGBClassifier(**FEW).fit(X.astype(np.float32), PAIR), X),
        "categories": (
            XGBRegressor(**FEW, enable_categorical=True, monotone_constraints={"number": 1}).fit(FRAME, VALUES),
            FRAME,
        ),
        "ranker": (XGBRanker(**FEW).fit(X, CLASSES, qid=GROUPS), X),
        "random forest": (XGBRFRegressor(**FEW).fit(X, VALUES), X),
        "forest of classes": (XGBRFClassifier(**FEW).fit(X, CLASSES), X),
        "dropout": (
            XGBRegressor(**FEW, booster="dart", rate_drop=0.1, random_state=np.random.RandomState(0)).fit(X, VALUES),
            X,
        ),
        "linear": (XGBRegressor(**FEW, booster="gblinear").fit(X, VALUES), X),
        "callback": (XGBClassifier(**FEW, callbacks=[stopping]).fit(X, CLASSES, **watched), X),
        "native": (xgboost.train({"max_depth": 2}, matrix, 3, evals=[(matrix, "m")], verbose_eval=False), matrix),
        "not fitted": (XGBClassifier(objective="multi:softprob"), None),
        "pipeline": (make_pipeline(StandardScaler(), XGBClassifier(**FEW)).fit(X, CLASSES), X),
        "calibrated": (CalibratedClassifierCV(XGBClassifier(**FEW), cv=2).fit(X, CLASSES), X),
        "two outputs": (XGBRegressor(**FEW, multi_strategy="multi_output_tree").fit(X, TARGETS), X),
        "frozen": (CalibratedClassifierCV(FrozenEstimator(XGBClassifier(**FEW).fit(X, PAIR)), cv=2).fit(X, PAIR), X),
    }


def _lightgbm() -> Models:
    import lightgbm
    from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor

    few: dict[str, Any] = {**FEW, "verbose": -1, "min_child_samples": 2}
    params = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_child_samples": 2}
    data = lightgbm.Dataset(X, VALUES, params=params, free_raw_data=False)
    first = LGBMRegressor(**few).fit(X, VALUES)
    stopping = [lightgbm.early_stopping(2, verbose=False)]
    # valid data other than those of training: of them the booster keeps its predictions
    native = lightgbm.train(params, data, 3, valid_sets=[data.create_valid(X[:9], VALUES[:9])], feval=_score)
    kept = lightgbm.train(
        params, data, 3, valid_sets=[data.create_valid(X[:9], VALUES[:9])], feval=_score, keep_training_booster=True
    )
    return {
        "early stopping": (
            LGBMClassifier(**few).fit(X, CLASSES, eval_set=[(X, CLASSES)], callbacks=stopping),
            X,
        ),
        "labels and categories": (LGBMClassifier(**few).fit(FRAME, LABELS), FRAME),
        "linear trees": (LGBMRegressor(**few, linear_tree=True).fit(X, VALUES, eval_set=[(X, VALUES)]), X),
        "continued": (LGBMRegressor(**few).fit(X, VALUES, init_model=first), X),
        "ranker": (LGBMRanker(**few).fit(X, CLASSES, group=[len(X) // 4] * 4), X),
        "quantiles": (LGBMRegressor(**few, objective="quantile", alpha=0.9).fit(X, VALUES), X),
        "random forest": (
            LGBMClassifier(**few, boosting_type="rf", subsample=0.5, subsample_freq=1).fit(X, CLASSES),
            X,
        ),
        "native": (native, X),
        "native, kept for training": (kept, X),
        "from text": (lightgbm.Booster(model_str=native.model_to_string()), X),
        "not fitted": (LGBMRegressor(extra_trees=True), None),
        "grid search": (
            GridSearchCV(LGBMClassifier(**few), {"num_leaves": [2, 4]}, cv=2).fit(X, CLASSES),
            X,
        ),
        "selection": (
            make_pipeline(SelectFromModel(LGBMClassifier(**few)), LogisticRegression()).fit(X, CLASSES),
            X,
        ),
        "class weights": (LGBMClassifier(**few, class_weight={0: 1, 1: 2, 2: 3}).fit(X, CLASSES), X),
    }


def _score(predicted: Any, data: Any) -> tuple[str, float, bool]:
    return "mean", float(np.mean(predicted)), True


def _catboost() -> Models:
    from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor, metrics
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier, XGBRegressor

    searched = RandomizedSearchCV(CatBoostClassifier(**QUIET), {"depth": [1, 2]}, n_iter=2, cv=2, random_state=0)
    three = [
        ("x", XGBClassifier(**FEW)),
        ("l", LGBMClassifier(**FEW, verbose=-1)),
        ("c", CatBoostClassifier(**QUIET)),
    ]
    weighed: dict[str, Any] = {"class_weights": {0: 1, 1: 2}, "loss_function": metrics.Logloss()}
    return {
        "early stopping": (
            CatBoostClassifier(**QUIET, early_stopping_rounds=2).fit(X, CLASSES, eval_set=(X, CLASSES)),
            X,
        ),
        "two evaluations": (
            CatBoostClassifier(**QUIET, **weighed, custom_metric=[metrics.AUC()]).fit(
                X, PAIR, eval_set=[(X, PAIR), (X[:9], PAIR[:9])]
            ),
            X,
        ),
        "categories": (CatBoostRegressor(**QUIET, cat_features=["colour"]).fit(WORDS, VALUES), WORDS),
        "ranker": (CatBoostRanker(**QUIET).fit(X, CLASSES, group_id=GROUPS), X),
        "base class": (CatBoost({**QUIET, "loss_function": "RMSE"}).fit(X, VALUES), X),
        "multi-class": (CatBoostClassifier(**QUIET).fit(X, LABELS), X),
        "uncertainty": (CatBoostRegressor(**QUIET, loss_function="RMSEWithUncertainty").fit(X, VALUES), X),
        "not fitted": (CatBoostClassifier(depth=3), None),
        "frozen": (
            CalibratedClassifierCV(FrozenEstimator(CatBoostClassifier(**QUIET).fit(X, PAIR)), cv=2).fit(X, PAIR),
            X,
        ),
        "pipeline": (make_pipeline(StandardScaler(), CatBoostClassifier(**QUIET)).fit(X, CLASSES), X),
        "random search": (searched.fit(X, PAIR), X),
        "stacking": (StackingClassifier(three, cv=2).fit(X, PAIR), X),
        "voting": (
            MultiOutputRegressor(
                VotingRegressor([("x", XGBRegressor(**FEW)), ("c", CatBoostRegressor(**QUIET))]),
            ).fit(X, TARGETS),
            X,
        ),
    }
