"""HistGradientBoosting: nodes and bitsets that C code follows without looking.

Sources: sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx (``_predict_one_from_raw_data``), binning.py
(``make_known_categories_bitsets``) and gradient_boosting.py (``_preprocess_X``, ``_raw_predict``).
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.inert import KEPT, Inert
from safeload.engine.contracts.shapes import array, arrays, each, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]

Key = tuple[str, str]
_PACKAGE = "sklearn.ensemble._hist_gradient_boosting"
_PREDICTOR: Key = (f"{_PACKAGE}.predictor", "TreePredictor")
_BITSET = 8  # words of 32 bits


def _check_predictors(predictors: list[Any]) -> None:
    """All trees of a file at once: children behind their parents and inside, bitsets where categories are split."""
    import numpy as np
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    states = [vars(one) for one in predictors]
    nodes = [state["nodes"] for state in states]
    require(arrays(nodes, 1, lambda dtype: dtype == PREDICTOR_RECORD_DTYPE) and all(map(len, nodes)), _PREDICTOR)
    rows = _bitset_rows(states)
    counts = np.array([*map(len, nodes)])
    every = _joined(nodes)
    owner = np.repeat(np.arange(len(nodes)), counts)
    own = np.arange(len(every)) - np.repeat(np.cumsum(counts) - counts, counts)
    inner = every["is_leaf"] == 0
    for name in ("left", "right"):
        child = every[name][inner]
        # Behind the parent: no cycle, which would be an endless walk.
        require(bool(((child > own[inner]) & (child < counts[owner[inner]])).all()), _PREDICTOR)
    split = inner & (every["is_categorical"] != 0)
    require(bool((every["bitset_idx"][split] < rows[owner[split]]).all()), _PREDICTOR)


def _joined(nodes: list[Any]) -> Any:
    """One array of all records; as bytes, since numpy joins records field by field."""
    import numpy as np

    if not nodes:
        return np.empty(0, [("feature_idx", "i8"), ("is_leaf", "u1"), ("is_categorical", "u1")])
    return np.frombuffer(b"".join([one.tobytes() for one in nodes]), nodes[0].dtype)


def _bitset_rows(states: list[dict[str, Any]]) -> Any:
    """How many bitsets each has, in the shorter of the two tables."""
    import numpy as np

    binned, raw = ([state[name] for state in states] for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets"))
    every = [*binned, *raw]
    require(arrays(every, 2, lambda dtype: dtype.kind == "u" and dtype.itemsize == 4), _PREDICTOR)
    require({shape[1] for shape in {*map(attrgetter("shape"), every)}} <= {_BITSET}, _PREDICTOR)
    return np.minimum([*map(len, binned)], [*map(len, raw)])


def _binned(state: dict[str, Any]) -> bool:
    """One array of thresholds a feature, and for a feature of categories the categories themselves."""
    if "bin_thresholds_" not in state:
        return True
    thresholds = state["bin_thresholds_"]
    if type(thresholds) is not list:
        return False
    width = len(thresholds)
    return (
        array(state["is_categorical_"], (width,), "u")
        and array(state["n_bins_non_missing_"], (width,), "u")
        and number(state["missing_values_bin_idx_"])
        and state["missing_values_bin_idx_"] <= 255
        and all(array(one, (None,), "f") and len(one) <= 256 for one in thresholds)
    )


def _histograms(state: dict[str, Any]) -> bool:
    """Features and columns of the trees against those of the model."""
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    if "_predictors" not in state:
        return True
    if state.get("_in_fit", False):  # X would be taken for bins, and not be validated
        return False
    width, trees = state["n_features_in_"], state["n_trees_per_iteration_"]
    rounds = state["_predictors"]
    if type(rounds) is not list or not all(type(one) is list and len(one) == trees for one in rounds):
        return False
    predictors = [one for each_round in rounds for one in each_round]
    categorical = vars(state["_bin_mapper"])["is_categorical_"]
    return (
        all(isinstance(one, TreePredictor) for one in predictors)
        and _columns(state, trees)
        and array(categorical, (width,), "u")
        and _features([vars(one)["nodes"] for one in predictors], width, categorical)
        and _preprocessed(state.get("_preprocessor"), width)
    )


def _columns(state: dict[str, Any], trees: Any) -> bool:
    """Predicting allocates a column for each tree of a round: no more of them than classes."""
    classes = state.get("classes_")
    wanted = 1 if classes is None or len(classes) <= 2 else len(classes)
    base = state["_baseline_prediction"]
    return trees == wanted and (array(base, (), "f") or array(base, (1, wanted), "f"))


def _features(nodes: list[Any], width: int, categorical: Any) -> bool:
    """Each split is at a feature that exists, and a split by category at one that has categories."""
    every = _joined(nodes)
    inner = every["is_leaf"] == 0
    feature = every["feature_idx"][inner]
    if not bool(((feature >= 0) & (feature < width)).all()):
        return False
    return bool(categorical[feature[every["is_categorical"][inner] != 0]].all())


def _preprocessed(preprocessor: Any, width: int) -> bool:
    """Where columns of categories are encoded before, nothing compares how many columns come out."""
    from sklearn.compose import ColumnTransformer

    if preprocessor is None:
        return True
    if type(preprocessor) is not ColumnTransformer:
        return False
    parts = vars(preprocessor)["transformers_"]
    chosen = {name: mask for name, _, mask in parts if name in ("encoder", "numerical")}
    return (
        vars(preprocessor)["n_features_in_"] == width
        and len(parts) - len(chosen) <= 1
        and all(array(mask, (width,), "b") for mask in chosen.values())
        and sum(int(mask.sum()) for mask in chosen.values()) == width
        and all(_keeps_width(name, transformer) for name, transformer, _ in parts)
    )


def _keeps_width(name: str, transformer: Any) -> bool:
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
    from sklearn.utils.validation import check_array

    if name == "encoder":
        return type(transformer) in (OrdinalEncoder, str)  # "drop" where no column is chosen
    if name == "numerical" and type(transformer) is FunctionTransformer:
        func = vars(transformer)["func"]
        return type(func) is partial and func.func is check_array
    return name in ("numerical", "remainder") and transformer == "drop"


def _check_histograms(models: list[Any]) -> None:
    each(_histograms)(models)
    for model in models:
        if type(vars(model).get(KEPT)) is Inert:  # the class has it anyway
            delattr(model, KEPT)


CHECKERS: Mapping[Key, Checker] = {
    _PREDICTOR: _check_predictors,
    (f"{_PACKAGE}.binning", "_BinMapper"): each(_binned),
    (f"{_PACKAGE}.gradient_boosting", "BaseHistGradientBoosting"): _check_histograms,
}
