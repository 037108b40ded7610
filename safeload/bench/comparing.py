"""Whether two answers are the same to the bit."""

from __future__ import annotations

from typing import Any

__all__ = ["is_same"]


def is_same(one: Any, other: Any) -> bool:
    """Whether both are of one type and shape, and equal bit by bit: NaN is NaN, and -0.0 is not 0.0."""
    import numpy as np

    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if hasattr(one, "tocoo"):  # a sparse matrix
        return is_same(_coordinates(one), _coordinates(other))
    if hasattr(one, "iloc"):  # a table of pandas
        return is_same(list(one.axes), list(other.axes)) and is_same(one.to_numpy(), other.to_numpy())
    left, right = np.asarray(one), np.asarray(other)
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if not left.dtype.hasobject:
        return left.tobytes() == right.tobytes()
    return bool(one == other) if left.ndim == 0 else all(map(is_same, left.ravel().tolist(), right.ravel().tolist()))


def _coordinates(matrix: Any) -> tuple[Any, ...]:
    found = matrix.tocoo()
    return found.shape, found.row, found.col, found.data
