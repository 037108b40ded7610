"""Numbers as arguments of a model's functions: plain ones, numpy's, and few of them in an array or a list."""

from __future__ import annotations

import math
from typing import Any

from safeload.engine.valid import require

__all__ = ["parameters", "quantity"]

_KEY = ("scipy.stats._distn_infrastructure", "rv_frozen")
_ITEMS_MAX = 10_000
_ARGUMENTS_MAX = 20
_INTEGER = range(-(1 << 63), 1 << 64)


def quantity(value: Any) -> Any:
    """A copy of `value`: a number, or an array or flat list of at most 10,000 of them. Raises CodecError."""
    import numpy as np

    if type(value) in (list, tuple):
        require(len(value) <= _ITEMS_MAX, _KEY)
        return type(value)(map(_number, value))
    if type(value) is np.ndarray:
        require(value.dtype.kind in "biuf" and value.size <= _ITEMS_MAX, _KEY)
        return value.copy()
    return _number(value)


def _number(value: Any) -> Any:
    """An int beyond what C knows would make arrays of objects."""
    import numpy as np

    plain = type(value) in (float, bool) or (type(value) is int and value in _INTEGER)
    require(plain or (isinstance(value, np.generic) and value.dtype.kind in "biuf"), _KEY)
    return value


def parameters(args: Any, kwds: Any) -> tuple[list[Any], dict[str, Any]]:
    """Copies of the arguments of a call, which numpy broadcasts to no more than 10,000 items. Raises CodecError."""
    import numpy as np

    require(type(args) is tuple and type(kwds) is dict and len(args) + len(kwds) <= _ARGUMENTS_MAX, _KEY)
    require(all(type(name) is str for name in kwds), _KEY)
    copies, named = [quantity(value) for value in args], {name: quantity(value) for name, value in kwds.items()}
    # A column by a row is as many as their product.
    shape = np.broadcast_shapes(*(np.shape(value) for value in (*copies, *named.values())))
    require(math.prod(shape) <= _ITEMS_MAX, _KEY)
    return copies, named
