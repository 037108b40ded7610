"""lightgbm: a Booster is an address in C++, made anew from the text of its model.

Sources: lightgbm/basic.py (``Booster.__setstate__`` keeps whatever the state says besides the text, ``__del__`` frees
"_handle"; that of ``_InnerPredictor`` frees one that comes from its state) and lightgbm/sklearn.py. The text is parsed
by ``LGBM_BoosterLoadModelFromString``, which is why only the default policy holds lightgbm.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.boosters import ModelStub, state_of
from safeload.engine.contracts.boosters_lightgbm_text import is_model
from safeload.engine.contracts.shapes import each, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "FINISHERS", "STUBS", "booster_of_text", "kept_of"]

Key = tuple[str, str]
_BOOSTER: Key = ("lightgbm.basic", "Booster")
_PREDICTOR: Key = ("lightgbm.basic", "_InnerPredictor")
# The model's text; version 3 says "handle".
_HANDLES = {"_handle", "handle"}
_MAGIC = "tree\n"
# What a loaded Booster keeps, and its type.
_KEPT: Mapping[str, tuple[type, ...]] = {
    "_Booster__num_class": (int,),
    "_Booster__set_objective_to_none": (bool,),
    "_train_data_name": (str,),
    "best_iteration": (int,),
    "best_score": (dict, defaultdict, OrderedDict),
    "name_valid_sets": (list,),
    "pandas_categorical": (list, type(None)),
    "params": (dict,),
    "train_set_version": (int,),
}
# What belongs to the network and to the data sets of training, which are not there any more, is as Booster.free_dataset
# leaves it: C code writes into "inner_predict_buffer" as much as a data set has rows.
_RESET: Mapping[str, Any] = {
    "_Booster__init_predictor": None,
    "_Booster__need_reload_eval_info": True,
    "_Booster__num_dataset": 0,
    "_network": False,
}
_EMPTIED = {"_Booster__inner_predict_buffer", "_Booster__is_predicted_cur_iter"}
_DROPPED = {
    "_Booster__attr", "_Booster__higher_better_inner_eval", "_Booster__name_inner_eval", "_Booster__num_inner_eval",
    "network",
}  # fmt: skip
# Its address, and the data of training.
_NEVER_PICKLED = {"_handle", "train_set", "valid_sets"}
_KNOWN = _KEPT.keys() | _RESET.keys() | _EMPTIED | _DROPPED
_OF_PREDICTOR = {
    "_InnerPredictor__is_manage_handle", "num_class", "num_total_iteration", "pandas_categorical", "pred_parameter",
}  # fmt: skip
_THREADS = {"n_jobs", "nthread", "nthreads", "num_thread", "num_threads"}
_THREADS_MAX = 1_024
# They reach C++ at predict, which takes half a minute for 40,000 classes, and for twice as many four times as long.
_CLASSES = ("num_class", "num_classes")


def _booster(stub: Any) -> Any:
    """Checkpoint: the model's text, and what is said about it."""
    return _made(state_of(stub, _BOOSTER))


def kept_of(booster: Any) -> dict[str, Any] | None:
    """What is said about a Booster besides its text and what is not kept; None if more is said than is known here."""
    state = {name: value for name, value in vars(booster).items() if name not in _NEVER_PICKLED}
    return {name: state[name] for name in state if name in _KEPT} if state.keys() <= _KNOWN else None


def booster_of_text(text: str, kept: dict[str, Any] | None) -> Any:
    """A Booster of its text, and of what :func:`kept_of` said about it. Whatever lightgbm raises, passes."""
    from lightgbm.basic import Booster

    if kept is not None:
        require(type(kept) is dict and not kept.keys() & _HANDLES, _BOOSTER)
        return _made({**kept, "_handle": text})
    require(text.startswith(_MAGIC) and is_model(text), _BOOSTER)
    return Booster(model_str=text)


def _made(state: dict[str, Any]) -> Any:
    from lightgbm.basic import Booster

    handles = state.keys() & _HANDLES
    require(len(handles) == 1 and state.keys() - handles <= _KNOWN, _BOOSTER)
    text = state[handles.pop()]
    require(type(text) is str and text.startswith(_MAGIC) and is_model(text), _BOOSTER)
    kept = {name: state[name] for name in state if name in _KEPT}
    require(all(type(value) in _KEPT[name] for name, value in kept.items()), _BOOSTER)
    require(all(type(categories) is list for categories in kept.get("pandas_categorical") or ()), _BOOSTER)
    made = Booster.__new__(Booster)
    made.__setstate__({**kept, **_RESET, **{name: [] for name in _EMPTIED}, "_handle": text})
    return made


def _predictor(stub: Any) -> Any:
    """Checkpoint: the model that training went on from, of which nothing is left."""
    from lightgbm.basic import _InnerPredictor

    require(state_of(stub, _PREDICTOR).keys() <= _OF_PREDICTOR, _PREDICTOR)
    return _InnerPredictor.__new__(_InnerPredictor)


def _estimator(state: dict[str, Any]) -> bool:
    """Its Booster is one, of as many features and classes; no more threads are asked for than a process can start."""
    from lightgbm.basic import Booster

    booster, others, width = state.get("_Booster"), state.get("_other_params", {}), state.get("_n_features")
    if type(others) is not dict or not all(_threads(some.get(name)) for some in (state, others) for name in _THREADS):
        return False
    if booster is None:
        return True
    if not isinstance(booster, Booster) or not number(width) or booster.num_feature() != width:
        return False
    most = max(2, booster.num_model_per_iteration())
    wanted = (state.get("_n_classes"), *(some.get(name) for some in (state, others) for name in _CLASSES))
    return all(many is None or (number(many, -1) and bool(many <= most)) for many in wanted)


def _threads(wanted: Any) -> bool:
    return wanted is None or (number(wanted, -_THREADS_MAX) and bool(wanted <= _THREADS_MAX))


def _has_model(state: dict[str, Any]) -> bool:
    """A class derived from Booster is made by lightgbm itself: without a model it crashes at predict."""
    handle = state.get("_handle")
    return type(handle) is ctypes.c_void_p and bool(handle.value)


STUBS: Mapping[Key, type[Stub]] = dict.fromkeys((_BOOSTER, _PREDICTOR), ModelStub)
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_BOOSTER: _booster, _PREDICTOR: _predictor}
CHECKERS: Mapping[Key, Checker] = {
    _BOOSTER: each(_has_model),
    ("lightgbm.sklearn", "LGBMModel"): each(_estimator),
}
