"""What someone does with an object of pandas: group, sort, look up, join, draw, fill, count, write it as text."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas

from fuzz.asking import asked
from testkit.fuzz_frames import KINDS, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Use = tuple[str, Callable[[], Any]]

__all__ = ["uses_of_pandas"]

pd: Any = pandas  # whose types know less than it does
_ROWS_MAX = 10_000  # a range may be of any length
_DEEP = 20
_HOUR = pd.Timedelta("1h")
_ACCESSORS = ("cat", "dt", "str", "sparse")
_ACCESSED = ("codes", "year", "upper", "density", "len", "to_dense", "strip", "isalpha", "title")
_PROPERTIES = (
    "is_unique", "is_monotonic_increasing", "has_duplicates", "inferred_type", "hasnans", "nbytes", "size", "T",
    "values", "array", "dtypes", "dtype", "freq", "inferred_freq", "codes", "categories", "ordered", "left", "right",
    "mid", "length", "levels", "is_overlapping", "is_non_overlapping_monotonic", "density", "fill_value", "sp_values",
    "sp_index", "year", "dayofweek", "week", "date", "time", "days", "components", "start_time", "end_time",
    "is_lexsorted",
    "rule_code", "kwds", "nanos", "holidays", "na_value", "type", "name", "subtype", "itemsize",
)  # fmt: skip
_PLAIN = (
    "value_counts", "mode", "rank", "diff", "cummax", "pct_change", "median", "std", "var", "any", "all", "idxmax",
    "argmax", "interpolate", "bfill", "convert_dtypes", "abs", "round", "nlargest", "isna", "droplevel", "swaplevel",
    "to_period", "to_timestamp", "to_pydatetime", "to_string", "to_csv", "to_json", "to_records", "to_numpy",
    "remove_unused_categories", "as_ordered", "reorder_categories", "add_categories", "day_name", "month_name",
    "total_seconds", "normalize", "to_coo", "to_dense", "melt", "explode", "corr", "quantile", "transpose", "equals",
    "copy", "view", "ravel", "sortlevel", "get_level_values", "min", "max", "fillna", "empty", "construct_array_type",
)  # fmt: skip
_NUMBERS = ("get_level_values", "nlargest", "droplevel", "shift", "fillna", "repeat", "diff", "searchsorted")
_ITSELF = (
    "append", "equals", "isin", "searchsorted", "get_indexer", "get_indexer_non_unique", "get_indexer_for", "union",
    "intersection", "difference", "symmetric_difference", "join", "merge", "combine_first", "compare", "reindex_like",
    "align", "overlaps", "contains", "set_categories", "add", "sub", "mul", "le", "eq", "dot", "asof", "putmask",
)  # fmt: skip


def uses_of_pandas(value: Any, depth: int = 0) -> Iterator[Use]:
    """Each with a name. Of a range only what takes no memory for each of its numbers."""
    for number, use in enumerate(uses(value)):
        yield f"use {number}", use
    yield from _properties(value)
    if not isinstance(value, KINDS) or len(value) > _ROWS_MAX:
        return
    yield from _calls(value)
    if isinstance(value, pd.DataFrame | pd.Series):
        yield from _of_rows(value)
        yield from _indexes(value.index)
    elif isinstance(value, pd.Index):
        yield from _indexes(value)
    if isinstance(value, pd.DataFrame) and depth == 0:
        yield from _of_columns(value)
        for place in range(min(value.shape[1], _DEEP)):
            yield from _column(value, place)


def _properties(value: Any) -> Iterator[Use]:
    for name in _PROPERTIES:
        yield name, partial(asked, value, name)
    if isinstance(value, pd.tseries.offsets.BaseOffset):
        day = pd.Timestamp("2020-02-29 11:30")
        yield "add", lambda: (day + value, day - value, value * 2, value.rollback(day), value.is_on_offset(day))
        yield "between", lambda: value.is_month_start(day)
        yield "hash", lambda: (hash(value), value == value, value.base, value.freqstr, value.name)
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        yield "array", lambda: pd.array([], dtype=value)
        yield "missing", lambda: pd.Series([None, None], dtype=value)
        yield "zeros", lambda: pd.array([0, 1], dtype=value)
    if isinstance(value, pd.Timestamp | pd.Timedelta | pd.Period | pd.Interval):
        yield "compare", lambda: (value == value, hash(value), value < value, str(value))
        yield "add", lambda: (value + value, value - value)
        yield "series", lambda: pd.Series([value, value]).sort_values()
        yield "zone", lambda: value.tz_convert("UTC")
        yield "floor", lambda: (value.floor("h"), value.isoformat(), value.to_numpy())
        yield "year", lambda: (value.year, value.dayofyear, value.asfreq("D"), value.start_time)


def _calls(value: Any) -> Iterator[Use]:
    for name in _PLAIN:
        yield name, partial(asked, value, name)
    for name in _NUMBERS:
        yield name, partial(asked, value, name, 1)
    for name in _ITSELF:
        yield name, partial(asked, value, name, value)
    for accessor, name in itertools.product(_ACCESSORS, _ACCESSED):
        yield f"{accessor}.{name}", partial(_accessed, value, accessor, name)
    yield "descending", lambda: value.sort_values(ascending=False)
    yield "hash", lambda: pd.util.hash_pandas_object(value)
    yield "hash of an array", lambda: pd.util.hash_array(value.values)
    yield "mask", lambda: value[np.arange(len(value)) % 2 == 0]
    yield "places", lambda: value.take(np.arange(len(value))[::-1])
    yield "missing", lambda: value.take([0, -1], allow_fill=True)
    yield "concat", lambda: pd.concat([value, value], ignore_index=True)
    yield "memory", lambda: value.memory_usage(deep=True)


def _accessed(value: Any, accessor: str, name: str) -> str:
    return asked(getattr(value, accessor), name)


def _of_rows(value: Any) -> Iterator[Use]:
    yield "rolling", lambda: (value.rolling(2).sum(), value.expanding().mean(), value.ewm(1).mean())
    yield "sample", lambda: value.sample(2, random_state=0)
    yield "linear", lambda: value.interpolate(limit_direction="both")
    yield "resample", lambda: value.resample(max(value.index[-1] - value.index[0], _HOUR) / 3).size()
    yield "group by level", lambda: value.groupby(level=0, observed=True).agg(["sum", "min", "last"])
    yield "group, nth", lambda: (value.groupby(level=0).nth(0), value.groupby(level=0).cumcount())
    yield "group by place", lambda: value.groupby(np.arange(len(value)) % 2).transform("max")
    yield "sorted", lambda: value.sort_index(ascending=False, kind="stable")
    yield "labels", lambda: (value.loc[value.index[:2]], value.loc[: value.index[1]], value.drop(value.index[0]))
    yield "set", lambda: value.copy().__setitem__(value.index[0], 0)
    yield "nearest", lambda: value.reindex(value.index, method="nearest")
    yield "duplicates", lambda: (value.drop_duplicates(), value.duplicated(keep=False))
    yield "plain", lambda: (value.to_numpy(dtype=object), value.to_numpy(dtype=float))
    yield "swap", lambda: (value.clip(0, 1), value.where(value == value), value.replace(0, 1))


def _of_columns(value: Any) -> Iterator[Use]:
    names = list(value.columns)
    yield "query", lambda: (value.query("index == index"), value.eval("index"))
    yield "sort by columns", lambda: value.sort_values(names[:2])
    yield "group by columns", lambda: value.groupby(names[:1], observed=False).agg("count")
    yield "group, columns", lambda: value.groupby(names[:2], dropna=False, sort=False).first()
    yield "pivot", lambda: value.pivot_table(index=names[0], columns=names[1], aggfunc="size")
    yield "merge", lambda: value.merge(value, on=names[0], how="outer")
    yield "kinds", lambda: (value.select_dtypes("number").sum(), value.describe(include="all"))
    yield "dummies", lambda: pd.get_dummies(value)
    yield "rows", lambda: (list(value.itertuples())[:3], list(value.iterrows())[:3])
    yield "insert", lambda: value.copy().insert(0, "new column", 1)
    yield "delete", lambda: value.drop(columns=names[:1])
    yield "apply", lambda: (value.apply(len), value.map(str), value.T.T, value.stack().unstack())
    yield "matrix", lambda: (value.to_numpy(), value.values.sum(), value._consolidate())


def _column(value: Any, place: int) -> Iterator[Use]:
    yield f"column {place}", lambda: repr(value.iloc[:, place])
    yield f"column {place}, counted", lambda: value.iloc[:, place].value_counts(dropna=False)
    yield f"column {place}, sorted", lambda: value.iloc[:, place].sort_values().cumsum()
    yield f"column {place}, grouped", lambda: value.groupby(value.iloc[:, place].array).size()
    yield f"column {place}, set", lambda: value.copy().iloc.__setitem__((0, place), None)


def _indexes(index: Any) -> Iterator[Use]:
    yield "items", lambda: [(index[n], index.get_loc(index[n])) for n in range(min(len(index), 3))]
    yield "last", lambda: (index[-1], index[::2], index[[0, -1]], index.slice_indexer(index[0], index[-1]))
    yield "bounds", lambda: (index.get_slice_bound(index[0], "left"), index.searchsorted(index[0]))
    yield "nearest", lambda: index.get_indexer(index, method="nearest")
    yield "sorted", lambda: (index.sort_values(), index.argsort(), index.unique(), index.factorize())
    yield (
        "insert",
        lambda: (index.insert(1, index[0]), index.delete(0), index.drop(index[:1])),
    )
    yield "rename", lambda: (index.rename("other"), index.map(str), index.astype(object), index.shift(1))
    yield "levels", lambda: (index.get_locs([index[0][0]]), index.reorder_levels([1, 0]), index.remove_unused_levels())
    yield "group", lambda: (index.groupby(index), index.isin(index[:1], level=0), index.to_frame().values)
