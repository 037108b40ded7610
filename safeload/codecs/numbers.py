"""The numbers of an array as they lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["numbers_of"]


def numbers_of(array: np.ndarray[Any, Any]) -> memoryview | None:
    """The bytes of `array`, in the order in which it lies there, and not copied; None where that is not one piece."""
    if array.dtype.hasobject:
        return None
    plain = np.asarray(array)
    if not plain.flags.c_contiguous:
        plain = plain.T
    if not plain.flags.c_contiguous or not plain.nbytes:
        return None
    return plain.reshape(-1).view(np.uint8).data
