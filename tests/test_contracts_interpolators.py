"""scipy's interpolators answer as they did, and are made of points and values that fit each other."""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import interpolate
from scipy.spatial import KDTree
from sklearn.linear_model import Ridge

import safeload
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError
from testkit.forging import forged, forged_joblib
from testkit.mutations import assert_no_crash

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.arange(8.0)
Y = np.sin(X)
GRID = (np.arange(4.0), np.arange(5.0))
VALUES = np.sin(np.arange(20.0)).reshape(4, 5)
POINTS = np.random.default_rng(0).random((20, 2))
ASKED = np.linspace(0.1, 6.9, 9)
POLYNOMIALS = {
    "powers": interpolate.PPoly(np.ones((3, 7)), X),
    "complex": interpolate.PPoly(np.ones((3, 7)) * 1j, X, extrapolate=False),
    "periodic": interpolate.PPoly(np.ones((3, 7, 2)), X, extrapolate="periodic"),
    "backward": interpolate.PPoly(np.ones((3, 7)), X[::-1].copy()),
    "bernstein": interpolate.BPoly(np.ones((3, 7)), X),
    "another axis": interpolate.CubicSpline(X, np.ones((3, 8)), axis=1),
    "cubic": interpolate.CubicSpline(X, Y),
    "derivative": interpolate.CubicSpline(X, Y).derivative(),
    "pchip": interpolate.PchipInterpolator(X, Y),
    "akima": interpolate.Akima1DInterpolator(X, Y),
    "hermite": interpolate.CubicHermiteSpline(X, Y, Y),
}
KINDS = ("linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 5)
OUTSIDE: tuple[dict[str, Any], ...] = (
    {},
    {"fill_value": "extrapolate"},
    {"fill_value": (0, 1), "bounds_error": False},
    {"fill_value": 3.0, "bounds_error": False},
)


class Unmet:
    """Of this class no object is pickled: nothing is changed."""


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def _written(value: Any, protocols: Any) -> list[bytes]:
    return [write(value, Unmet, lambda r: r, p) for write in (forged, forged_joblib) for p in protocols]


def _merged(state: Any) -> dict[str, Any]:
    return {**(state[0] or {}), **(state[1] or {})} if isinstance(state, tuple) else state


def _edited(**edits: Any) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Attributes, whether in slots or not; with an underscore or without, as this scipy has them. ``...`` goes."""

    def change(reduction: tuple[Any, ...]) -> tuple[Any, ...]:
        state = dict(_merged(reduction[2]))
        for name, value in edits.items():
            own = name if name in state or f"_{name}" not in state else f"_{name}"
            state[own] = value(state[own]) if isinstance(value, FunctionType) else value
        state = {name: value for name, value in state.items() if value is not ...}
        return (*reduction[:2], (None, state) if isinstance(reduction[2], tuple) else state)

    return change


def _refused(value: Any, **edits: Any) -> None:
    inner = getattr(value, "_delegate_to", value)  # where scipy 1.18 keeps it
    for write in (forged, forged_joblib):
        with pytest.raises(CodecError):
            _load(write(value, type(inner), _edited(**edits)))


# --- what is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_between_points_come_back(name: str) -> None:
    made = POLYNOMIALS[name]
    for data in _written(made, (2, 3, 4, 5)):
        loaded = _load(data)
        assert type(loaded) is type(made)
        assert (loaded.axis, loaded.extrapolate) == (made.axis, made.extrapolate)
        np.testing.assert_array_equal(loaded(ASKED), made(ASKED))
        np.testing.assert_array_equal(loaded(9.0), made(9.0))
        np.testing.assert_array_equal(loaded.derivative()(ASKED), made.derivative()(ASKED))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(loaded))(ASKED), made(ASKED))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_interp1d_comes_back(kind: Any, outside: dict[str, Any]) -> None:
    for y, axis in ((Y, -1), (np.stack((Y, -Y)), 1), (np.stack((Y, 1j * Y), axis=1), 0)):
        made = interpolate.interp1d(X, y, kind=kind, axis=axis, **outside)
        for data in _written(made, (2, 3, 4, 5)):
            loaded = _load(data)
            np.testing.assert_array_equal(loaded(ASKED), made(ASKED))
            assert loaded.bounds_error == made.bounds_error
            if not made.bounds_error:
                np.testing.assert_array_equal(loaded([-1.0, 9.0]), made([-1.0, 9.0]))


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_values_on_a_grid_come_back(method: str) -> None:
    for grid in (GRID, (GRID[0][::-1], GRID[1])):
        for fill in (np.nan, 0, None):
            made = interpolate.RegularGridInterpolator(grid, VALUES, method, bounds_error=False, fill_value=fill)
            for data in _written(made, range(6)):
                loaded = _load(data)
                np.testing.assert_array_equal(loaded(POINTS * 5), made(POINTS * 5))
                assert loaded.method == method


@pytest.mark.parametrize("rescale", [False, True])
def test_the_nearest_of_several_dimensions_comes_back(rescale: bool) -> None:
    made = interpolate.NearestNDInterpolator(POINTS, VALUES.ravel(), rescale=rescale)
    for data in _written(made, (2, 3, 4, 5)):
        np.testing.assert_array_equal(_load(data)(POINTS[::-1] / 2), made(POINTS[::-1] / 2))


def test_no_other_object_shares_the_memory_of_the_points() -> None:
    for made in (POLYNOMIALS["cubic"], interpolate.RegularGridInterpolator(GRID, VALUES)):
        arrays = [made.c, made.x] if hasattr(made, "c") else [*made.grid, made.values]
        loaded, *others = _load(forged([made, *arrays], Unmet, lambda r: r))
        for other in others:
            other[...] = np.nan
        asked = ASKED if hasattr(made, "c") else POINTS
        np.testing.assert_array_equal(loaded(asked), made(asked))


# --- what is not --------------------------------------------------------------------------------

FLAT: list[dict[str, Any]] = [
    {"c": lambda c: c[:, :-1].copy()},
    {"c": lambda c: np.concatenate((c, c), axis=1)},
    {"c": lambda c: c[0].copy()},
    {"c": lambda c: c[:0].copy()},
    {"c": lambda c: c.astype(object)},
    {"c": lambda c: c.astype("i8")},
    {"c": lambda c: c.astype("f4").astype("U8")},
    {"c": lambda c: c.tolist()},
    {"c": None},
    {"c": ...},
    {"x": X[:-1].copy()},
    {"x": np.full(8, np.nan)},
    {"x": X[[0, 2, 1, 3, 4, 5, 6, 7]].copy()},
    {"x": X[:, None].copy()},
    {"x": X.astype(object)},
    {"x": X.astype("i8")},
    {"x": X.tolist()},
    {"x": ...},
    {"axis": -1},
    {"axis": 1},
    {"axis": 2**31},
    {"axis": 0.0},
    {"axis": True},
    {"axis": None},
    {"extrapolate": None},
    {"extrapolate": 1},
    {"extrapolate": "always"},
    {"extrapolate": ["periodic"]},
    {"extra": 1},
    {"_asarray": np.sum},
    {"_asarray": 5},
]


@pytest.mark.parametrize("edits", FLAT)
@pytest.mark.parametrize("name", ["powers", "bernstein", "cubic", "akima"])
def test_no_polynomial_reads_a_coefficient_that_is_not_there(name: str, edits: dict[str, Any]) -> None:
    _refused(POLYNOMIALS[name], **edits)


@pytest.mark.parametrize(
    "edits",
    [
        {"_kind": "spline"},
        {"_kind": "zero"},
        {"_kind": "__class__"},
        {"_kind": 3},
        {"_kind": None},
        {"x": X[:-1].copy()},
        {"x": X[:0].copy()},
        {"x": np.stack((X, X))},
        {"x": X * 1j},
        {"x": X.astype(object)},
        {"x": X.astype("U8")},
        {"y": Y[:-1].copy()},
        {"y": np.array(1.0)},
        {"y": Y.astype(object)},
        {"y": Y.tolist()},
        {"y": ...},
        {"axis": 1},
        {"axis": -2},
        {"axis": 0.5},
        {"axis": None},
        {"bounds_error": 1},
        {"bounds_error": np.bool_(True)},
        {"_fill_value_orig": "constant"},
        {"_fill_value_orig": (1, 2, 3)},
        {"_fill_value_orig": ("extrapolate", 1)},
        {"_fill_value_orig": [1, 2]},
        {"_fill_value_orig": np.arange(3.0)},
        {"_fill_value_orig": np.array([None])},
        {"_fill_value_orig": None},
        {"_fill_value_orig": ...},
    ],
)
def test_interp1d_is_made_by_its_constructor(edits: dict[str, Any]) -> None:
    _refused(interpolate.interp1d(X, Y), **edits)


def test_interp1d_takes_neither_functions_nor_tables_of_the_file() -> None:
    made = interpolate.interp1d(X, Y)
    edits = {"_call": np.log, "_y": np.ones((1, 1)), "_y_axis": 7, "_y_extra_shape": (10**9,), "x_bds": np.ones(1)}
    loaded = _load(forged(made, interpolate.interp1d, _edited(**edits)))
    np.testing.assert_array_equal(loaded(ASKED), made(ASKED))


TAKE = b"c__builtin__\ngetattr\ncscipy.interpolate._interpolate\ninterp1d\nq\x00"
LINEAR = b"X\x0c\x00\x00\x00_call_linear"


@pytest.mark.parametrize(
    "opcodes",
    [
        TAKE + b"X\x08\x00\x00\x00__init__\x86R",
        TAKE + b"X\x03\x00\x00\x00mro\x86R",
        TAKE + b"X\x14\x00\x00\x00_call_linear.__get__\x86R",
        TAKE + LINEAR + b"N\x87R",
        TAKE + LINEAR + b"\x86RN\x85R",
        TAKE + LINEAR + b"\x86R}b",
        TAKE + LINEAR + b"\x86q\x01R\x85h\x01\x86",
        b"](" + TAKE + LINEAR + b"\x86Rh\x00e",
        TAKE + b")\x81" + LINEAR + b"\x86R",
        TAKE.replace(b"interp1d", b"PPoly") + LINEAR + b"\x86R",
    ],
    ids=[
        "another method", "of the type", "a path", "a default", "called", "built", "the arguments kept",
        "the class kept", "of an object", "of another class",
    ],
)  # fmt: skip
def test_of_the_class_only_what_it_is_called_by_is_asked_for(opcodes: bytes) -> None:
    with pytest.raises(SafeloadError):
        _load(b"\x80\x02" + opcodes + b".")


def test_what_it_is_called_by_can_do_nothing_elsewhere() -> None:
    found = _load(b"\x80\x02" + TAKE + LINEAR + b"\x86R.")
    assert not callable(found)
    with pytest.raises(CodecError):
        pickle.dumps(found)


@pytest.mark.parametrize("order", [-1, 21, 2**31, 2.0, "cubic", None])
def test_interp1d_takes_the_order_of_a_spline_that_is_one(order: Any) -> None:
    made = interpolate.interp1d(X, Y, kind="cubic")
    other = Ridge()
    other.k = order
    for spline in (None, order, {"k": order}, other):
        _refused(made, _spline=spline)


@pytest.mark.parametrize(
    "edits",
    [
        {"grid": (*GRID, X)},
        {"grid": (GRID[1], GRID[0])},
        {"grid": ()},
        {"grid": list(GRID)},
        {"grid": (GRID[0], GRID[1] * 0)},
        {"grid": (GRID[0], GRID[1] * np.nan)},
        {"grid": (GRID[0], GRID[1].astype(object))},
        {"grid": (GRID[0], GRID[1].astype("i8"))},
        {"grid": (GRID[0], GRID[1][[0, 2, 1, 3, 4]].copy())},
        {"grid": (GRID[0], GRID[1][:, None].copy())},
        {"grid": ...},
        {"grid": (np.zeros(1),) * 30, "values": np.ones((1,) * 30)},  # 2**30 corners
        {"values": VALUES[:, :-1].copy()},
        {"values": VALUES[:-1].copy()},
        {"values": VALUES.ravel()},
        {"values": VALUES.T.copy()},
        {"values": VALUES.astype(object)},
        {"values": VALUES.tolist()},
        {"values": None},
        {"method": "cubic"},
        {"method": "pchip"},
        {"method": "_spline"},
        {"method": 1},
        {"bounds_error": 1},
        {"fill_value": "nan"},
        {"fill_value": 1j},
        {"fill_value": [0]},
        {"_spline": interpolate.CubicSpline(X, Y)},
        {"_asarray": np.sum},
    ],
)
def test_a_grid_has_a_value_for_each_crossing(edits: dict[str, Any]) -> None:
    _refused(interpolate.RegularGridInterpolator(GRID, VALUES), **edits)


@pytest.mark.parametrize(
    "edits",
    [
        {"tree": None},
        {"tree": ...},
        {"tree": POINTS},
        {"tree": {"query": 1}},
        {"tree": Ridge()},
        {"tree": KDTree(POINTS[:5])},
        {"values": VALUES.ravel()[:5]},
        {"values": VALUES.astype(object).ravel()},
        {"values": np.array(1.0)},
        {"values": {}},
        {"values": ...},
        {"__call__": np.log},
    ],
)
def test_the_nearest_is_found_by_a_tree_of_as_many_points(edits: dict[str, Any]) -> None:
    made = interpolate.NearestNDInterpolator(POINTS, VALUES.ravel())
    with pytest.raises(SafeloadError):
        _load(forged(made, type(made), _edited(**edits)))


ORDERS: dict[str, Callable[[Any], Any]] = {
    "no state": lambda r: r[:2],
    "an empty state": lambda r: (*r[:2], {}),
    "empty slots": lambda r: (*r[:2], (None, {})),
    "a list": lambda r: (*r[:2], []),
    "three parts": lambda r: (*r[:2], (None, {}, {})),
    "a number": lambda r: (*r[:2], 5),
}
ALL = (*POLYNOMIALS.values(), interpolate.interp1d(X, Y), interpolate.RegularGridInterpolator(GRID, VALUES))


@pytest.mark.parametrize("how", ORDERS)
def test_an_interpolator_is_made_in_one_way_only(how: str) -> None:
    for made in ALL:
        with pytest.raises(SafeloadError):
            _load(forged(made, type(made), ORDERS[how]))


@pytest.mark.parametrize("what", ["UnivariateSpline", "NdBSpline", "RBFInterpolator", "LinearNDInterpolator"])
def test_what_compiled_code_takes_on_trust_is_left_out(what: str) -> None:
    spline = interpolate.make_interp_spline(X, Y)
    made = {
        "UnivariateSpline": lambda: interpolate.UnivariateSpline(X, Y),
        "NdBSpline": lambda: interpolate.NdBSpline((spline.t, spline.t), np.ones((8, 8)), 3),
        "RBFInterpolator": lambda: interpolate.RBFInterpolator(POINTS, VALUES.ravel()),
        "LinearNDInterpolator": lambda: interpolate.LinearNDInterpolator(POINTS, VALUES.ravel()),
    }[what]()
    with pytest.raises(DisallowedGlobalError):
        _load(pickle.dumps(made))


FUZZER = """
import io, random, sys
import numpy as np
from scipy import interpolate
import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged

chance = random.Random(int(sys.argv[1]))
x = np.arange(8.0); y = np.sin(x); grid = (np.arange(4.0), np.arange(5.0)); points = np.random.rand(20, 2)
made = [interpolate.PPoly(np.ones((3, 7)), x), interpolate.BPoly(np.ones((3, 7, 2)), x), interpolate.CubicSpline(x, y),
        interpolate.PchipInterpolator(x, y), interpolate.interp1d(x, y), interpolate.interp1d(x, y, kind="cubic"),
        interpolate.RegularGridInterpolator(grid, np.ones((4, 5)), bounds_error=False),
        interpolate.NearestNDInterpolator(points, points[:, 0])]
numbers = [0, 1, -1, 2, 3, 7, 8, 9, 1e300, -1e300, float("nan"), float("inf"), 2**31, 2**62]

def changed(value):
    if isinstance(value, np.ndarray) and value.size and chance.random() < 0.6:
        value = value.copy()
        value.flat[chance.randrange(value.size)] = chance.choice(numbers[:12])
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        return chance.choice([value[:-1].copy(), value[..., None].copy(), np.concatenate([value, value]),
                              value.T.copy(), np.asfortranarray(value), value.astype("f4")])
    if isinstance(value, tuple) and value:
        place = chance.randrange(len(value))
        return (*value[:place], changed(value[place]), *value[place + 1:])
    if isinstance(value, dict) and value:
        name = chance.choice(list(value))
        return {**value, name: changed(value[name])}
    return chance.choice(numbers) if isinstance(value, (int, float)) else value

loaded = refused = 0
for turn in range(int(sys.argv[2])):
    value = chance.choice(made)
    kind = type(getattr(value, "_delegate_to", value))
    data = forged(value, kind, lambda r: (*r[:2], changed(r[2])))
    try:
        result = safeload.load_untrusted(io.BytesIO(data))
    except SafeloadError:
        refused += 1
        continue
    loaded += 1
    try:
        result(points if "ND" in type(value).__name__ or "Grid" in type(value).__name__ else np.linspace(0, 7, 9))
    except (ValueError, TypeError, IndexError, FloatingPointError):
        pass
print(loaded, refused)
"""


@pytest.mark.parametrize("seed", range(2))
def test_changed_states_never_crash_the_process(seed: int) -> None:
    assert_no_crash(FUZZER, seed, 600)
