"""scipy: sparse matrices and splines, rebuilt by their public constructors from checked arrays."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts import sparse, sparse_lists
from safeload.engine.contracts.sparse import SparseStub
from safeload.engine.stubs import Stub
from safeload.engine.tokens import closed
from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FINISHERS", "STUBS"]

Key = tuple[str, str]
_SPLINE: Key = ("scipy.interpolate._bsplines", "BSpline")
_DEGREE_MAX = 100
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
    """Checkpoint: knots, coefficients and degree; the constructor compares them (scipy/interpolate/_bsplines.py)."""
    import numpy as np
    from scipy.interpolate import BSpline

    require(type(stub) is SplineStub and type(stub.state) is dict, _SPLINE)
    state: dict[str, Any] = dict(stub.state)
    if "_asarray" in state:  # scipy 1.17; the constructor finds it anew
        closed(state.pop("_asarray"), _SPLINE)
    mark = "_" if "_t" in state else ""
    require(state.keys() == {f"{mark}t", f"{mark}c", "k", "extrapolate", "axis"}, _SPLINE)
    t, c = state[f"{mark}t"], state[f"{mark}c"]
    k, axis, extrapolate = state["k"], state["axis"], state["extrapolate"]
    require(isinstance(k, int | np.integer) and 0 <= int(k) <= _DEGREE_MAX and type(axis) is int, _SPLINE)
    require(type(extrapolate) is bool or (type(extrapolate) is str and extrapolate == "periodic"), _SPLINE)
    require(type(t) is np.ndarray and t.dtype == np.float64 and t.ndim == 1, _SPLINE)
    require(type(c) is np.ndarray and c.dtype in (np.float64, np.complex128), _SPLINE)
    require(0 <= axis < c.ndim, _SPLINE)
    # In the object the axis of the knots is the first. Copies: C code relies on both as they are.
    return BSpline(t.copy(), np.moveaxis(c, 0, axis).copy(), k, extrapolate, axis)


_SPARSE: Mapping[Key, Callable[[Any], Any]] = {
    (f"scipy.sparse._{layout}", name): partial(_sparse, (f"scipy.sparse._{layout}", name), make)
    for layout, make in _MAKERS.items()
    for name in (f"{layout}_array", f"{layout}_matrix")
}
STUBS: Mapping[Key, type[Stub]] = {**dict.fromkeys(_SPARSE, SparseStub), _SPLINE: SplineStub}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {**_SPARSE, _SPLINE: _spline}
