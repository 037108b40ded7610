"""Objects of pandas of every kind, and the same with three times as many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

from fuzz.family import Family
from testkit.arrow_columns import columns
from testkit.frames import objects

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["frames"]

_TIMES = 3


def frames() -> Iterator[Family]:
    held_by_arrow = {f"pyarrow, {name}": value for name, value in columns().items()}
    for name, value in {**objects(), **held_by_arrow}.items():
        yield Family(f"pandas, {name}", value, None, "pandas")
        other = _longer(value)
        if other is not None:
            yield Family(f"pandas, {name}, other", other, None, "pandas")


def _longer(value: Any) -> Any:
    """Other lengths, codes and levels: what a mutation takes from here is right, and fits nothing there."""
    if isinstance(value, list):
        longer = [one for one in map(_longer, value) if one is not None]
        return longer or None
    if not hasattr(value, "take") or isinstance(value, np.ndarray) or not len(value):
        return None
    try:
        return value.take(np.arange(_TIMES * len(value)) % len(value))
    except pandas.errors.DuplicateLabelError:
        return None
