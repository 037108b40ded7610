"""Attributes that take a method's place: a state that names ``_validate_X_predict`` decides what predicting checks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import key_of
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS"]


def _check_names(estimators: list[Any]) -> None:
    for one in estimators:
        kind: Any = type(one)
        require(_methods(kind).isdisjoint(vars(one)), key_of(one))


@functools.cache
def _methods(cls: Any) -> frozenset[str]:
    """What an attribute would hide. A property is not hidden, and older versions kept some of their values."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("sklearn.")]
    return frozenset(
        name for base in ours for name, value in vars(base).items() if hasattr(value, "__get__") and not _keeps(value)
    )


def _keeps(value: Any) -> bool:
    return hasattr(value, "__set__")


CHECKERS: Mapping[tuple[str, str], Checker] = {("sklearn.base", "BaseEstimator"): _check_names}
