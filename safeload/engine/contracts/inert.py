"""What ``getattr`` answers with, where a contract makes the method anew: it can do nothing."""

from __future__ import annotations

from typing import Any

from safeload.engine.valid import require
from safeload.errors import CodecError
from safeload.policy.allowlist import allow_list, confined

__all__ = ["KEPT", "Inert", "boosting_method", "interpolator_method", "text_method"]

KEPT = "_raw_predict"
_TEXT = ("builtins", "str")
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"
_ONE = ("scipy.interpolate._interpolate", "interp1d")


class Inert:
    """The method that an object keeps of itself or its class: what the file has is good for nothing."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise CodecError("a method of a scipy object stands where it has no place")


def interpolator_method(*args: Any) -> Inert:
    """``getattr(interp1d, "_call_linear")``, as protocols 2 and 3 have it: the constructor chooses it anew."""
    module, name = _ONE
    require(len(args) == 2 and type(args[1]) is str and (module, f"{name}.{args[1]}") in allow_list("scipy"), _ONE)
    return Inert()


def text_method(*args: Any) -> Any:
    """``getattr(str, "split")``: a function of texts, of a closed set."""
    path = ("builtins.getattr.builtins.str", args[1]) if len(args) == 2 and type(args[1]) is str else None
    require(path in confined(), _TEXT)
    return getattr(str, args[1])


def boosting_method(model: Any) -> Inert:
    """``getattr(model, "_raw_predict")``, which a model keeps of itself after early stopping by a score."""
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting

    require(isinstance(model, BaseHistGradientBoosting), (_BOOSTING, "BaseHistGradientBoosting"))
    return Inert()
