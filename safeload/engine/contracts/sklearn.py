"""scikit-learn's losses: Cython constructors that take a number, and one that takes any class."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

from safeload.engine.tokens import closed
from safeload.errors import CodecError
from safeload.policy.allowlist import allow_list
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GUARDS", "MODULE_ALIASES"]

Key = tuple[str, str]

# scikit-learn 1.5 to 1.8 names this module so; a file of that name in the current folder must not be imported.
MODULE_ALIASES: Mapping[str, str] = {"_loss": "sklearn._loss._loss"}

_LOSS_MODULES = ("_loss", "sklearn._loss._loss", "sklearn.linear_model._sgd_fast")


def _odd(key: Key) -> CodecError:
    return CodecError(f"{'.'.join(key)} is called otherwise than scikit-learn calls it")


def _real(key: Key) -> Any:
    module, name = key
    return getattr(importlib.import_module(MODULE_ALIASES.get(module, module)), name)


def _loss(key: Key) -> Callable[..., Any]:
    """A loss takes nothing, or finite numbers."""

    def guard(*args: Any) -> Any:
        if len(args) > 1 or any(type(arg) not in (float, int) or not math.isfinite(arg) for arg in args):
            raise _odd(key)
        return _real(key)(*args)

    return guard


def _unpickle(key: Key) -> Callable[..., Any]:
    """``__pyx_unpickle_X(X, checksum, state)`` instantiates its first argument, whatever that is."""

    def guard(*args: Any) -> Any:
        if len(args) != 3 or type(args[1]) is not int or not _plain_state(args[2]):
            raise _odd(key)
        return _real(key)(closed(args[0], key), *args[1:])

    return guard


def _plain_state(state: Any) -> bool:
    return state is None or (type(state) is tuple and len(state) <= 4 and all(type(item) is float for item in state))


def _loss_guards() -> Mapping[Key, Callable[..., Any]]:
    """Every callable of the loss modules that the allow list names."""
    keys = [key for key, use in allow_list("sklearn").items() if key[0] in _LOSS_MODULES and Use.CALLED in use]
    return {key: (_unpickle if key[1].startswith("__pyx_unpickle_") else _loss)(key) for key in keys}


GUARDS: Mapping[Key, Callable[..., Any]] = _loss_guards()
