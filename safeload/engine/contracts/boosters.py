"""What the contracts of xgboost, lightgbm and catboost share: a model is an address in C++ and some attributes."""

from __future__ import annotations

from typing import Any

from safeload.engine.stubs import Stub
from safeload.engine.valid import require

__all__ = ["ModelStub", "state_of"]


class ModelStub(Stub):
    """Without its state, or with an address from the file, nothing may be asked, and nothing may be freed."""

    __slots__ = ()
    what = "booster"

    def __new__(cls, *args: Any) -> ModelStub:  # NEWOBJ does not call __init__
        made = super().__new__(cls)
        made.args = args
        return made


def state_of(stub: Any, key: tuple[str, str]) -> dict[Any, Any]:
    """The state of a `stub` that was made of nothing else: a copy, which the library may change."""
    require(type(stub) is ModelStub and stub.args == () and type(stub.state) is dict, key)
    return dict(stub.state)
