"""Objects of pandas of every kind, the same under pandas 2.2 to 3: units and dtypes are said, not left to a default.

``python -m testkit.frames FILE``, run in `tests` under another pandas, writes what tests/data/pandas-*.joblib hold.
"""

from __future__ import annotations

import datetime
import decimal
import sys
import warnings
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas
import pandas.testing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OBJECTS", "VERSION", "objects", "objects_of", "same", "table"]

pd: Any = pandas  # whose types know less than it does
NAN, NA = float("nan"), pd.NA
VERSION = tuple(map(int, pd.__version__.split(".")[:2]))
UTC, TWO_HOURS = datetime.UTC, datetime.timezone(datetime.timedelta(hours=2))


def days(count: int = 3, freq: str = "D", tz: Any = None, name: Any = None) -> Any:
    return pd.date_range("2020-01-01", periods=count, freq=freq, tz=tz, name=name, unit="ns")


def spans(count: int = 3) -> Any:
    return pd.to_timedelta(np.arange(count).astype("m8[h]").astype("m8[ns]"))


def text(*values: Any, missing: Any = NA) -> Any:
    if missing is NA:
        return pd.array(values, dtype=pd.StringDtype("python"))
    return pd.array(values, dtype=pd.StringDtype("python", na_value=missing))


def objects_of(*values: Any) -> Any:
    """An array of objects, of which pandas 3 makes no texts."""
    made = np.empty(len(values), object)
    made[:] = values
    return pd.Index(made, dtype=object)


def frame(columns: dict[Any, Any]) -> Any:
    """A frame whose columns are named by objects, under every pandas."""
    return pd.DataFrame(columns, columns=objects_of(*columns))


def table() -> Any:
    """Blocks of several dtypes, one of them in two places."""
    columns = {
        "a": np.arange(6),
        "b": np.arange(6) / 2,
        "c": objects_of(*"xyzxyz"),
        "d": np.array([True, False] * 3),
        "e": objects_of(1, "a", None, 2.5, b"b", (1, 2)),
        "f": np.arange(6)[::-1],
    }
    return frame(columns)


def _labelled() -> Any:
    made = table()
    made.attrs["source"] = {"by": ["hand", (1, 2)], "day": pd.Timestamp("2020-01-01").as_unit("s")}
    return made.set_flags(allows_duplicate_labels=False)


def _fragmented() -> Any:
    made = table()
    for number in range(40):
        made.insert(number % 5, f"new{number}", number)
    return made


def _odd_places() -> Any:
    return frame({n: [float(n)] if n in (0, 3, 4, 9) else [n] for n in range(12)})


def _grouped() -> Any:
    return table().groupby(["a", "d"]).agg({"f": ["sum", "mean"], "b": ["max"]}).set_axis([1, 2, 3], axis=1)


def _levels() -> Any:
    parts = [
        pd.Categorical(objects_of("a", "b", "a")),
        pd.period_range("2020-01", periods=3, freq="M"),
        pd.interval_range(0, 3),
        days(tz=UTC),
        [1.5, NAN, 2],
        pd.array([1, None, 3], dtype="Int64"),
        [True, False, True],
        spans(),
    ]
    return pd.MultiIndex.from_arrays(parts)


SPARSE = pd.arrays.SparseArray
NULLABLE = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "boolean"]
CATEGORIES = objects_of("b", "a", "c")
OFFSETS = pd.offsets

OBJECTS: dict[str, Callable[[], Any]] = {
    "a table": table,
    "attributes and flags": _labelled,
    "many blocks": _fragmented,
    "a slice": lambda: table().iloc[1:4, 1:3],
    "backwards": lambda: pd.DataFrame(np.arange(12).reshape(3, 4)).iloc[::-1, ::-1],
    "transposed": lambda: table()[["a", "b"]].T,
    "some columns": lambda: table()[["e", "a"]],
    "columns at odd places": _odd_places,
    "found one by one": lambda: _odd_places().where(_odd_places() > 2),
    "nullable, where that serves": lambda: _odd_places().convert_dtypes(),
    "duplicate columns": lambda: pd.DataFrame([[1, 2.5, 3]], columns=objects_of("a", "a", "b")),
    "labels of many types": lambda: pd.DataFrame(
        [[1, 2, 3, 4]], columns=objects_of(b"b", None, (1, "x"), pd.Timestamp("2020-01-01"))
    ),
    "grouped": _grouped,
    "concatenated": lambda: pd.concat([table(), table()], keys=[1, 2]),
    "numbers of all sizes": lambda: frame({code: np.ones(2, code) for code in "bhilBHILefdFD"}),
    "rows and columns of levels": lambda: pd.DataFrame(
        np.arange(8).reshape(4, 2),
        index=pd.MultiIndex.from_product([objects_of("a", "b"), [1, 2]], names=["x", ("y", 1)]),
        columns=pd.MultiIndex.from_tuples([(1, 2), (1, 2)]),
    ),
    "nullable": lambda: frame({n: pd.array([1, None, 0], dtype=n) for n in NULLABLE}),
    "categories": lambda: [
        pd.Categorical(objects_of("a", "b", None)),
        pd.Categorical(CATEGORIES[:2], categories=CATEGORIES, ordered=True),
        pd.Categorical([], categories=CATEGORIES),
        pd.Categorical(np.arange(300)),
        pd.Categorical(days()),
        pd.Categorical(pd.interval_range(0, 3)),
        pd.Categorical([True, False]),
        pd.Categorical.from_codes([0, -1], pd.RangeIndex(5)),
    ],
    "cut": lambda: pd.cut(pd.Series([1.0, 2.0, 3.0]), 2),
    "texts": lambda: frame({"a": text("x", None, "y"), "b": objects_of("x", None, NAN)}),
    "dates": lambda: frame({"a": days(), "b": days(), "c": days(tz=UTC), "d": spans(), "e": days(tz=TWO_HOURS)}),
    "dates of all units": lambda: [pd.Series(days()).dt.as_unit(unit) for unit in ("s", "ms", "us", "ns")],
    "dates without an index": lambda: pd.Series(days(tz=UTC), index=days(3, "h", TWO_HOURS), name="when"),
    "indexes of dates": lambda: [
        days(4, freq, name=("a", 1))
        for freq in ("D", "B", "W-TUE", "MS", "h", "30min", "5s", "2D", "ns", "-1D", "WOM-2TUE", "bh")
    ],
    "indexes of dates with zones": lambda: [days(4, freq, UTC) for freq in ("D", "h", "B")] + [days(2, tz=TWO_HOURS)],
    "indexes of spans": lambda: [spans(), pd.timedelta_range("1D", periods=3, freq="h", unit="ns")],
    "indexes of periods": lambda: [
        pd.period_range("2020-01-01", periods=3, freq=freq) for freq in ("D", "M", "2M", "Q-FEB", "W-TUE", "min")
    ],
    "periods": lambda: frame({"a": pd.period_range("2020-01", periods=3, freq="M")}),
    "intervals": lambda: [
        pd.Series(pd.interval_range(0, 3)),
        pd.Series(pd.arrays.IntervalArray.from_tuples([(0.5, 1.0), None, (1.0, 2.0)], closed="both")),
        pd.Series(pd.IntervalIndex.from_breaks(days(4), closed="left")),
        pd.Series(pd.IntervalIndex.from_breaks(days(4, tz=UTC))),
        pd.Series(pd.IntervalIndex.from_breaks(spans(4))),
        pd.interval_range(0, 3, closed="neither", name="z"),
        pd.interval_range(0, 3).array,
        days().array,
        pd.Index(pd.array([1, None], dtype="Int64")).array,
    ],
    "sparse": lambda: frame(
        {
            "a": SPARSE([0, 0, 1, 2], fill_value=0),
            "b": SPARSE([NAN, 1, NAN, NAN]),
            "c": SPARSE([True, False, True, True], fill_value=False),
            "d": SPARSE([0, 1, 1, 0], kind="block", fill_value=0),
            "e": SPARSE(objects_of("x", 0, 0, None), fill_value=0),
        }
    ),
    "levels of many kinds": _levels,
    "levels that are not sorted": lambda: pd.MultiIndex.from_tuples([(2, 1.5), (1, 2.5), (2, 2.5)]),
    "levels that were sorted": lambda: pd.MultiIndex.from_tuples([(2, 1.5), (1, 2.5)], sortorder=0).sort_values(),
    "many levels": lambda: pd.MultiIndex.from_tuples([range(80), range(80)]),
    "levels that are not used": lambda: pd.MultiIndex.from_product([[1, 2], [3, 4]])[:1],
    "ranges": lambda: [pd.RangeIndex(5), pd.RangeIndex(5, 0, -1, name="r"), pd.RangeIndex(-3, 9, 4), pd.RangeIndex(0)],
    "indexes": lambda: [
        pd.Index(np.array([1, 2], "u1")),
        pd.Index([1.5, NAN], name=b"n"),
        pd.Index([True, False]),
        pd.Index([1j]),
        pd.Index(objects_of("a", None, 10**30, (1, (2,)), decimal.Decimal(1), datetime.date(2020, 1, 1))),
        pd.Index(pd.array([True, None], dtype="boolean")),
        pd.Index(pd.array([1, None], dtype="Int64")),
        pd.Index(text("a", None)),
        pd.Index(SPARSE([0, 1])),
        pd.CategoricalIndex(CATEGORIES, ordered=True, name=1),
        pd.CategoricalIndex(CATEGORIES).rename("again"),
    ],
    "names": lambda: [
        pd.Series([1], name=name) for name in (None, 1, "a", ("a", (1,)), pd.Timestamp("2020"), b"x", NAN, True)
    ],
    "empty": lambda: [
        pd.DataFrame(),
        pd.DataFrame(index=range(5)),
        pd.DataFrame(columns=range(5)),
        table().iloc[:0],
        table().iloc[:, :0],
        *(pd.Series([], dtype=dtype) for dtype in ("f8", "O", "category", "M8[ns]", "m8[ns]", "Int64", "period[M]")),
        pd.Series([], dtype=pd.SparseDtype("i8", 0)),
        pd.Series([], dtype=pd.IntervalDtype("i8", "right")),
        pd.MultiIndex.from_arrays([[], []], names=["a", "b"]),
        days(0),
        pd.PeriodIndex([], freq="M"),
    ],
    "single times": lambda: [
        pd.Timestamp("2020-01-01 01:02:03.123456789"),
        pd.Timestamp("2020-01-01", tz=UTC).as_unit("ms"),
        pd.Timestamp("2020-01-01", tz=TWO_HOURS).as_unit("s"),
        pd.Timedelta("1ns"),
        pd.Timedelta(-5, "s").as_unit("s"),
        pd.NaT,
        pd.NA,
        pd.Period("2020-01", freq="M"),
        pd.Period("2020", freq="2Q-FEB"),
        pd.Interval(0, 1.5),
        pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"), closed="both"),
    ],
    "times as keys": lambda: {pd.Timestamp("2020"): 1, pd.Timedelta(1): 2, pd.Period("2020", "M"): 3, pd.NaT: 4},
    "values of many types": lambda: pd.Series(
        [[1], {"a": (1,)}, (1, (2,)), np.arange(2), pd.Timestamp("2020").as_unit("s"), pd.NaT, pd.NA, None, 1 + 2j],
        dtype=object,
    ),
    "pandas in pandas": lambda: pd.Series(objects_of(table(), days(), pd.Categorical([1]))),
    "dtypes": lambda: [
        pd.CategoricalDtype(CATEGORIES, ordered=True),
        pd.CategoricalDtype(),
        pd.DatetimeTZDtype("s", UTC),
        pd.PeriodDtype("3D"),
        pd.IntervalDtype("i8", "left"),
        pd.IntervalDtype(),
        pd.SparseDtype("f4", 1.5),
        pd.StringDtype("python"),
        *(pd.api.types.pandas_dtype(name) for name in NULLABLE),
    ],
    "arrays": lambda: [
        pd.arrays.NumpyExtensionArray(np.arange(3)),
        pd.array(days()),
        pd.array(spans()),
        pd.array([1, None], dtype="Int64"),
        text("a", None),
        SPARSE([0, 1]),
    ],
    "names of levels": lambda: pd.MultiIndex.from_product([[1], [2]], names=["a", None]).names,
    "offsets": lambda: [
        OFFSETS.BusinessDay(2),
        OFFSETS.BusinessDay(offset=datetime.timedelta(hours=1)),
        OFFSETS.BusinessHour(start=["09:00", "13:00"], end=["10:00", "14:00"]),
        OFFSETS.CustomBusinessDay(weekmask="Mon Wed", holidays=["2020-01-01"]),
        OFFSETS.CustomBusinessHour(start="10:00"),
        OFFSETS.CustomBusinessMonthEnd(),
        OFFSETS.Day(-2),
        OFFSETS.Easter(),
        OFFSETS.FY5253(startingMonth=12, weekday=4, variation="nearest"),
        OFFSETS.FY5253Quarter(startingMonth=12, weekday=4, qtr_with_extra_week=1),
        OFFSETS.LastWeekOfMonth(weekday=3),
        OFFSETS.Nano(10**15),
        OFFSETS.QuarterEnd(startingMonth=2, normalize=True),
        OFFSETS.SemiMonthEnd(day_of_month=10),
        OFFSETS.Week(weekday=3),
        OFFSETS.WeekOfMonth(week=1, weekday=2),
        OFFSETS.YearBegin(month=7),
    ],
    "offsets of the calendar": lambda: [
        OFFSETS.DateOffset(months=2, day=3),
        OFFSETS.DateOffset(years=1, hours=5, normalize=True),
        OFFSETS.DateOffset(milliseconds=3),
        OFFSETS.DateOffset(nanoseconds=3),
        pd.date_range("2020-01-01", periods=3, freq=OFFSETS.DateOffset(months=2, days=1), unit="ns"),
    ],
    "shared parts": lambda: (lambda frame: [frame, frame["a"], frame.index, frame, frame.iloc[:2]])(table()),
}
if VERSION >= (2, 3):
    OBJECTS["texts without NA"] = lambda: pd.Series(text("a", None, missing=NAN), index=text("x", "y", missing=NAN))
if VERSION >= (3, 1):
    OBJECTS["nullable intervals"] = lambda: pd.arrays.IntervalArray.from_breaks(pd.array([1, 2], dtype="Int64"))


def objects() -> dict[str, Any]:
    with warnings.catch_warnings(action="ignore"):  # of what a later pandas will do otherwise
        return {name: make() for name, make in OBJECTS.items()}


def same(loaded: Any, made: Any) -> bool:
    """Whether two objects are alike in all that pandas looks at, and in some that it does not."""
    if isinstance(made, pd.DataFrame):
        if made.columns.inferred_type != "mixed" or made.columns.is_unique:
            pandas.testing.assert_frame_equal(loaded, made, check_freq=True, check_flags=True)
        assert loaded.attrs == made.attrs
        return same(loaded.index, made.index) and same(loaded.columns, made.columns)
    if isinstance(made, pd.Series):
        assert loaded.name is made.name or loaded.name == made.name or repr(loaded.name) == repr(made.name)
        assert loaded.flags == made.flags
        return same(loaded.index, made.index) and same(loaded.array, made.array)
    if isinstance(made, pd.Index):
        pandas.testing.assert_index_equal(loaded, made, exact=True)
        assert list(loaded.names) == list(made.names)
        assert getattr(loaded, "freq", None) == getattr(made, "freq", None)
        if isinstance(made, pd.MultiIndex):
            assert [codes.dtype for codes in loaded.codes] == [codes.dtype for codes in made.codes]
            assert loaded.sortorder == made.sortorder
            return same(list(loaded.levels), list(made.levels))
        return True
    if isinstance(made, pd.api.extensions.ExtensionArray):
        assert (type(loaded), loaded.dtype, len(loaded)) == (type(made), made.dtype, len(made))
        if isinstance(made, pd.arrays.NumpyExtensionArray):
            return same(list(loaded), list(made))
        pandas.testing.assert_extension_array_equal(loaded, made)
        return True
    assert type(loaded) is type(made)
    if isinstance(made, list | tuple):
        return len(loaded) == len(made) and all(same(*pair) for pair in zip(loaded, made, strict=True))
    if isinstance(made, np.ndarray):
        return bool((loaded == made).all())
    unit, zone = getattr(made, "unit", None), getattr(made, "tz", None)
    assert (getattr(loaded, "unit", None), getattr(loaded, "tz", None)) == (unit, zone)
    return loaded is made or repr(loaded) == repr(made) or bool(loaded == made)


if __name__ == "__main__":
    joblib.dump(objects(), sys.argv[1], compress=("zlib", 9), protocol=4)
