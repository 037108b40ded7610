"""scipy's interpolators, made anew by their constructors from copies of their points and values.

Sources: scipy/interpolate/_interpolate.py (``PPoly.construct_fast``, ``interp1d.__init__``), _cubic.py and _rgi.py. A
constructor compares the sizes that compiled code takes on trust.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts.shapes import array, each
from safeload.engine.stubs import Stub
from safeload.engine.tokens import Token
from safeload.engine.valid import require
from safeload.policy.allowlist import confined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker

__all__ = ["CHECKERS", "FINISHERS", "STUBS", "InterpolatorStub", "without_function"]

Key = tuple[str, str]
_MODULE = "scipy.interpolate._interpolate"
_ONE: Key = (_MODULE, "interp1d")
_GRID: Key = ("scipy.interpolate._rgi", "RegularGridInterpolator")
# The polynomials between two points: by powers, and by Bernstein's.
_POWERS: tuple[Key, ...] = (
    (_MODULE, "PPoly"),
    *(("scipy.interpolate._cubic", name) for name in (
        "Akima1DInterpolator", "CubicHermiteSpline", "CubicSpline", "PchipInterpolator",
    )),
)  # fmt: skip
_BERNSTEIN: Key = (_MODULE, "BPoly")
# Since scipy 1.18 the class that is used holds one of these, and an empty array of its library.
_INNER: Mapping[Key, Key] = {(_MODULE, "_PPoly"): (_MODULE, "PPoly"), (_MODULE, "_BPoly"): _BERNSTEIN}
_PARTS = ("c", "x", "extrapolate", "axis")
_DEGREE_MAX = 20
_DIMENSIONS_MAX = 10  # each doubles the number of corners that are looked at
_METHODS = ("linear", "nearest")
_KINDS = ("linear", "nearest", "nearest-up", "next", "previous", "spline")


class InterpolatorStub(Stub):
    __slots__ = ()
    what = "scipy interpolator"


def _state(stub: Any, key: Key) -> dict[str, Any]:
    """The state: a dict, or slots, or both."""
    require(type(stub) is InterpolatorStub, key)
    parts = stub.state if type(stub.state) is tuple and len(stub.state) == 2 else (stub.state, None)
    require(all(part is None or type(part) is dict for part in parts), key)
    merged: dict[str, Any] = {**(parts[0] or {}), **(parts[1] or {})}
    without_function(merged, key)
    return merged


def without_function(state: dict[str, Any], key: Key) -> None:
    """Take out the function that scipy since 1.17 keeps, by a name of its own version: constructors find it anew."""
    function = state.pop("_asarray", None)
    if function is not None:
        require(type(function) is Token and (function.module, function.name) in confined().get(key, ()), key)


def _floats(value: Any, dimensions: int | None, kinds: str = "fc") -> bool:
    import numpy as np

    plain = type(value) is np.ndarray and value.dtype.kind in kinds and value.dtype.itemsize <= 16
    return plain and bool(value.dtype.isnative) and dimensions in (None, value.ndim)


def _polynomial(key: Key, stub: Any) -> Any:
    """Checkpoint: coefficients, points between which they hold, what is beyond these, and the axis that they had."""
    state = _state(stub, key)
    inner = state.get("_delegate_to")
    if inner is not None:
        require(state.keys() == {"_delegate_to", "_xp"} and array(state["_xp"], (0,)), key)
        require(type(inner).__name__ in ("PPoly", "_PPoly", "BPoly", "_BPoly"), key)
        state = {name: getattr(inner, name) for name in _PARTS}
    state = {name.removeprefix("_"): value for name, value in state.items()}
    require(state.keys() == set(_PARTS), key)
    c, x, extrapolate, axis = (state[name] for name in _PARTS)
    require(_floats(x, 1, "f") and _floats(c, None) and c.ndim >= 2 and c.size > 0, key)
    require(type(extrapolate) is bool or (type(extrapolate) is str and extrapolate == "periodic"), key)
    require(type(axis) is int and 0 <= axis < c.ndim - 1, key)
    return _made(key, c.copy(), x.copy(), extrapolate, axis)


def _made(key: Key, c: Any, x: Any, extrapolate: Any, axis: int) -> Any:
    from scipy.interpolate import BPoly, PPoly

    checked = (BPoly if key == _BERNSTEIN else PPoly)(c, x, extrapolate)
    if key in (_BERNSTEIN, (_MODULE, "PPoly")):
        checked.axis = axis  # in the object the axis of the points is the first
        return checked
    module, name = key
    return getattr(importlib.import_module(module), name).construct_fast(c, x, extrapolate, axis)


def _inner(key: Key, stub: Any) -> Any:
    """Checkpoint: what scipy since 1.18 keeps inside; an older one has the class around it only."""
    made = _polynomial(_INNER[key], stub)
    return getattr(made, "_delegate_to", made)


def _one(stub: Any) -> Any:
    """Checkpoint: the constructor's own arguments are among the attributes."""
    state = _state(stub, _ONE)
    kind, x, y, axis = (state.get(name) for name in ("_kind", "x", "y", "axis"))
    require(type(kind) is str and kind in _KINDS and _floats(x, 1, "iuf") and _floats(y, None), _ONE)
    require(type(axis) is int and type(state.get("bounds_error")) is bool, _ONE)
    order = getattr(state.get("_spline"), "k", None) if kind == "spline" else kind
    require(kind != "spline" or (type(order) is int and 0 <= order <= _DEGREE_MAX), _ONE)
    from scipy.interpolate import interp1d

    fill = _fill(state.get("_fill_value_orig"))
    return interp1d(x, y, order, axis, bounds_error=state["bounds_error"], fill_value=fill, assume_sorted=True)


def _fill(value: Any) -> Any:
    """What is answered beyond the points: a number, two, arrays of them, or a word."""
    if type(value) is tuple:
        require(len(value) == 2, _ONE)
        return _number(value[0]), _number(value[1])
    return value if type(value) is str and value == "extrapolate" else _number(value)


def _number(value: Any) -> Any:
    import numpy as np

    if _floats(value, None, "biufc"):
        return value.copy()
    plain = type(value) in (int, float, complex)
    require(plain or (isinstance(value, np.generic) and value.dtype.kind in "biufc"), _ONE)
    return value


def _grid(stub: Any) -> Any:
    """Checkpoint: points along each axis, ascending, and a value for each crossing."""
    from scipy.interpolate import RegularGridInterpolator

    state = _state(stub, _GRID)
    grid: Any = state.get("_grid", state.get("grid"))
    values: Any = state.get("_values", state.get("values"))
    require(type(grid) is tuple and 0 < len(grid) <= _DIMENSIONS_MAX, _GRID)
    require(all(_floats(one, 1, "f") for one in grid), _GRID)
    method, outside, fill = (state.get(name) for name in ("method", "bounds_error", "fill_value"))
    # The others hold splines of several dimensions, or solve equations for them.
    require(_floats(values, None) and type(method) is str and method in _METHODS, _GRID)
    require(state.get("_spline") is None and type(outside) is bool, _GRID)
    fill = None if fill is None else _number(fill)
    return RegularGridInterpolator(tuple(one.copy() for one in grid), values.copy(), method, outside, fill)


def _nearest(state: dict[str, Any]) -> bool:
    """A value for each point of a tree that answers queries, and nothing else of that method."""
    from scipy.spatial import cKDTree

    tree: Any = state.get("tree")
    values: Any = state.get("values")
    return isinstance(tree, cKDTree) and _floats(values, None, "biufc") and values.ndim > 0 and len(values) == tree.n


CHECKERS: Mapping[Key, Checker] = {("scipy.interpolate._ndgriddata", "NearestNDInterpolator"): each(_nearest)}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    _ONE: _one,
    _GRID: _grid,
    **{key: partial(_polynomial, key) for key in (*_POWERS, _BERNSTEIN)},
    **{key: partial(_inner, key) for key in _INNER},
}
STUBS: Mapping[Key, type[Stub]] = dict.fromkeys(FINISHERS, InterpolatorStub)
