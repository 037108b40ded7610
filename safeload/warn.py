"""Warnings that point at the caller's line, however deep in the library they are noticed."""

from __future__ import annotations

import sys
import warnings

__all__ = ["EnvironmentWarning", "PolicyWarning", "UnsafeWarning", "warn_caller"]

_PACKAGE = __name__.partition(".")[0]


class EnvironmentWarning(UserWarning):
    """The model was saved with other versions than are installed here."""


class PolicyWarning(UserWarning):
    """What was saved will not load with the default policy alone."""


class UnsafeWarning(UserWarning):
    """A protection was switched off by name."""


def warn_caller(message: str, category: type[Warning]) -> None:
    """`warnings.warn`, attributed to the first frame outside of this package."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(message, category, stacklevel=level)
