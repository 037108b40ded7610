"""Pickles of real objects whose reduction was changed on the way: what an attacker with a valid file would edit."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from joblib.numpy_pickle import NumpyPickler

if TYPE_CHECKING:
    from collections.abc import Callable

    Reduction = tuple[Any, ...]
    Change = Callable[[Reduction], Reduction]

__all__ = ["forged", "forged_joblib", "with_state"]


def forged(value: object, kind: type, change: Change, protocol: int = 4) -> bytes:
    """`value` as pickle writes it, but each object of type `kind` as `change` makes it of its reduction."""
    buffer = io.BytesIO()
    _Forger(buffer, protocol, kind, change).dump(value)
    return buffer.getvalue()


def forged_joblib(value: object, kind: type, change: Change, protocol: int = 4) -> bytes:
    """The same, by joblib."""
    buffer = io.BytesIO()
    pickler = NumpyPickler(buffer, protocol=protocol)
    pickler.reducer_override = _override(kind, change, protocol)
    pickler.dump(value)
    return buffer.getvalue()


def with_state(**edits: Any) -> Change:
    """Change items of a state that is a dict; ``...`` takes an item out. Another state stays what it is."""

    def change(reduction: Reduction) -> Reduction:
        if not isinstance(reduction[2], dict):
            return reduction
        state = {**reduction[2], **edits}
        state = {name: value for name, value in state.items() if value is not ...}
        return (*reduction[:2], state)

    return change


class _Forger(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, protocol: int, kind: type, change: Change) -> None:
        super().__init__(buffer, protocol)
        self._override = _override(kind, change, protocol)

    def reducer_override(self, value: Any) -> Any:
        return self._override(value)


def _override(kind: type, change: Change, protocol: int) -> Callable[[Any], Any]:
    def override(value: Any) -> Any:
        reduction: Any = value.__reduce_ex__(protocol) if type(value) is kind else None
        return NotImplemented if reduction is None else change(reduction)

    return override
