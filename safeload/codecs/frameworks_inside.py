"""Models of Keras and modules of PyTorch inside other objects, such as the last step of a Pipeline of scikit-learn.

Keras pickles a model as a call of ``getattr`` that unpacks an archive unchecked, PyTorch a tensor as one that unpickles
bytes. No policy of ours allows that, so that it is better said when it is saved.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any

from safeload.codecs.keras import is_model
from safeload.errors import CodecError
from safeload.text import printable

__all__ = ["refuse_models"]


# What is found, and what is kept of it.
_KEPT = {"keras": ("a model of Keras", "the model"), "torch": ("a module of PyTorch", "its state")}


class _FoundError(Exception):
    """The framework, and the class."""


def _framework(value: Any) -> str | None:
    if is_model(value):
        return "keras"
    torch = sys.modules.get("torch")
    is_module = torch is not None and hasattr(torch, "nn") and isinstance(value, torch.nn.Module)
    return "torch" if is_module else None


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


class _Finder(pickle.Pickler):
    """Goes wherever a pickler would go, and keeps nothing."""

    def reducer_override(self, value: Any) -> Any:
        """Not asked for texts, numbers and containers, of which there are millions."""
        if framework := _framework(value):
            raise _FoundError(framework, type(value).__name__)
        return NotImplemented


def _inside(value: Any) -> tuple[str, str] | None:
    """The framework and the class of a model in `value`."""
    try:
        _Finder(_Nowhere(), protocol=5, buffer_callback=lambda buffer: False).dump(value)
    except _FoundError as found:
        framework, name = found.args
        return framework, name
    except Exception:  # what cannot be pickled is for joblib to say
        return None
    return None


def refuse_models(value: Any) -> None:
    """Raise CodecError if one is in `value`."""
    if sys.modules.keys().isdisjoint(_KEPT) or (found := _inside(value)) is None:
        return
    steps = getattr(value, "steps", None)  # of a Pipeline
    names = [str(step[0]) for step in steps if _inside(step)] if isinstance(steps, list) else []
    where = f" in step {printable(names[0], 40)!r}" if names else ""
    framework, name = found
    what, apart = _KEPT[framework]
    raise CodecError(
        f"this {type(value).__name__} holds {what}{where}, a {printable(name, 40)}, and no pickle of that is loaded",
        hint=f"keep the two apart: {apart} with codec={framework!r}, and the rest without it",
    )
