"""xgboost: a Booster is an address in C++, made anew from the bytes that stand for it.

Sources: xgboost/core.py (``Booster.__setstate__`` takes the length of whatever "handle" is, ``__del__`` frees it) and
xgboost/sklearn.py. The bytes are parsed by ``XGBoosterUnserializeFromBuffer``, which is why only the default policy
holds xgboost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.boosters import ModelStub, state_of
from safeload.engine.contracts.shapes import each, number
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "FINISHERS", "STUBS"]

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
    made = Booster.__new__(Booster)
    made.__setstate__(state)
    # C++ has its own copy. Given to a second Booster, a megabyte of the file would become a megabyte each time.
    buffer.clear()
    return made


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
