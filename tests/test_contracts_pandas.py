"""No frame, series or index of pandas makes its Cython read or write elsewhere."""

from __future__ import annotations

import contextlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import pytest
from sklearn.preprocessing import FunctionTransformer

from safeload.errors import CodecError
from testkit.forged_frames import (
    BETWEEN,
    BLOCK,
    HOURS,
    LEVELS,
    PAIR,
    SERIES,
    SINGLE,
    arguments,
    inner_state,
    inner_values,
    keywords,
    load,
    refused,
    unchanged,
)
from testkit.forging import forged, forged_joblib, with_state
from testkit.frames import VERSION, days, objects_of, spans, table

if TYPE_CHECKING:
    Reduction = tuple[Any, ...]

pd: Any = pandas  # whose types know less than it does
arrays = pd.arrays
MANY = 2**40
NAN = float("nan")


# --- blocks and managers ------------------------------------------------------------------------

VALUES = BLOCK.values
NUMPY_VALUES: list[Any] = [
    VALUES[:, :2],
    VALUES[:1],
    VALUES.T,
    VALUES.ravel(),
    VALUES[0, 0],
    VALUES[None],
    np.empty((2, 0), "i8"),
    np.empty((0, 3), "i8"),
    np.empty((0, MANY), "i8"),
    np.zeros((2, 3), "M8[D]"),
    np.zeros((2, 3), "M8[ns]"),
    np.zeros((2, 3), "m8[s]"),
    np.zeros((2, 3), "S4"),
    np.zeros((2, 3), "U4"),
    np.zeros((2, 3), "V4"),
    np.zeros((2, 3), [("a", "i4"), ("b", "O")]),
    np.full((2, 3), 2, "u1").view(bool),
    np.ma.masked_array(VALUES),
    np.asmatrix(VALUES),
    VALUES.tolist(),
    None,
    7,
    "x",
    days(),
    PAIR,
    PAIR["a"],
    arrays.NumpyExtensionArray(np.arange(3)),
    pd.array([1, 2], dtype="Int64"),
    pd.array([1, 2, 3], dtype="Int64"),
    pd.Categorical([1, 2, 3]),
    pd.array(days()),
    pd.array(days())[None, :],
    arrays.SparseArray([0, 1, 2]),
]


@pytest.mark.parametrize("values", NUMPY_VALUES, ids=lambda value: type(value).__name__)
def test_a_block_has_a_value_for_each_row_and_column(values: Any) -> None:
    unchanged(PAIR, type(BLOCK))
    refused(PAIR, type(BLOCK), arguments({0: values}))


PLACES: list[Any] = [
    slice(0, 1, 1),
    slice(0, 3, 1),
    slice(1, 3, 1),
    slice(-2, 2, 1),
    slice(0, 2, 0),
    slice(0, 2, -1),
    slice(0, 4, 2),
    slice(2, None, -1),
    slice(None, 2, 1),
    slice(0, None, 1),
    slice(0, MANY, 1),
    slice(0, 2**70, 2**69),
    slice(0, 2, None),
    np.array([0, 2]),
    np.array([0, -1]),
    np.array([-1, -2]),
    np.array([1, 1]),
    np.array([0]),
    np.array([0, 1, 1]),
    np.array([0, MANY]),
    np.array([[0, 1]]),
    np.array([0, 1], "i4"),
    np.array([0.0, 1.0]),
    np.array([0, 1], object),
    np.array([], "i8"),
    [0, 1],
    0,
    None,
    range(2),
]


@pytest.mark.parametrize("places", PLACES, ids=str)
def test_every_column_has_its_place(places: Any) -> None:
    refused(PAIR, type(BLOCK), arguments({1: places}))


@pytest.mark.parametrize("places", [np.array([1, 0]), slice(1, None, -1), slice(0, 2, 1), np.array([0, 1])], ids=str)
def test_columns_may_stand_in_any_order(places: Any) -> None:
    for write in (forged, forged_joblib):
        loaded = load(write(PAIR, type(BLOCK), arguments({1: places})))
        assert sorted(map(list, loaded.to_numpy().T.tolist())) == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize("dimensions", [1, 3, 0, -1, 2**31, None, "2", 2.5])
def test_a_block_has_as_many_dimensions_as_its_frame(dimensions: Any) -> None:
    refused(PAIR, type(BLOCK), arguments({2: dimensions}))
    refused(PAIR, type(BLOCK), lambda r: (r[0], r[1][:2]))


WIDE = table().iloc[:5]
MANAGER: Any = type(WIDE._mgr)


@pytest.mark.parametrize(
    "change",
    [
        lambda r: (r[0], (r[1][0][1:], r[1][1])),
        lambda r: (r[0], ((), r[1][1])),
        lambda r: (r[0], (r[1][0] + r[1][0][:1], r[1][1])),
        lambda r: (r[0], (r[1][0][:1] * 6, r[1][1])),
        lambda r: (r[0], (list(r[1][0]), r[1][1])),
        lambda r: (r[0], (r[1][0], tuple(r[1][1]))),
        lambda r: (r[0], (r[1][0], r[1][1][::-1])),
        lambda r: (r[0], (r[1][0], r[1][1][:1])),
        lambda r: (r[0], (r[1][0], [*r[1][1], r[1][1][0]])),
        lambda r: (r[0], (r[1][0], [r[1][1][0][:5], r[1][1][1]])),
        lambda r: (r[0], (r[1][0], [r[1][1][0], r[1][1][1][:4]])),
        lambda r: (r[0], (r[1][0], [r[1][1][0], pd.RangeIndex(7)])),
        lambda r: (r[0], (r[1][0], [r[1][1][0], pd.RangeIndex(MANY)])),
        lambda r: (r[0], (r[1][0], [pd.RangeIndex(MANY), r[1][1][1]])),
        lambda r: (r[0], (r[1][0], [r[1][1][0], list(range(5))])),
        lambda r: (r[0], (r[1][0], [r[1][1][0], np.arange(5)])),
        lambda r: (r[0], (r[1][0], [None, None])),
        lambda r: (r[0], (WIDE, r[1][1])),
        lambda r: (r[0], (r[1][0], r[1][1], False)),
        lambda r: (r[0], ()),
    ],
)
def test_blocks_and_axes_fit_each_other(change: Any) -> None:
    unchanged(WIDE, MANAGER)
    refused(WIDE, MANAGER, change)


def test_an_index_that_only_counts_is_not_longer_than_what_is_there() -> None:
    for length in (2**24 + 1, MANY):
        empty = pd.DataFrame(index=range(2))
        refused(empty, MANAGER, lambda r, n=length: (r[0], ((), [r[1][0], pd.RangeIndex(n)])))  # type: ignore[misc]
        bare = pd.DataFrame(np.empty((0, 2), "i8"))
        refused(bare, MANAGER, lambda r, n=length: (r[0], (r[1][0], [pd.RangeIndex(n), r[1][1]])))  # type: ignore[misc]
        data = pickle.dumps(pd.RangeIndex(length))
        assert not isinstance(load(data), pd.Index)
        with pytest.raises(CodecError):
            pickle.dumps(load(data))


@pytest.mark.parametrize(
    "change",
    [
        inner_values(np.arange(2.0)),
        inner_values(np.arange(4.0)),
        inner_values(np.arange(3.0)[None]),
        inner_values(np.zeros(3, "M8[ns]")),
        inner_values([1.5, 2.5, 3.5]),
        inner_values(None),
        inner_values(pd.Index([1.5, 2.5, 3.5])),
        inner_values(pd.array(days())[None, :]),
        inner_state(lambda s: {**s, "axes": [pd.RangeIndex(4)]}),
        inner_state(lambda s: {**s, "axes": s["axes"] * 2}),
        inner_state(lambda s: {**s, "axes": [[0, 1, 2]]}),
        inner_state(lambda s: {**s, "axes": []}),
        inner_state(lambda s: {**s, "blocks": s["blocks"] * 2}),
        inner_state(lambda s: {**s, "blocks": []}),
        inner_state(lambda s: {**s, "blocks": [{}]}),
        inner_state(lambda s: {**s, "more": 1}),
        inner_state(lambda s: {}),
        inner_state(lambda s: None),
        lambda r: (*r[:2], r[2][:3]),
        lambda r: (*r[:2], r[2][3]),
        lambda r: (*r[:2], {}),
    ],
)
def test_a_series_is_as_long_as_its_index(change: Any) -> None:
    unchanged(SERIES, SINGLE)
    refused(SERIES, SINGLE, change)


@pytest.mark.parametrize(
    "edits",
    [
        {"_mgr": None},
        {"_mgr": SERIES},
        {"_mgr": SERIES._mgr},
        {"_mgr": ...},
        {"_typ": "series"},
        {"_typ": ...},
        {"_metadata": ["_name"]},
        {"_metadata": ["__class__"]},
        {"attrs": None},
        {"attrs": [1]},
        {"_flags": {}},
        {"_flags": {"allows_duplicate_labels": 1}},
        {"_flags": {"allows_duplicate_labels": True, "_obj": None}},
        {"_name": "x"},
        {"_item_cache": {}},
        {"_constructor": dict},
        {"T": 1},
    ],
)
def test_a_frame_has_no_other_attributes_than_pandas_gives_it(edits: dict[str, Any]) -> None:
    refused(PAIR, type(PAIR), with_state(**edits))


@pytest.mark.parametrize("edits", [{"_mgr": PAIR._mgr}, {"_name": [1]}, {"_name": {}}, {"_name": ...}, {"name": "x"}])
def test_a_series_has_a_name_that_can_be_hashed(edits: dict[str, Any]) -> None:
    refused(SERIES, type(SERIES), with_state(**edits))


# --- indexes ------------------------------------------------------------------------------------


def _codes(*codes: Any) -> dict[str, Any]:
    return {"codes": [np.array(codes, "i1"), np.array([0, 1, 2], "i1")]}


@pytest.mark.parametrize(
    "edits",
    [
        _codes(0, 1, 2),
        _codes(0, 1, 127),
        _codes(0, 1, -2),
        _codes(0, 1, -128),
        _codes(0, 1),
        _codes(0, 1, 0, 0),
        _codes(),
        {"codes": [np.array([0, 1, MANY]), np.array([0, 1, 2], "i1")]},
        {"codes": [np.array([0, 1, 255], "u1"), np.array([0, 1, 2], "i1")]},
        {"codes": [np.array([0.0, 1.0, 0.0]), np.array([0, 1, 2], "i1")]},
        {"codes": [np.array([[0, 1, 0]], "i1"), np.array([0, 1, 2], "i1")]},
        {"codes": [[0, 1, 0], [0, 1, 2]]},
        {"codes": [np.array([0, 1, 0], "i1")]},
        {"codes": []},
        {"codes": None},
        {"codes": ...},
        {"levels": [LEVELS.levels[0]]},
        {"levels": [LEVELS.levels[0][:1], LEVELS.levels[1]]},
        {"levels": [LEVELS.levels[0], LEVELS]},
        {"levels": [LEVELS.levels[0].to_numpy(), LEVELS.levels[1]]},
        {"levels": [pd.RangeIndex(2**24), pd.RangeIndex(2**24)]},
        {"levels": [pd.RangeIndex(MANY), LEVELS.levels[1]]},
        {"levels": [], "codes": [], "names": []},
        {"names": ["x"]},
        {"names": [["x"], "y"]},
        {"names": None},
        {"sortorder": 2},
        {"sortorder": -1},
        {"sortorder": MANY},
        {"sortorder": "1"},
        {"verify_integrity": False},
        {"labels": [np.array([0, 1, 9], "i1")]},
    ],
)
def test_no_code_lies_outside_of_its_level(edits: dict[str, Any]) -> None:
    unchanged(LEVELS, type(LEVELS))
    refused(LEVELS, type(LEVELS), keywords(**edits))


def test_a_list_of_levels_is_not_used_again() -> None:
    level, codes = LEVELS.levels[0], np.zeros(3, "i1")
    shared = {"levels": [level] * 70, "codes": [codes] * 70, "names": [None] * 70}
    unchanged(LEVELS, type(LEVELS))
    assert load(forged(LEVELS, type(LEVELS), keywords(**shared))).nlevels == 70
    refused([LEVELS, LEVELS[:2]], type(LEVELS), keywords(**shared))


@pytest.mark.parametrize(
    "edits",
    [
        {"data": np.zeros((2, 2))},
        {"data": np.zeros(())},
        {"data": np.zeros(2, "M8[D]")},
        {"data": np.zeros(2, "S2")},
        {"data": np.zeros(2, [("a", "O")])},
        {"data": np.full(2, 3, "u1").view(bool)},
        {"data": np.ma.masked_array([1.0])},
        {"data": [1, 2]},
        {"data": 10**9},
        {"data": None},
        {"data": ...},
        {"data": PAIR},
        {"data": pd.array(days())},
        {"data": pd.array(days())[None, :]},
        {"data": pd.Categorical([1])},
        {"name": [1]},
        {"name": ...},
        {"dtype": "category"},
        {"tupleize_cols": True},
        {"copy": True},
    ],
)
def test_an_index_is_made_of_one_array(edits: dict[str, Any]) -> None:
    index = pd.Index([1.5, 2.5])
    unchanged(index, type(index))
    refused(index, type(index), keywords(**edits))


@pytest.mark.parametrize(
    "edits",
    [{"step": 0}, {"stop": 2**63}, {"start": -(2**70)}, {"stop": 1.5}, {"stop": True}, {"stop": ...}, {"data": 1}],
)
def test_a_range_has_three_numbers(edits: dict[str, Any]) -> None:
    refused(pd.RangeIndex(5), pd.RangeIndex, keywords(**edits))


@pytest.mark.parametrize("freq", [pd.offsets.Nano(1), pd.offsets.Second(1), pd.offsets.Hour(2**62), "h", 1, [None]])
def test_a_frequency_does_not_count_for_ever(freq: Any) -> None:
    if VERSION < (3, 1):
        refused(HOURS, arrays.DatetimeArray, lambda r: (*r[:2], (*r[2][:2], {"_freq": freq})))
    else:
        refused(HOURS, type(HOURS), keywords(freq=freq))


@pytest.mark.parametrize("freq", ["bh", "B", "C", "ME", "10YE", "WOM-2TUE", "SMS", pd.offsets.Easter()])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_frequency_without_a_fixed_length_comes_back(freq: Any, zone: str | None) -> None:
    for count in (2, 40):
        index = pd.date_range("2020-03-01", periods=count, freq=freq, tz=zone)
        for each in (index, index[::-1]):
            assert load(pickle.dumps(each)).freq == each.freq


@pytest.mark.parametrize("freq", [pd.offsets.BusinessHour(), pd.offsets.BusinessDay(), pd.offsets.CustomBusinessHour()])
def test_a_frequency_of_labels_far_apart_is_refused(freq: Any) -> None:
    """313,000 business hours between four labels took pandas ten seconds."""
    apart = pd.DatetimeIndex(["1700-01-01", "2200-01-01"])
    if VERSION < (3, 1):
        refused(apart, arrays.DatetimeArray, lambda r: (*r[:2], (*r[2][:2], {"_freq": freq})))
    else:
        refused(apart, type(apart), keywords(freq=freq))


@pytest.mark.skipif(VERSION < (3, 1), reason="the array has the frequency")
@pytest.mark.parametrize("freq", [pd.offsets.Hour(-1), pd.offsets.Hour(0), pd.offsets.Hour(5), pd.offsets.Minute(30)])
def test_a_frequency_that_the_labels_do_not_have_does_no_harm(freq: Any) -> None:
    loaded = load(forged(HOURS, type(HOURS), keywords(freq=freq)))
    for other in (HOURS, loaded, loaded[1:]):
        for use in (loaded.union, loaded.intersection, loaded.join, loaded.get_indexer, loaded.difference):
            with contextlib.suppress(ValueError, ZeroDivisionError):
                assert len(use(other)) < 100


@pytest.mark.parametrize(
    "edits",
    [
        {"data": pd.array(spans())},
        {"data": np.zeros(3, "M8[ns]")},
        {"data": pd.array(days())[None, :]},
        {"tz": "UTC"},
        {"dtype": "M8[ns]"},
    ],
)
def test_an_index_of_dates_is_made_of_dates(edits: dict[str, Any]) -> None:
    refused(HOURS, type(HOURS), keywords(**edits))


@pytest.mark.parametrize(
    "edits",
    [
        {"left": pd.Index([0, 1])},
        {"left": pd.Index([5, 1, 2])},
        {"left": pd.Index([0.0, NAN, 2.0])},
        {"left": pd.Index(objects_of(0, 1, 2))},
        {"left": np.array([0, 1, 2])},
        {"left": pd.RangeIndex(3)},
        {"left": pd.RangeIndex(2**24), "right": pd.RangeIndex(2**24)},
        {"left": LEVELS, "right": LEVELS},
        {"left": days()},
        {"closed": "up"},
        {"closed": None},
        {"closed": ["left"]},
        {"dtype": None},
    ],
)
def test_both_sides_of_an_index_of_intervals_fit(edits: dict[str, Any]) -> None:
    unchanged(BETWEEN, type(BETWEEN))
    refused(BETWEEN, type(BETWEEN), keywords(**edits))


@pytest.mark.parametrize(
    "kind",
    [
        dict,
        object,
        pd.Series,
        pd.DataFrame,
        np.ndarray,
        pd.Timestamp,
        FunctionTransformer,
        pd.DatetimeIndex,
        "x",
        5,
        None,
    ],
)
def test_only_indexes_are_made_by_the_functions_for_indexes(kind: Any) -> None:
    for value in (LEVELS, BETWEEN, pd.Index([1.5]), pd.RangeIndex(3)):
        refused(value, type(value), lambda r: (r[0], (kind, r[1][1])))
