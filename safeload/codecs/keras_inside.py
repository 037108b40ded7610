"""Models of Keras inside other objects, such as the last step of a Pipeline of scikit-learn.

Keras pickles a model as a call of ``getattr`` that unpacks an archive unchecked. No policy allows that, so that it is
better said when it is saved.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any

from safeload.codecs.keras import is_model
from safeload.errors import CodecError
from safeload.text import printable

__all__ = ["refuse_models"]


class _FoundError(Exception):
    pass


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


class _Finder(pickle.Pickler):
    """Goes wherever a pickler would go, and keeps nothing."""

    def persistent_id(self, value: Any) -> None:
        if is_model(value):
            raise _FoundError(type(value).__name__)


def _inside(value: Any) -> str | None:
    """The class of a model of Keras in `value`."""
    try:
        _Finder(_Nowhere(), protocol=5, buffer_callback=lambda buffer: False).dump(value)
    except _FoundError as found:
        return str(found)
    except Exception:  # what cannot be pickled is for joblib to say
        return None
    return None


def refuse_models(value: Any) -> None:
    """Raise CodecError if one is in `value`."""
    if "keras" not in sys.modules or (found := _inside(value)) is None:
        return
    steps = getattr(value, "steps", None)  # of a Pipeline
    names = [str(step[0]) for step in steps if _inside(step)] if isinstance(steps, list) else []
    where = f" in step {printable(names[0], 40)!r}" if names else ""
    raise CodecError(
        f"this {type(value).__name__} holds a model of Keras{where}, a {printable(found, 40)}, and no pickle "
        "of that is loaded",
        hint="keep the two apart: the model with codec='keras', and the rest without it",
    )
