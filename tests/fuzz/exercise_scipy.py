"""What someone asks of scipy's interpolators, trees of neighbours and distributions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import interpolate
from scipy.spatial import cKDTree
from scipy.stats._distn_infrastructure import rv_frozen, rv_generic

from fuzz.asking import asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Use = tuple[str, Callable[[], Any]]

__all__ = ["uses_of_scipy"]

_ASKED = np.array([0.1, 2.5, 3.0, -1.0, 50.0, 1e300, np.nan, np.inf])
_WIDTH_MAX = 1_000
# Called with nothing, with places, with shares.
_MOMENTS = ("mean", "median", "std", "var", "stats", "support")
_DENSITIES = ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")
_SHARES = ("ppf", "isf", "interval")


def uses_of_scipy(value: Any) -> Iterator[Use]:
    if isinstance(value, cKDTree):
        yield from _of_tree(value)
    elif isinstance(value, rv_frozen | rv_generic):
        yield from _of_distribution(value)
    elif type(value).__module__.startswith("scipy.interpolate"):
        yield from _of_interpolator(value)


def _of_interpolator(value: Any) -> Iterator[Use]:
    yield "at points", lambda: value(_ASKED[:3])
    yield "at all points", lambda: value(_ASKED)
    yield "at one", lambda: value(2.5)
    yield "at a table", lambda: value(_ASKED[:4].reshape(2, 2))
    yield "at many", lambda: value(np.linspace(-3, 20, 2_000))
    width = _width(value)
    for method in ("linear", "nearest", None) if width else ():
        points = np.linspace(-1, 5, 12 * width).reshape(12, width)
        yield f"of {width}, {method}", partial(_on_grid, value, points, method)
    for order in (1, 2, 7):
        yield f"derivative {order}", partial(_derived, value, order)
        yield f"at, derivative {order}", partial(value, _ASKED, order)
    yield "antiderivative", lambda: value.antiderivative()(_ASKED)
    yield "antiderivative 3", lambda: value.antiderivative(3)(_ASKED)
    yield "integral", lambda: (value.integrate(0, 3), value.integrate(-2, 30), value.integrate(5, 1, True))
    yield "roots", lambda: value.roots()
    yield "roots inside", lambda: value.roots(discontinuity=False, extrapolate=False)
    yield "solved", lambda: value.solve(0.5)
    yield "from powers", lambda: interpolate.BPoly.from_power_basis(value)(_ASKED)
    yield "to powers", lambda: interpolate.PPoly.from_bernstein_basis(value)(_ASKED)
    yield "from a spline", lambda: interpolate.PPoly.from_spline(value)(_ASKED)
    yield "extended", lambda: value.extend(value.c, value.x[-1] + 1 + np.arange(len(value.x) - 1.0))
    yield "knot", lambda: value.insert_knot(2.5)(_ASKED)
    yield "matrix", lambda: interpolate.BSpline.design_matrix(_ASKED[:3], value.t, value.k).toarray()
    yield "element", lambda: interpolate.BSpline.basis_element(value.t[: value.k + 2])(_ASKED)
    yield "tuple", lambda: interpolate.splev(_ASKED, value.tck)


def _width(value: Any) -> int:
    """How many coordinates a point has, if not one."""
    grid, tree = getattr(value, "grid", ()), getattr(value, "tree", None)
    return min(len(grid) or getattr(tree, "m", 0), _WIDTH_MAX)


def _derived(value: Any, order: int) -> Any:
    return value.derivative(order)(_ASKED)


def _on_grid(value: Any, points: Any, method: str | None) -> Any:
    return value(points) if method is None else value(points, method)


def _of_tree(tree: Any) -> Iterator[Use]:
    if tree.m > _WIDTH_MAX:
        return
    points = np.linspace(-0.5, 1.5, 9 * tree.m).reshape(9, tree.m)
    for p in (1, 2, 3.5, np.inf):
        yield f"query, {p}", partial(asked, tree, "query", points, 7, p=p)
        yield f"ball, {p}", partial(asked, tree, "query_ball_point", points, 0.4, p=p)
    yield "query, far", lambda: tree.query(points * 1e6, [1, 3], eps=0.1, distance_upper_bound=2)
    yield "query, one", lambda: tree.query(points[0])
    yield "count of a ball", lambda: tree.query_ball_point(points, 0.3, return_length=True, return_sorted=True)
    yield "pairs", lambda: tree.query_pairs(0.2)
    yield "pairs in an array", lambda: tree.query_pairs(0.2, output_type="ndarray")
    yield "balls of a tree", lambda: tree.query_ball_tree(tree, 0.2)
    yield "counted", lambda: tree.count_neighbors(tree, [0.1, 0.4])
    yield "weighed", lambda: tree.count_neighbors(tree, 0.4, weights=(np.ones(tree.n), np.ones(tree.n)))
    yield "distances", lambda: tree.sparse_distance_matrix(tree, 0.2).toarray()
    yield "another", lambda: tree.count_neighbors(cKDTree(points), 0.4)
    yield "nodes", lambda: (repr(tree.tree), tree.size, tree.indices.sum(), tree.data.sum(), tree.maxes, tree.mins)
    yield "state", lambda: tree.__getstate__()


def _of_distribution(value: Any) -> Iterator[Use]:
    shapes = () if isinstance(value, rv_frozen) else (0.5,) * value.numargs
    yield "drawn", lambda: value.rvs(*shapes, size=5)
    yield "drawn with a seed", lambda: value.rvs(*shapes, size=(2, 3), random_state=0)
    yield "drawn once", lambda: value.rvs(*shapes)
    yield "entropy", lambda: value.entropy(*shapes)
    yield "moment", lambda: (value.moment(1, *shapes), value.moment(3, *shapes))
    for name in _MOMENTS:
        yield name, partial(asked, value, name, *shapes)
    for name in _DENSITIES:
        yield name, partial(asked, value, name, _ASKED[:5], *shapes)
    for name in _SHARES:
        yield name, partial(asked, value, name, 0.7, *shapes)
    yield "expected", lambda: value.expect(lambda x: x, *(() if isinstance(value, rv_frozen) else (shapes,)))
    yield "frozen", lambda: value.freeze(*shapes).rvs(3)
    yield "fitted", lambda: value.fit(np.array([0.5, 1.5, 2.5]))
