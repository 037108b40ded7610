"""scipy's interpolators, splines, trees of neighbours and distributions, each with others of other sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import interpolate, stats
from scipy.spatial import KDTree, cKDTree

from fuzz.family import WRITERS, Family

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CANDIDATES", "scipys"]

_random = np.random.RandomState(3)
_KINDS = ("linear", "nearest", "nearest-up", "previous", "next", "zero", "quadratic", "cubic")
# Families of arguments; the second is for arrays of distributions.
_FROZEN: dict[str, tuple[Any, ...]] = {
    "norm": (1.0, 2.0), "uniform": (0.5, 2.0), "loguniform": (1e-3, 10.0), "expon": (0, 3.0), "gamma": (2.5,),
    "beta": (2.0, 0.5), "t": (4.0,), "chi2": (3,), "f": (5, 7), "lognorm": (0.9,), "truncnorm": (-1.0, 2.0),
    "triang": (0.3,), "weibull_min": (1.8,), "levy_stable": (1.8, 0.5), "genextreme": (-0.1,), "cauchy": (),
    "skewnorm": (4.0,), "randint": (1, 9), "binom": (5, 0.4), "poisson": (3.5,), "geom": (0.5,),
    "nbinom": (5, 0.5), "hypergeom": (30, 12, 6), "zipf": (4.0,), "bernoulli": (0.3,), "dlaplace": (0.8,),
}  # fmt: skip
# What a random search draws from.
CANDIDATES: dict[str, Any] = {
    "C": stats.loguniform(1e-3, 1e3),
    "max_iter": stats.randint(50, 100),
    "tol": stats.uniform,
    "intercept_scaling": stats.uniform(0.5, scale=2.0),
    "verbose": stats.rv_discrete(values=([0], [1.0])),
}


def scipys() -> Iterator[Family]:
    for table in (_polynomials(), _interpolators(), _splines(), _trees(), _distributions()):
        for name, value in table.items():
            # By protocols 2 and 3 it takes its functions by getattr, which is refused.
            writers = tuple(WRITERS)[1:] if name.startswith("interp1d") else tuple(WRITERS)
            yield Family(f"scipy, {name}", value, None, "scipy", writers=writers)


def _polynomials() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark, size, order in (("", 8, 3), (", other", 13, 5)):
        x, ones = np.arange(float(size)), np.ones((order, size - 1))
        y = np.sin(x)
        found |= {
            f"powers{mark}": interpolate.PPoly(ones, x),
            f"complex powers{mark}": interpolate.PPoly(ones * 1j, x, extrapolate=False),
            f"periodic powers{mark}": interpolate.PPoly(np.ones((order, size - 1, 2)), x, extrapolate="periodic"),
            f"backward{mark}": interpolate.PPoly(ones, x[::-1].copy()),
            f"bernstein{mark}": interpolate.BPoly(ones, x),
            f"cubic spline{mark}": interpolate.CubicSpline(x, y),
            f"cubic spline of columns{mark}": interpolate.CubicSpline(x, np.ones((3, size)), axis=1),
            f"pchip{mark}": interpolate.PchipInterpolator(x, y),
            f"akima{mark}": interpolate.Akima1DInterpolator(x, y),
            f"hermite{mark}": interpolate.CubicHermiteSpline(x, y, y),
        }
    return found


def _interpolators() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark, size in (("", 8), (", other", 13)):
        x = np.arange(float(size))
        y, points = np.sin(x), _random.uniform(size=(3 * size, 2))
        grid = (np.arange(4.0), np.arange(float(size)))
        for kind in _KINDS:
            found[f"interp1d, {kind}{mark}"] = interpolate.interp1d(x, y, kind=kind, fill_value="extrapolate")
        values = np.sin(np.arange(4.0 * size)).reshape(4, size)
        found |= {
            f"interp1d of columns{mark}": interpolate.interp1d(x, np.stack((y, -y)), bounds_error=False),
            f"interp1d, two fills{mark}": interpolate.interp1d(x, y, fill_value=(0, 1), bounds_error=False),
            f"grid{mark}": interpolate.RegularGridInterpolator(grid, values, bounds_error=False),
            f"grid, nearest{mark}": interpolate.RegularGridInterpolator(grid, values, "nearest"),
            f"grid of pairs{mark}": interpolate.RegularGridInterpolator(grid, np.stack((values, values), axis=-1)),
            f"nearest{mark}": interpolate.NearestNDInterpolator(points, points[:, 0]),
            f"nearest, rescaled{mark}": interpolate.NearestNDInterpolator(points, points, rescale=True),
        }
    return found


def _splines() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark, size in (("", 9), (", other", 15)):
        x = np.arange(float(size))
        for degree in (0, 1, 3, 5):
            found[f"spline of degree {degree}{mark}"] = interpolate.make_interp_spline(x, np.sin(x), degree)
        knots, coefficients = np.arange(float(size + 4)), np.ones((size, 2))
        found[f"spline of columns{mark}"] = interpolate.make_interp_spline(x, np.stack((x, -x)), axis=1)
        found[f"periodic spline{mark}"] = interpolate.BSpline(knots, coefficients, 3, "periodic")
        found[f"complex spline{mark}"] = interpolate.BSpline(knots, coefficients[:, 0] * 1j, 3, extrapolate=False)
    return found


def _trees() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in (KDTree, cKDTree):
        for mark, shape in (("", (40, 3)), (", other", (23, 2))):
            points = np.round(_random.uniform(size=shape), 1)
            found |= {
                f"{kind.__name__}{mark}": kind(points),
                f"{kind.__name__}, small leaves{mark}": kind(points, leafsize=1),
                f"{kind.__name__} in a box{mark}": kind(points, leafsize=4, boxsize=1.5),
                f"{kind.__name__}, not balanced{mark}": kind(points, 3, balanced_tree=False, compact_nodes=False),
            }
        found[f"{kind.__name__}, empty"] = kind(np.empty((0, 2)))
    return found


def _distributions() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, arguments in _FROZEN.items():
        frozen = getattr(stats, name)(*arguments)
        found[name] = frozen
        found[f"{name}, other"] = getattr(stats, name)(*(np.array([one, one]) for one in arguments))
    own = stats.gamma(2.0)
    own.random_state = np.random.RandomState(5)
    newer = stats.norm(np.arange(3.0), scale=[1, 2, 3])
    newer.random_state = np.random.default_rng(5)
    return found | {
        "distribution, not frozen": stats.norm,
        "discrete distribution, not frozen": stats.binom,
        "sample": stats.rv_discrete(values=([1, 2, 5], [0.25, 0.5, 0.25])),
        "sample, other": stats.rv_discrete(values=(np.arange(9), np.full(9, 1 / 9)))(loc=2),
        "its own random state": own,
        "its own generator": newer,
        "candidates": CANDIDATES,
    }
