"""No array, dtype, time or offset of pandas is another than its constructors make."""

from __future__ import annotations

import copyreg
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import pytest
from sklearn.preprocessing import FunctionTransformer

from safeload.errors import SafeloadError
from testkit.forged_frames import (
    BETWEEN,
    BLOCKS,
    CATEGORIES,
    CATEGORY,
    DATES,
    LEVELS,
    PERIODS,
    SPANS,
    SPARSE,
    arguments,
    backing,
    load,
    refused,
    unchanged,
)
from testkit.forging import forged, with_state
from testkit.frames import VERSION, objects_of, text

if TYPE_CHECKING:
    Reduction = tuple[Any, ...]

pd: Any = pandas  # whose types know less than it does
arrays = pd.arrays
MANY = 2**40
NAN = float("nan")


# --- arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edits",
    [
        {"values": np.array([0, 1, 3, 0], "i1")},
        {"values": np.array([0, 1, -2, 0], "i1")},
        {"values": np.array([0, 1, -128, 0], "i1")},
        {"values": np.array([0, 1, MANY, 0])},
        {"values": np.array([0, 1, 255, 0], "u1")},
        {"values": np.array([0, 1, 2, 0], ">i4").view("V4")},
        {"values": np.array([0.0, 1.0, 2.0, 0.0])},
        {"values": np.array([[0, 1, 2, 0]], "i1")},
        {"values": objects_of(0, 1, 2, 0).to_numpy()},
        {"values": [0, 1, 2, 0]},
        {"values": None},
        {"dtype": pd.CategoricalDtype([1, 2])},
        {"dtype": pd.CategoricalDtype()},
        {"dtype": pd.PeriodDtype("D")},
        {"dtype": np.dtype("i1")},
        {"dtype": None},
        {"extra": {"_codes": 1}},
        {"extra": {"_ndarray": np.array([0, 1, 9, 0], "i1")}},
        {"extra": {"_readonly": 1}},
        {"extra": 5},
    ],
)
def test_no_code_lies_outside_of_the_categories(edits: dict[str, Any]) -> None:
    unchanged(CATEGORIES, type(CATEGORIES))
    refused(CATEGORIES, type(CATEGORIES), backing(**edits))


BACKED: list[tuple[Any, dict[str, Any]]] = [
    (DATES, {"values": np.zeros(3, "M8[D]"), "dtype": np.dtype("M8[D]")}),
    (DATES, {"values": np.zeros(3, "M8[25s]"), "dtype": np.dtype("M8[25s]")}),
    (DATES, {"values": np.zeros(3, "M8"), "dtype": np.dtype("M8")}),
    (DATES, {"values": np.zeros(3, "M8[s]")}),
    (DATES, {"values": np.zeros(3, "i8")}),
    (DATES, {"values": np.zeros(3, "m8[ns]")}),
    (DATES, {"values": np.zeros((1, 1, 3), "M8[ns]")}),
    (DATES, {"values": objects_of(1, 2, 3).to_numpy()}),
    (DATES, {"dtype": pd.DatetimeTZDtype("s", "UTC")}),
    (DATES, {"dtype": "M8[ns]"}),
    (DATES, {"extra": {"_freq": "D"}}),
    (DATES, {"extra": {"_freq": 5}}),
    (DATES, {"extra": {"freq": None}}),
    (SPANS, {"values": np.zeros(3, "M8[ns]")}),
    (SPANS, {"values": np.zeros(3, "m8[D]"), "dtype": np.dtype("m8[D]")}),
    (SPANS, {"values": np.zeros(3, "i8")}),
    (PERIODS, {"values": np.zeros(3, "i4")}),
    (PERIODS, {"values": np.zeros(3, "f8")}),
    (PERIODS, {"values": np.zeros(3, "M8[D]")}),
    (PERIODS, {"dtype": np.dtype("i8")}),
    (text("a", "b"), {"values": objects_of("a", 1).to_numpy()}),
    (text("a", "b"), {"values": objects_of("a", b"b").to_numpy()}),
    (text("a", "b"), {"values": np.array(["a", "b"])}),
    (text("a", "b"), {"values": np.zeros(2)}),
    (text("a", "b"), {"values": objects_of("a").to_numpy()[None]}),
    (text("a", "b"), {"dtype": np.dtype("O")}),
    (arrays.NumpyExtensionArray(np.arange(3)), {"values": np.zeros(3)}),
    (arrays.NumpyExtensionArray(np.arange(3)), {"values": np.zeros(3, "V3")}),
    (arrays.NumpyExtensionArray(np.arange(3)), {"dtype": np.dtype("i8")}),
]


@pytest.mark.parametrize(("value", "edits"), BACKED)
def test_an_array_of_pandas_has_the_memory_that_its_dtype_asks_for(value: Any, edits: dict[str, Any]) -> None:
    unchanged(value, type(value))
    refused(value, type(value), backing(**edits))


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("other", [None, pd.DataFrame, pd.RangeIndex, arrays.IntegerArray, np.ndarray, dict, "x", (1,)])
def test_only_arrays_are_made_by_the_functions_for_arrays(place: int, other: Any) -> None:
    if (place, other) == (2, None):
        return
    for value in (CATEGORIES, BETWEEN.array):
        refused(value, type(value), arguments({place: other}))


@pytest.mark.parametrize(
    "edits",
    [
        {"_left": np.array([0, 1])},
        {"_left": np.array([9, 1, 2])},
        {"_left": np.array([0.0, 1.0, 2.0])},
        {"_left": np.array([[0, 1, 2]])},
        {"_left": pd.Index([0, 1, 2])},
        {"_left": DATES},
        {"_left": None},
        {"_readonly": 1},
        {"_dtype": pd.IntervalDtype("f8", "right")},
        {"_dtype": pd.IntervalDtype()},
        {"_dtype": None},
        {"_left": ...},
        {"_mask": 1},
    ],
)
def test_both_sides_of_an_array_of_intervals_fit(edits: dict[str, Any]) -> None:
    def changed(reduction: Reduction) -> Reduction:
        state = {name: value for name, value in {**reduction[2][0], **edits}.items() if value is not ...}
        return (*reduction[:2], (state,))

    unchanged(BETWEEN.array, arrays.IntervalArray)
    refused(BETWEEN.array, arrays.IntervalArray, changed)


@pytest.mark.parametrize(
    "edits",
    [
        {"_data": np.zeros(2, "i8")},
        {"_data": np.zeros(4, "i8")},
        {"_data": np.zeros(3)},
        {"_data": np.zeros((1, 3), "i8")},
        {"_data": [1, 2, 3]},
        {"_data": objects_of(1, 2, 3).to_numpy()},
        {"_mask": np.zeros(2, bool)},
        {"_mask": np.zeros(3, "u1")},
        {"_mask": np.full(3, 2, "u1").view(bool)},
        {"_mask": np.zeros((1, 3), bool)},
        {"_mask": None},
        {"_mask": ...},
        {"_dtype": 1},
        {"dtype": 1},
        {"_readonly": 2},
    ],
)
def test_a_mask_covers_all_values_and_no_more(edits: dict[str, Any]) -> None:
    value = pd.array([1, None, 3], dtype="Int64")
    unchanged(value, type(value))
    refused(value, type(value), with_state(**edits))


def test_truth_is_one_bit() -> None:
    value = pd.array([True, None, False], dtype="boolean")
    unchanged(value, type(value))
    for name in ("_data", "_mask"):
        refused(value, type(value), with_state(**{name: np.full(3, 2, "u1").view(bool)}))
    refused(pd.array([1.5], dtype="Float64"), arrays.FloatingArray, with_state(_data=np.zeros(1, "f2")))


@pytest.mark.parametrize(
    "edits",
    [
        {"_sparse_values": np.zeros(2, "i8")},
        {"_sparse_values": np.zeros(4, "i8")},
        {"_sparse_values": np.zeros(3)},
        {"_sparse_values": np.zeros((3, 1), "i8")},
        {"_sparse_values": [1, 2, 3]},
        {"_sparse_index": None},
        {"_sparse_index": np.array([2, 3, 5], "i4")},
        {"_dtype": np.dtype("i8")},
        {"_dtype": pd.SparseDtype("f8")},
        {"_dtype": ...},
        {"sp_index": 1},
    ],
)
def test_a_sparse_array_has_a_value_for_each_point(edits: dict[str, Any]) -> None:
    for value in (SPARSE, BLOCKS):
        unchanged(value, type(value))
        refused(value, type(value), with_state(**edits))


@pytest.mark.parametrize(
    ("value", "place", "other"),
    [
        (SPARSE, 0, 5),
        (SPARSE, 0, 2**24 + 1),
        (SPARSE, 0, -1),
        (SPARSE, 0, 2**70),
        (SPARSE, 0, 6.0),
        (SPARSE, 1, np.array([2, 3, 6], "i4")),
        (SPARSE, 1, np.array([-1, 3, 5], "i4")),
        (SPARSE, 1, np.array([3, 2, 5], "i4")),
        (SPARSE, 1, np.array([2, 2, 5], "i4")),
        (SPARSE, 1, np.array([2, 3, 5])),
        (SPARSE, 1, np.array([[2, 3, 5]], "i4")),
        (SPARSE, 1, [2, 3, 5]),
        (BLOCKS, 0, 5),
        (BLOCKS, 0, 2**24 + 1),
        (BLOCKS, 1, np.array([2, 6], "i4")),
        (BLOCKS, 1, np.array([-2, 5], "i4")),
        (BLOCKS, 1, np.array([5, 2], "i4")),
        (BLOCKS, 1, np.array([2, 3], "i4")),
        (BLOCKS, 1, np.array([2], "i4")),
        (BLOCKS, 2, np.array([2, 2], "i4")),
        (BLOCKS, 2, np.array([2, 0], "i4")),
        (BLOCKS, 2, np.array([4, -1], "i4")),
        (BLOCKS, 2, np.array([2, 2**31 - 1], "i4")),
        (BLOCKS, 2, np.array([-(2**31), 2**31 - 1], "i4")),
        (BLOCKS, 2, np.array([2, 1])),
    ],
)
def test_no_point_lies_outside_of_a_sparse_array(value: Any, place: int, other: Any) -> None:
    unchanged(value, type(value.sp_index))
    refused(value, type(value.sp_index), arguments({place: other}))


# --- dtypes -------------------------------------------------------------------------------------

DTYPES: list[tuple[Any, dict[str, Any]]] = [
    (CATEGORY, {"categories": ["a", "b"]}),
    (CATEGORY, {"categories": np.array([1, 2])}),
    (CATEGORY, {"categories": LEVELS}),
    (CATEGORY, {"categories": CATEGORY}),
    (CATEGORY, {"ordered": 1}),
    (CATEGORY, {"ordered": None}),
    (CATEGORY, {"ordered": ...}),
    (CATEGORY, {"_hash": 1}),
    (pd.DatetimeTZDtype("ns", "UTC"), {"tz": "Europe/Berlin"}),
    (pd.DatetimeTZDtype("ns", "UTC"), {"tz": "dateutil//etc/passwd"}),
    (pd.DatetimeTZDtype("ns", "UTC"), {"tz": None}),
    (pd.DatetimeTZDtype("ns", "UTC"), {"unit": "D"}),
    (pd.DatetimeTZDtype("ns", "UTC"), {"unit": 5}),
    (pd.IntervalDtype("i8", "left"), {"subtype": np.dtype("O")}),
    (pd.IntervalDtype("i8", "left"), {"subtype": np.dtype("V8")}),
    (pd.IntervalDtype("i8", "left"), {"subtype": "int64"}),
    (pd.IntervalDtype("i8", "left"), {"subtype": CATEGORY}),
    (pd.IntervalDtype("i8", "left"), {"closed": "up"}),
    (pd.IntervalDtype("i8", "left"), {"closed": 1}),
    (pd.SparseDtype("f8"), {"_dtype": np.dtype("V8")}),
    (pd.SparseDtype("f8"), {"_dtype": np.dtype("M8[D]")}),
    (pd.SparseDtype("f8"), {"_fill_value": {}}),
    (pd.SparseDtype("f8"), {"_dtype": "f8"}),
    (pd.SparseDtype("f8"), {"_fill_value": [1]}),
    (pd.SparseDtype("f8"), {"_fill_value": "x"}),
    (pd.SparseDtype("f8"), {"_fill_value": pd.Timestamp("2020")}),
    (arrays.NumpyExtensionArray(np.arange(3)).dtype, {"_dtype": "i8"}),
    (pd.Int64Dtype(), {"numpy_dtype": np.dtype("O")}),
    (pd.Int64Dtype(), {"type": dict}),
    (pd.Int64Dtype(), {"construct_array_type": dict}),
]


@pytest.mark.parametrize(("dtype", "edits"), DTYPES)
def test_a_dtype_is_one_that_pandas_has(dtype: Any, edits: dict[str, Any]) -> None:
    def changed(reduction: Reduction) -> Reduction:
        state = reduction[2] if isinstance(reduction[2], dict) else {}
        return with_state(**edits)((*reduction[:2], state))

    unchanged(dtype, type(dtype))
    refused(dtype, type(dtype), changed)


def test_what_a_dtype_kept_for_later_is_forgotten() -> None:
    lie = {"numpy_dtype": np.dtype("O"), "itemsize": 1000, "index_class": pd.Index}
    for kind in (pd.Int64Dtype, pd.BooleanDtype, pd.Float32Dtype):
        for protocol in range(6):
            data = forged(kind(), kind, lambda r: (*r[:2], {"_cache": lie}), protocol)
            loaded = load(data)
            assert vars(loaded) == {}
            assert loaded.numpy_dtype == kind().numpy_dtype


@pytest.mark.parametrize(
    "args", [(), ("python",), ("python", None), ("python", 0.0), ("ram", NAN), (5, NAN), ("python", [])]
)
def test_texts_are_kept_in_one_of_two_ways(args: tuple[Any, ...]) -> None:
    dtype = pd.StringDtype("python")
    if args == ():
        assert load(forged(dtype, type(dtype), lambda r: (type(dtype), ()))) == dtype
        return
    refused(dtype, type(dtype), lambda r: (type(dtype), args))


@pytest.mark.parametrize(
    "state",
    [
        {"storage": "ram"},
        {"storage": 5},
        {"storage": "python", "_na_value": 1},
        {"storage": "python", "x": 1},
        {},
        (1,),
        5,
    ],
)
def test_texts_of_pandas_2_2_are_kept_in_one_of_two_ways(state: Any) -> None:
    def older(state: Any) -> bytes:
        body = pickle.dumps(state, 2)[2:-1]
        return b"\x80\x02cpandas.core.arrays.string_\nStringDtype\n)\x81" + body + b"b."

    assert load(older({"storage": "python"})) == pd.StringDtype("python")
    with pytest.raises(SafeloadError):
        load(older(state))


@pytest.mark.parametrize(
    "name",
    ["period[0D]", "period[-3D]", "period[99999999999D]", "period[D", "D", "period[" + "D" * 99 + "]", "", 5, None],
)
def test_a_period_has_a_length(name: Any) -> None:
    refused(pd.PeriodDtype("D"), pd.PeriodDtype, lambda r: (r[0], (name,)))


# --- single times and offsets -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "args"),
    [
        (pd.Timestamp("2020"), (2**63, None, None, 10)),
        (pd.Timestamp("2020"), (1.5, None, None, 10)),
        (pd.Timestamp("2020"), (True, None, None, 10)),
        (pd.Timestamp("2020"), (1, "D", None, 10)),
        (pd.Timestamp("2020"), (1, None, "Europe/Berlin", 10)),
        (pd.Timestamp("2020"), (1, None, [1], 10)),
        (pd.Timestamp("2020"), (1, None, None, 6)),
        (pd.Timestamp("2020"), (1, None, None, 2**31)),
        (pd.Timestamp("2020"), (1, None)),
        (pd.Timedelta(1), (2**63, 10)),
        (pd.Timedelta(1), (1, 3)),
        (pd.Timedelta(1), ("1D", 10)),
        (pd.Timedelta(1), (1,)),
        (pd.Period("2020", "M"), (None, pd.offsets.MonthEnd(0), 1)),
        (pd.Period("2020", "M"), (None, pd.offsets.MonthEnd(-1), 1)),
        (pd.Period("2020", "M"), (None, pd.offsets.Day(2**31), 1)),
        (pd.Period("2020", "M"), (None, "M", 1)),
        (pd.Period("2020", "M"), (None, None, 1)),
        (pd.Period("2020", "M"), (None, pd.offsets.MonthEnd(), 2**63)),
        (pd.Period("2020", "M"), ("2020", pd.offsets.MonthEnd(), 1)),
        (pd.Interval(0, 1), (1, 0, "left")),
        (pd.Interval(0, 1), (0, 1, "up")),
        (pd.Interval(0, 1), (0, 1, None)),
        (pd.Interval(0, 1), ("a", "b", "left")),
        (pd.Interval(0, 1), (np.arange(2), np.arange(2), "left")),
        (pd.Interval(0, 1), (pd.Timestamp("2020"), 1, "left")),
        (pd.Interval(0, 1), (0, 1)),
    ],
)
def test_a_single_time_is_a_number_and_a_unit(value: Any, args: tuple[Any, ...]) -> None:
    unchanged(value, type(value))
    refused(value, type(value), lambda r: (r[0], args))


@pytest.mark.parametrize(
    ("offset", "args"),
    [
        (pd.offsets.Day(), (2**63, False)),
        (pd.offsets.Day(), (1.5, False)),
        (pd.offsets.Day(), (1, 1)),
        (pd.offsets.Day(), (1,)),
        (pd.offsets.Day(), ("1D",)),
        (pd.offsets.Week(), (1, False, 9)),
        (pd.offsets.YearEnd(), (1, False, 13)),
        (pd.offsets.FY5253(), (0, False, 1, 1, "nearest")),
        (pd.offsets.CustomBusinessDay(), (1, False, "Mon", (), pd.tseries, None)),
        (pd.offsets.CustomBusinessDay(), (1, False, "0000000", (), None, None)),
        (pd.offsets.CustomBusinessDay(), (1, False, "x" * 10_000, (), None, None)),
        (pd.offsets.CustomBusinessDay(), (1, False, "Mon", (pd.offsets.Day(),), None, None)),
        (pd.offsets.CustomBusinessDay(), (1, False, "Mon", ((((),),),), None, None)),
        (pd.offsets.CustomBusinessDay(), (1, False, "Mon", (np.datetime64("2020"),) * 5_001, None, None)),
        (pd.offsets.BusinessHour(), (1, False, "9:00", "x", None)),
    ],
)
def test_an_offset_is_made_of_plain_values(offset: Any, args: tuple[Any, ...]) -> None:
    if any(arg is pd.tseries for arg in args):
        args = tuple(FunctionTransformer() if arg is pd.tseries else arg for arg in args)
    unchanged(offset, type(offset))
    refused(offset, type(offset), lambda r: (r[0], args))


@pytest.mark.parametrize(
    "edits",
    [
        {"n": 2**63},
        {"n": "1"},
        {"n": ...},
        {"normalize": 1},
        {"months": "1"},
        {"months": 2**31 + 1},
        {"months": NAN},
        {"months": [1]},
        {"kwds": {}},
        {"_cache": {}},
        {"rule_code": 1},
    ],
)
def test_an_offset_of_the_calendar_is_made_of_numbers(edits: dict[str, Any]) -> None:
    value = pd.offsets.DateOffset(months=2)
    kind: Any = type(value)
    made: Any = (kind, ()) if VERSION >= (3, 1) else (copyreg.__dict__["__newobj__"], (kind,))
    reduction = (*made, {"n": 1, "normalize": False, "months": 2})
    assert load(forged(value, kind, lambda r: reduction)) == value
    refused(value, kind, lambda r: with_state(**edits)(reduction))


def test_a_step_of_dateutil_is_made_of_numbers() -> None:
    value = pd.offsets.DateOffset(months=2)
    step: Any = value._offset
    unchanged(step, type(step))
    for edits in (
        {"months": "1"},
        {"months": 2**40},
        {"day": 1.5},
        {"day": -1},
        {"weekday": 5},
        {"x": 1},
        {"years": None},
    ):
        refused(step, type(step), with_state(**edits))
