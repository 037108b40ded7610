"""xgboost: a Booster is an address in C++, made anew from the bytes that stand for it.

Sources: xgboost/core.py (``Booster.__setstate__`` takes the length of whatever "handle" is, ``__del__`` frees it) and
xgboost/sklearn.py. The bytes are parsed by ``XGBoosterUnserializeFromBuffer``, which is why only the default policy
holds xgboost.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.boosters import ModelStub, state_of
from safeload.engine.contracts.boosters_ubjson import read_ubjson
from safeload.engine.contracts.boosters_xgboost_trees import is_model
from safeload.engine.contracts.shapes import each, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "FINISHERS", "STUBS", "booster_of"]

Key = tuple[str, str]
_BOOSTER: Key = ("xgboost.core", "Booster")
# An object of UBJSON whose first key has a length of 8 bytes: what xgboost writes since 1.6. Its C++ also takes JSON
# and a format of older versions.
_MAGIC = b"{L"
_CLASSES_MAX = 1 << 20


def _booster(stub: Any) -> Any:
    """Checkpoint: the state is the model's bytes and nothing else."""
    from xgboost.core import Booster

    state = state_of(stub, _BOOSTER)
    require(state.keys() == {"handle"}, _BOOSTER)
    buffer = state["handle"]
    require(type(buffer) is bytearray and buffer.startswith(_MAGIC), _BOOSTER)
    halves = _document(buffer)
    require(type(halves) is dict and halves.keys() == {"Config", "Model"} and is_model(halves["Model"]), _BOOSTER)
    del halves  # whose arrays are on the buffer
    made = Booster.__new__(Booster)
    made.__setstate__(state)
    # C++ has its own copy. Given to a second Booster, a megabyte of the file would become a megabyte each time.
    buffer.clear()
    return made


def booster_of(model: bytearray, config: str | None) -> Any:
    """A Booster of a model as ``save_raw`` writes it, UBJSON or JSON, and of what ``save_config`` says of its training:
    the two halves of what :func:`_booster` is given. Whatever xgboost raises, passes."""
    from xgboost.core import Booster

    require(is_model(_document(model)), _BOOSTER)
    require(config is None or (type(config) is str and type(_document(config)) is dict), _BOOSTER)
    made = Booster(model_file=model)
    model.clear()  # C++ has its own copy
    if config is not None:
        made.load_config(config)
    return made


def _document(data: bytearray | str) -> Any:
    """What UBJSON or JSON says, if it is neither cut off nor so deep that the C++ would end its stack; else None."""
    try:
        if type(data) is bytearray and data.startswith(_MAGIC):
            return read_ubjson(data)
        return json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")  # and who knows which of the two counts
    return found


def _estimator(state: dict[str, Any]) -> bool:
    """Whatever stands for the Booster has its methods called; ``classes_`` are as many numbers as it says."""
    from xgboost.core import Booster

    if "_Booster" in state and not isinstance(state["_Booster"], Booster):
        return False
    classes = state.get("n_classes_", 0)
    return number(classes) and bool(classes <= _CLASSES_MAX)


STUBS: Mapping[Key, type[Stub]] = {_BOOSTER: ModelStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {_BOOSTER: _booster}
CHECKERS: Mapping[Key, Checker] = {("xgboost.sklearn", "XGBModel"): each(_estimator)}
