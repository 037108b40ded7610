"""Sparse matrices and splines come back as they were, and no state of theirs makes C++ read elsewhere."""

from __future__ import annotations

import copyreg
import io
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
import scipy.sparse
from scipy.interpolate import BSpline, make_interp_spline

import safeload
from safeload.errors import CodecError, SafeloadError
from testkit.forging import forged, forged_joblib, with_state
from testkit.mutations import assert_no_crash

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
KINDS = ("array", "matrix")
DTYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "g", "c8", "c16", "G")
DENSE = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]], dtype=np.float64)
# Shape (3, 4) with stored items (0, 1), (0, 3), (2, 0), (2, 3).
MANY = 2**40


class Unmet:
    """Of this class no object is pickled: nothing is changed."""


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def _round_trips(value: Any) -> list[Any]:
    written = [forged(value, Unmet, lambda r: r, protocol) for protocol in range(6)]
    for protocol in range(6):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        written.append(buffer.getvalue())
    return [_load(data) for data in written]


def _make(layout: str, kind: str, dense: Any = DENSE) -> Any:
    return getattr(scipy.sparse, f"{layout}_{kind}")(dense)


def _refused(value: Any, kind: type | None = None, **edits: Any) -> None:
    """Both writers, so that arrays of joblib and of numpy are both looked at."""
    for write in (forged, forged_joblib):
        with pytest.raises(CodecError):
            _load(write(value, kind or type(value), with_state(**edits)))


# --- what is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", DTYPES)
def test_every_format_comes_back_with_every_dtype(layout: str, kind: str, code: str) -> None:
    matrix = _make(layout, kind, DENSE.astype(code))
    for loaded in _round_trips(matrix):
        assert type(loaded) is type(matrix)
        assert loaded.dtype == matrix.dtype
        assert loaded.maxprint == matrix.maxprint
        assert repr(loaded) == repr(matrix)
        assert str(loaded) == str(matrix)
        np.testing.assert_array_equal(loaded.toarray(), matrix.toarray())
        np.testing.assert_array_equal((loaded @ loaded.T).toarray(), (matrix @ matrix.T).toarray())


@pytest.mark.parametrize("layout", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_empty_matrices_come_back(layout: str, kind: str, shape: tuple[int, int]) -> None:
    matrix = getattr(scipy.sparse, f"{layout}_{kind}")(shape)
    for loaded in _round_trips(matrix):
        assert loaded.shape == shape
        assert loaded.nnz == 0


@pytest.mark.parametrize("layout", ["coo", "csr", "dok"])
def test_arrays_of_one_dimension_come_back(layout: str) -> None:
    vector = _make(layout, "array", DENSE[0])
    for loaded in _round_trips(vector):
        assert loaded.shape == (4,)
        np.testing.assert_array_equal(loaded.toarray(), DENSE[0])


def test_a_coo_array_of_three_dimensions_comes_back() -> None:
    dense = np.arange(24).reshape(2, 3, 4) % 3
    for loaded in _round_trips(scipy.sparse.coo_array(dense)):
        np.testing.assert_array_equal(loaded.toarray(), dense)


@pytest.mark.parametrize("blocksize", [(1, 1), (3, 2), (1, 4), (3, 4)])
def test_blocks_of_every_size_come_back(blocksize: tuple[int, int]) -> None:
    for loaded in _round_trips(scipy.sparse.bsr_array(DENSE, blocksize=blocksize)):
        assert loaded.blocksize == blocksize
        np.testing.assert_array_equal(loaded.toarray(), DENSE)


@pytest.mark.parametrize("layout", ["csr", "csc", "bsr", "coo"])
def test_wide_indices_stay_wide(layout: str) -> None:
    matrix = _make(layout, "array")
    if layout == "coo":
        matrix.coords = tuple(each.astype(np.int64) for each in matrix.coords)
    else:
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    for loaded in _round_trips(matrix):
        arrays = loaded.coords if layout == "coo" else (loaded.indices, loaded.indptr)
        assert {each.dtype for each in arrays} == {np.dtype(np.int64)}
        np.testing.assert_array_equal(loaded.toarray(), DENSE)


@pytest.mark.parametrize("kind", KINDS)
def test_unsorted_and_repeated_items_stay_so(kind: str) -> None:
    make = getattr(scipy.sparse, f"csr_{kind}")
    matrix = make((np.ones(4), np.array([3, 1, 0, 0]), np.array([0, 2, 4])), shape=(2, 4))
    assert not matrix.has_sorted_indices
    for loaded in _round_trips(matrix):
        assert not loaded.has_sorted_indices
        assert not loaded.has_canonical_format
        np.testing.assert_array_equal(loaded.indices, matrix.indices)
        np.testing.assert_array_equal(loaded.toarray(), matrix.toarray())


def test_a_coo_matrix_keeps_its_flag_when_it_is_true() -> None:
    matrix = scipy.sparse.coo_matrix(DENSE)
    assert all(loaded.has_canonical_format for loaded in _round_trips(matrix))
    twice = scipy.sparse.coo_matrix(([1.0, 2.0], ([0, 0], [1, 1])), shape=(2, 2))
    assert not any(loaded.has_canonical_format for loaded in _round_trips(twice))


def test_maxprint_is_kept() -> None:
    for layout in FORMATS:
        matrix = _make(layout, "array")
        matrix.maxprint = 3
        assert {loaded.maxprint for loaded in _round_trips(matrix)} == {3}


def test_states_of_older_releases_load() -> None:
    coo = scipy.sparse.coo_matrix(DENSE)
    older = with_state(coords=..., row=coo.row, col=coo.col)
    np.testing.assert_array_equal(_load(forged(coo, type(coo), older)).toarray(), DENSE)
    dok = scipy.sparse.dok_matrix(DENSE)
    for protocol in range(6):
        data = forged(dok, type(dok), with_state(_dict=...), protocol)  # the items stand in the arguments alone
        np.testing.assert_array_equal(_load(data).toarray(), DENSE)


@pytest.mark.parametrize("extrapolate", [True, False, "periodic"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("k", [0, 1, 3, 5])
def test_splines_of_every_kind_come_back(extrapolate: Any, axis: int, k: int) -> None:
    spline = BSpline(np.arange(20.0), np.random.default_rng(0).normal(size=(20, 20, 20)), k, extrapolate, axis)
    points = np.linspace(-1, 21, 50)
    for loaded in _round_trips(spline):
        assert (loaded.k, loaded.axis, loaded.extrapolate) == (k, axis, extrapolate)
        assert vars(loaded).keys() == vars(spline).keys()
        np.testing.assert_array_equal(loaded(points), spline(points))


def test_a_spline_of_complex_numbers_comes_back() -> None:
    spline = make_interp_spline(np.arange(6.0), np.arange(6) * 1j)
    for loaded in _round_trips(spline):
        np.testing.assert_array_equal(loaded([0.5, 2.5]), spline([0.5, 2.5]))


# --- what is not --------------------------------------------------------------------------------


INDICES = [
    np.array([1, 4, 0, 3], np.int32),
    np.array([1, -1, 0, 3], np.int32),
    np.array([1, MANY, 0, 3], np.int64),
    np.array([1, 3, 0], np.int32),
    np.array([1, 3, 0, 3, 3], np.int32),
    np.array([1.0, 3.0, 0.0, 3.0]),
    np.array([1, 3, 0, 3], np.uint32),
    np.array([1, 3, 0, 3], object),
    np.array([[1, 3], [0, 3]], np.int32),
    np.ma.masked_array(np.array([1, 3, 0, 3], np.int32)),
    [1, 3, 0, 3],
    None,
]
POINTERS = [
    np.array([0, 2, 2, 5], np.int32),
    np.array([0, 2, 2, MANY], np.int64),
    np.array([0, 9, 2, 4], np.int32),
    np.array([0, -2, 2, 4], np.int32),
    np.array([1, 2, 2, 4], np.int32),
    np.array([0, 2, 4], np.int32),
    np.array([0, 2, 2, 2, 4], np.int32),
    np.array([], np.int32),
    np.array([[0], [2], [2], [4]], np.int32),
    (0, 2, 2, 4),
]
SHAPES = [(3,), (3, 3), (2, 4), (4, 4), (-3, 4), (3, -4), (3, 2**64), (3, 4, 1), [3, 4], (3.0, 4), (True, 4), None, ()]
DATA = [np.ones(3), np.ones(5), np.ones((4, 1)), np.array([1, 2, 3, "a"], object), np.array(["a"] * 4), [1.0] * 4]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "edit",
    [{"indices": each} for each in INDICES]
    + [{"indptr": each} for each in POINTERS]
    + [{"_shape": each} for each in SHAPES]
    + [{"data": each} for each in DATA]
    + [{"data": ...}, {"indices": ...}, {"indptr": ...}, {"_shape": ...}]
    + [{"shape": (3, 4)}, {"format": "csc"}, {"maxprint": "x"}, {"_has_sorted_indices": 1}, {"toarray": 1}],
)
def test_no_state_of_csr_points_elsewhere(kind: str, edit: dict[str, Any]) -> None:
    _refused(_make("csr", kind), **edit)


@pytest.mark.parametrize("edit", [{"indices": np.array([1, 3, 0, 3], np.int32)}, {"_shape": (3, 4)}])
def test_csc_is_checked_by_columns(edit: dict[str, Any]) -> None:
    _refused(_make("csc", "matrix", DENSE.T[:, :3].T[:, :3]), **edit)


@pytest.mark.parametrize(
    "edit",
    [
        {"data": np.ones((4, 0, 1))},
        {"data": np.ones((4, 1, 0))},
        {"data": np.ones((4, 2, 1))},
        {"data": np.ones((4, 1, 3))},
        {"data": np.ones(4)},
        {"data": np.ones((3, 1, 1))},
        {"data": np.ones((4, 1, 2))},  # the indices count columns of half as many blocks
        {"indices": np.array([1, 3, 0, 4], np.int32)},
        {"indptr": np.array([0, 2, 2, 5], np.int32)},
        {"_shape": (3, 3)},
    ],
)
def test_no_block_reaches_beyond_the_matrix(edit: dict[str, Any]) -> None:
    _refused(scipy.sparse.bsr_matrix(DENSE, blocksize=(1, 1)), **edit)


ROW, COL = np.array([0, 0, 2, 2], np.int32), np.array([1, 3, 0, 3], np.int32)


@pytest.mark.parametrize(
    "edit",
    [{"coords": (ROW, each)} for each in INDICES]
    + [{"coords": (COL, ROW)}, {"coords": (ROW,)}, {"coords": [ROW, COL]}, {"coords": (ROW, COL, COL)}]
    + [{"coords": ..., "row": ROW, "col": COL + 1}, {"coords": ..., "row": ROW}, {"row": ROW}]
    + [{"_shape": each} for each in SHAPES if each != (4, 4)]
    + [{"data": each} for each in DATA],
)
def test_no_coordinate_lies_outside_of_a_coo_matrix(edit: dict[str, Any]) -> None:
    _refused(_make("coo", "matrix"), **edit)


@pytest.mark.parametrize(
    "edit",
    [
        {"offsets": np.array([-2, 1, 2**31 - 1], np.int32)},
        {"offsets": np.array([-(2**31), 1, 3], np.int32)},
        {"offsets": np.array([-2, 1, MANY])},
        {"offsets": np.array([-2, 1, 1], np.int32)},
        {"offsets": np.array([-2, 1], np.int32)},
        {"offsets": np.array([[-2, 1, 3]], np.int32)},
        {"data": np.ones((2, 4))},
        {"data": np.ones(4)},
        {"data": np.full((3, 4), None)},
        {"_shape": (-3, 4)},
    ],
)
def test_no_diagonal_lies_outside_of_a_dia_matrix(edit: dict[str, Any]) -> None:
    _refused(_make("dia", "matrix"), **edit)


@pytest.mark.parametrize(
    "items",
    [
        {(0, 4): 1.0},
        {(3, 0): 1.0},
        {(-1, 0): 1.0},
        {(0, 2**60): 1.0},
        {(0, 0.5): 1.0},
        {(0,): 1.0},
        {(0, 0, 0): 1.0},
        {0: 1.0},
        {"a": 1.0},
        {(0, 0): "a"},
        {(0, 0): None},
        {(0, 0): [1.0]},
        [(0, 0)],
    ],
)
def test_no_key_lies_outside_of_a_dok_matrix(items: Any) -> None:
    for kind in KINDS:
        _refused(_make("dok", kind), _dict=items)


@pytest.mark.parametrize("dtype", [np.dtype(object), np.dtype("U3"), np.dtype("V8"), "f8", None])
def test_dok_and_lil_hold_numbers(dtype: Any) -> None:
    _refused(_make("dok", "matrix"), dtype=dtype)
    _refused(_make("lil", "array"), dtype=dtype)


def _rows(*rows: Any) -> Any:
    made = np.empty(len(rows), object)
    made[:] = rows
    return made


@pytest.mark.parametrize(
    "edit",
    [
        {"rows": _rows([1, 4], [], [0, 3])},
        {"rows": _rows([1, -1], [], [0, 3])},
        {"rows": _rows([3, 1], [], [0, 3])},
        {"rows": _rows([1, 1], [], [0, 3])},
        {"rows": _rows([1], [], [0, 3])},
        {"rows": _rows([1, 2**70], [], [0, 3])},
        {"rows": _rows([1, 2.5], [], [0, 3])},
        {"rows": _rows([1, "a"], [], [0, 3])},
        {"rows": _rows([1, 3], None, [0, 3])},
        {"rows": _rows([1, 3], (), [0, 3])},
        {"rows": _rows([1, 3], [0, 3])},
        {"rows": _rows([1, 3], [], [0, 3], [])},
        {"rows": np.array([[1, 3], [0, 3], [0, 3]])},
        {"rows": [[1, 3], [], [0, 3]]},
        {"data": _rows([1.0, 2.0], [], [3.0])},
        {"data": _rows([1.0, "a"], [], [3.0, 4.0])},
        {"data": _rows([1.0, 2.0], [1.0], [4.0])},
        {"_shape": (4, 4)},
        {"_shape": (3, 3)},
        {"_shape": (2**40, 4)},
    ],
)
def test_the_lists_of_lil_fit_each_other(edit: dict[str, Any]) -> None:
    for kind in KINDS:
        _refused(_make("lil", kind), **edit)


@pytest.mark.parametrize(
    "edit",
    [
        {"k": 19},
        {"k": -1},
        {"k": 2**31},
        {"k": 3.0},
        {"k": True + 0.5},
        {"axis": 2},
        {"axis": -1},
        {"axis": None},
        {"extrapolate": 1},
        {"extrapolate": "x"},
        {"_t": np.arange(10.0)[::-1].copy()},
        {"_t": np.arange(11.0)},
        {"_t": np.arange(7.0)},
        {"_t": np.zeros(10)},
        {"_t": np.full(10, np.nan)},
        {"_t": np.arange(10)},
        {"_t": np.arange(10.0)[:, None]},
        {"_t": None},
        {"_c": np.ones(5)},
        {"_c": np.ones(0)},
        {"_c": np.float64(1.0)},
        {"_c": np.ones(6, object)},
        {"_c": np.ones(6, np.float32)},
        {"_c": np.ones(6, np.int64)},
        {"_c": ...},
        {"x": np.arange(10.0)},
        {"_asarray": np.sum},
        {"_asarray": 1},
    ],
)
def test_a_spline_reads_no_coefficient_that_is_not_there(edit: dict[str, Any]) -> None:
    spline = make_interp_spline(np.arange(6.0), np.arange(6.0))
    spline = getattr(spline, "_delegate_to", spline)  # where scipy 1.18 keeps it
    if not hasattr(spline, "_t"):
        edit = {name.lstrip("_"): value for name, value in edit.items()}
    _refused(spline, **edit)


Reduction = tuple[Any, ...]
ORDERS: dict[str, Callable[[Reduction], Reduction]] = {
    "no state": lambda r: r[:2],
    "an empty state": lambda r: (*r[:2], {}),
    "a slot state": lambda r: (*r[:2], (None, r[2])),
    "a dict and slots": lambda r: (*r[:2], (r[2], {"indptr": np.arange(3)})),
    "a list": lambda r: (*r[:2], list(r[2].items())),
    "items": lambda r: (*r[:3], None, iter([("a", 1)])),
    "appended": lambda r: (*r[:3], iter([1])),
}


@pytest.mark.parametrize("how", ORDERS)
@pytest.mark.parametrize("layout", FORMATS)
def test_a_matrix_is_made_in_one_way_only(layout: str, how: str) -> None:
    matrix = _make(layout, "matrix")
    with pytest.raises(SafeloadError):
        _load(forged(matrix, type(matrix), ORDERS[how]))


@pytest.mark.parametrize("over", [(dict, {}), (list, []), (object, 1), (int, 5), (dict, None)])
@pytest.mark.parametrize("layout", ["csr", "lil"])
def test_a_matrix_made_over_another_class_is_refused(layout: str, over: tuple[type, Any]) -> None:
    matrix = _make(layout, "matrix")
    function: Any = copyreg.__dict__["_reconstructor"]
    data = forged(matrix, type(matrix), lambda r: (function, (type(matrix), *over), r[2]))
    with pytest.raises(SafeloadError):
        _load(data)


@pytest.mark.parametrize("layout", ["csr", "csc", "bsr", "coo"])
def test_no_other_object_shares_the_memory_of_the_indices(layout: str) -> None:
    matrix = _make(layout, "matrix")
    arrays = matrix.coords if layout == "coo" else (matrix.indices, matrix.indptr)
    for protocol in range(6):
        data = forged([matrix, *arrays], Unmet, lambda r: r, protocol)
        loaded, *others = _load(data)
        mine = loaded.coords if layout == "coo" else (loaded.indices, loaded.indptr)
        assert not any(np.shares_memory(a, b) for a in mine for b in others)


def test_a_tuple_of_coordinates_can_be_named_twice_without_harm() -> None:
    matrix = _make("coo", "matrix")
    loaded, coords = _load(forged_joblib([matrix, matrix.coords], Unmet, lambda r: r))
    coords[0][:] = 1_000_000
    np.testing.assert_array_equal(loaded.toarray(), DENSE)


def test_lists_of_a_lil_matrix_can_be_appended_to_without_harm() -> None:
    matrix = _make("lil", "matrix")
    loaded, row, values = _load(forged([matrix, matrix.rows[0], matrix.data[0]], Unmet, lambda r: r))
    row.append(1_000_000)
    values.clear()
    np.testing.assert_array_equal(loaded.toarray(), DENSE)


FUZZER = """
import io, random, sys
import numpy as np, scipy.sparse
from scipy.interpolate import make_interp_spline
import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged, with_state

dense = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4.0]])
chance = random.Random(int(sys.argv[1]))
values = [getattr(scipy.sparse, f"{f}_{k}")(dense) for f in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
          for k in ("matrix", "array")] + [make_interp_spline(np.arange(6.0), np.arange(12.0).reshape(6, 2))]
numbers = (0, 1, -1, 2, 3, 4, 5, 7, 2**31 - 1, -2**31, 2**31, 2**62, 10**6)

def changed(value):
    if isinstance(value, np.ndarray) and value.dtype != object and value.size and chance.random() < 0.8:
        value = value.copy()
        number = chance.choice(numbers)
        if value.dtype == np.int32 and abs(number) > 2**31 - 1:
            value = value.astype(np.int64)
        value.flat[chance.randrange(value.size)] = number
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        return chance.choice([value[:-1].copy(), value[..., None].copy(), np.concatenate([value, value])])
    if isinstance(value, tuple) and value:
        place = chance.randrange(len(value))
        return (*value[:place], changed(value[place]), *value[place + 1:])
    if isinstance(value, dict):
        return {changed(k): v for k, v in value.items()}
    return chance.choice(numbers) if isinstance(value, (int, np.integer)) else value

def used(value):
    if hasattr(value, "toarray"):
        if max(value.shape, default=0) > 10**4:
            return
        value.toarray(); value @ np.ones(value.shape[-1]); value.sum()
        if value.ndim == 2:
            value.tocsr() @ value.T; value.tocsc().sort_indices(); value.tocoo().sum_duplicates(); value.tolil()[0:1]
    else:
        value(np.linspace(-1, 7, 9)); value.derivative()

loaded = refused = 0
for turn in range(int(sys.argv[2])):
    value = chance.choice(values)
    name = chance.choice(list(vars(value)))
    data = forged(value, type(value), with_state(**{name: changed(vars(value)[name])}), chance.randrange(2, 6))
    try:
        result = safeload.load_untrusted(io.BytesIO(data))
    except SafeloadError:
        refused += 1
        continue
    loaded += 1
    try:
        used(result)
    except (ValueError, TypeError, IndexError, NotImplementedError, ZeroDivisionError) as error:
        pass
print(loaded, refused)
"""


@pytest.mark.parametrize("seed", range(3))
def test_changed_states_never_crash_the_process(seed: int) -> None:
    assert_no_crash(FUZZER, seed, 400)
