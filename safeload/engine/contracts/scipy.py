"""scipy: sparse matrices and splines, rebuilt by their public constructors from checked arrays."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts import sparse, sparse_lists
from safeload.engine.contracts.interpolators import without_function
from safeload.engine.contracts.sparse import SparseStub
from safeload.engine.stubs import Stub
from safeload.engine.valid import require
from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "STUBS"]

Key = tuple[str, str]
_SPLINE: Key = ("scipy.interpolate._bsplines", "BSpline")
_INNER: Key = ("scipy.interpolate._bsplines", "_BSpline")
# Beyond the first, FITPACK writes behind its work space (``integrate``, ``PPoly.from_spline``), also for a spline of no
# file. Splines of several columns, as of a SplineTransformer or an interp1d, go to other code.
_DEGREE_MAX, _COLUMNS_DEGREE_MAX = 5, 20
_MAKERS: Mapping[str, Callable[[Any, Any, Key], Any]] = {
    "bsr": sparse.bsr,
    "coo": sparse.coo,
    "csc": sparse.compressed,
    "csr": sparse.compressed,
    "dia": sparse.dia,
    "dok": sparse_lists.dok,
    "lil": sparse_lists.lil,
}


def _sparse(key: Key, make: Callable[[Any, Any, Key], Any], stub: Any) -> Any:
    """Checkpoint: the matrix that the state of `stub` describes."""
    module, name = key
    return make(getattr(importlib.import_module(module), name), stub, key)


class SplineStub(Stub):
    """A BSpline reads as many coefficients as its knots and degree ask for."""

    __slots__ = ()
    what = "scipy BSpline"


def _spline(stub: Any) -> Any:
    """Checkpoint: a spline from its state, or since scipy 1.18 from the one inside and an array of its library."""
    require(type(stub) is SplineStub, _SPLINE)
    if type(stub.state) is not tuple:
        return _made(stub.state)
    inner: Any
    sample: Any
    inner, sample = stub.state if len(stub.state) == 2 else (None, None)
    require(type(inner).__name__ in ("BSpline", "_BSpline") and type(inner).__module__ == _SPLINE[0], _SPLINE)
    require(type(sample).__name__ == "ndarray" and sample.size == 0, _SPLINE)
    return _made({name: getattr(inner, name) for name in ("t", "c", "k", "extrapolate", "axis")})


def _inner_spline(stub: Any) -> Any:
    """Checkpoint: the spline that scipy since 1.18 keeps inside of its own."""
    require(type(stub) is SplineStub, _INNER)
    made = _made(stub.state)
    return getattr(made, "_delegate_to", made)  # an older scipy has the class around it only


def _made(state: Any) -> Any:
    """Knots, coefficients and degree; the constructor compares them (scipy/interpolate/_bsplines.py)."""
    import numpy as np
    from scipy.interpolate import BSpline

    require(type(state) is dict, _SPLINE)
    state = dict(state)
    without_function(state, _SPLINE)
    if state.get("_delegate_to", ...) is None:  # scipy 1.18, of complex splines
        del state["_delegate_to"]
    mark = "_" if "_t" in state else ""
    require(state.keys() == {f"{mark}t", f"{mark}c", "k", "extrapolate", "axis"}, _SPLINE)
    t, c = state[f"{mark}t"], state[f"{mark}c"]
    k, axis, extrapolate = state["k"], state["axis"], state["extrapolate"]
    require(isinstance(k, int | np.integer) and int(k) >= 0 and type(axis) is int, _SPLINE)
    require(type(extrapolate) is bool or (type(extrapolate) is str and extrapolate == "periodic"), _SPLINE)
    require(type(t) is np.ndarray and t.dtype == np.float64 and t.ndim == 1, _SPLINE)
    require(type(c) is np.ndarray and c.dtype in (np.float64, np.complex128), _SPLINE)
    require(0 <= axis < c.ndim, _SPLINE)
    _check_degree(int(k), _DEGREE_MAX if c.ndim == 1 else _COLUMNS_DEGREE_MAX)
    # In the object the axis of the knots is the first. Copies: C code relies on both as they are.
    return BSpline(t.copy(), np.moveaxis(c, 0, axis).copy(), k, extrapolate, axis)


def _check_degree(degree: int, most: int) -> None:
    if degree > most:
        raise CodecError(
            f"a spline is of degree {min(degree, 10**6):,}: beyond {most}, "
            "scipy writes behind its memory when it is integrated"
        )


_SPARSE: Mapping[Key, Callable[[Any], Any]] = {
    (f"scipy.sparse._{layout}", name): partial(_sparse, (f"scipy.sparse._{layout}", name), make)
    for layout, make in _MAKERS.items()
    for name in (f"{layout}_array", f"{layout}_matrix")
}
STUBS: Mapping[Key, type[Stub]] = {**dict.fromkeys(_SPARSE, SparseStub), _SPLINE: SplineStub, _INNER: SplineStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {**_SPARSE, _SPLINE: _spline, _INNER: _inner_spline}
