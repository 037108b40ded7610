"""Arrays that are valid and no longer fit: other sizes, other types, other numbers at a few places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["mutated_array"]

_BIG = 10**7
INTEGERS = (-1, 0, 1, 2, 255, 256, -_BIG, _BIG, 2**31 - 1, 2**31, -(2**31), 2**32, 2**63 - 1, -(2**63), 2**62)
FLOATS = (float("nan"), float("inf"), float("-inf"), -1.0, 0.0, -0.0, 1e308, 5e-324, 2.0**31, 2.0**63, 0.5)
_DTYPES = ("<f4", "<f8", "<i4", "<i8", "<u4", "u1", "?", "O", ">f8", "<f2", "<c16", "<U2", "<M8[s]", "<i2", "g")


def _filled(array: Any, rng: random.Random, places: int) -> Any:
    """Odd numbers at some places, of one field if there are fields."""
    new = array.copy()
    target = new
    while target.dtype.names:
        target = target[rng.choice(target.dtype.names)]
    if not target.size:
        return None
    for _ in range(places):
        at = np.unravel_index(rng.randrange(target.size), target.shape)
        target[at] = _value(target, rng)
    return new


def _value(array: Any, rng: random.Random) -> Any:
    kind = array.dtype.kind
    if kind in "iu":
        near = [int(array.flat[rng.randrange(array.size)]), array.size, array.size - 1, len(array)]
        number = rng.choice((*INTEGERS, *near, near[0] + 1, near[0] - 1))
        bits = 8 * array.dtype.itemsize
        low = -(1 << (bits - 1)) if kind == "i" else 0
        return (number - low) % (1 << bits) + low
    if kind in "fc":
        return rng.choice(FLOATS)
    return array.flat[rng.randrange(array.size)]


def _resized(array: Any, rng: random.Random) -> Any:
    """One axis longer or shorter."""
    axis = rng.randrange(array.ndim)
    size = array.shape[axis]
    wanted = rng.choice((0, 1, 2, size - 1, size + 1, 2 * size, size // 2, size + 7, 300))
    return None if wanted < 0 or not size else np.take(array, np.arange(wanted) % size, axis=axis)


def _cast(array: Any, rng: random.Random) -> Any:
    wanted = rng.choice(_DTYPES)
    if array.dtype.kind in "SU" and "M8" in wanted:
        return None  # of more than 500 bad texts, numpy 2.4 raises an error where there is no thread state
    with np.errstate(all="ignore"):
        return array.astype(wanted)


def _reshaped(array: Any, rng: random.Random) -> Any:
    ways: tuple[Callable[[Any], Any], ...] = (
        np.ravel, np.transpose, np.asfortranarray, np.atleast_2d, lambda one: one[None], lambda one: one[..., None],
        lambda one: one[::-1], lambda one: np.sort(one, axis=None).reshape(one.shape), lambda one: one.ravel()[:0],
        lambda one: one.reshape(-1)[0], lambda one: np.zeros_like(one), lambda one: one.reshape(2, -1),
    )  # fmt: skip
    return rng.choice(ways)(array)


def _constant(array: Any, rng: random.Random) -> Any:
    if array.dtype.names or not array.size:
        return None
    return np.full_like(array, _value(array, rng))


def mutated_array(array: Any, rng: random.Random) -> tuple[Any, str] | None:
    """Another array and what was done, or None where that cannot be done to this one."""
    way = rng.choice(("fill", "fill", "fill", "fill many", "resize", "resize", "resize", "cast", "reshape", "constant"))
    try:
        if way == "fill":
            new = _filled(array, rng, 1)
        elif way == "fill many":
            new = _filled(array, rng, rng.randrange(2, 40))
        elif way == "resize":
            new = _resized(array, rng)
        elif way == "cast":
            new = _cast(array, rng)
        elif way == "reshape":
            new = _reshaped(array, rng)
        else:
            new = _constant(array, rng)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError, RuntimeError, np.exceptions.AxisError):
        return None
    return None if new is None else (np.asanyarray(new), way)
