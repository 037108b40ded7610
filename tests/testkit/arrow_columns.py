"""Columns of frames that pyarrow holds, of every type that the allow list has.

``python -m testkit.arrow_columns FILE``, run in `tests` under another pandas, writes tests/data/arrow-*.joblib.
"""

from __future__ import annotations

import datetime
import decimal
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas
import pyarrow

from testkit.frames import VERSION, objects_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COLUMNS", "VALUES", "columns"]

pd: Any = pandas
pa: Any = pyarrow  # whose types mypy does not know
NAN = float("nan")
DAY, NOON = datetime.date(2020, 2, 29), datetime.time(12, 30, 15)
WHEN, SPAN = datetime.datetime(2020, 2, 29, 12, 30, 15), datetime.timedelta(days=1, seconds=2)
WIDE = decimal.Decimal("123456789012345678901234567890.12")


def _numbers() -> dict[Any, list[Any]]:
    whole = {pa.type_for_alias(f"{sign}int{bits}"): [1, None, 100] for sign in ("", "u") for bits in (8, 16, 32, 64)}
    return {**whole, pa.float32(): [0.5, None, NAN], pa.float64(): [0.5, None, 1e300], pa.bool_(): [True, None, False]}


# Type -> values of a column.
VALUES: dict[Any, list[Any]] = {
    **_numbers(),
    pa.float16(): [np.float16(0.5), None],
    pa.null(): [None, None, None],
    pa.date32(): [DAY, None],
    pa.date64(): [DAY, None],
    pa.time32("s"): [NOON, None],
    pa.time32("ms"): [NOON],
    pa.time64("us"): [NOON, None],
    pa.time64("ns"): [NOON],
    **{pa.timestamp(unit): [WHEN, None] for unit in ("s", "ms", "us", "ns")},
    **{pa.timestamp("us", zone): [WHEN, None] for zone in ("UTC", "Europe/Berlin", "+05:30")},
    **{pa.duration(unit): [SPAN, None] for unit in ("s", "ms", "us", "ns")},
    pa.decimal128(5, 2): [decimal.Decimal("1.25"), None],
    pa.decimal256(40, 2): [WIDE, None],
    pa.string(): ["", "x", None, "\u00e9\U0001f600"],
    pa.large_string(): ["x", None, "yy"],
    pa.binary(): [b"", b"x", None],
    pa.large_binary(): [b"x", None],
    pa.binary(3): [b"abc", None],
    pa.dictionary(pa.int32(), pa.string()): ["x", None, "y", "x"],
    pa.dictionary(pa.int8(), pa.int64()): [5, 7, None],
}


def column(kind: Any) -> Any:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(VALUES[kind], kind)), name=str(kind))


def texts(*values: Any) -> Any:
    return pd.array(values, dtype="string[pyarrow]")


def frame() -> Any:
    whole = {"a": [1, 2, None], "b": ["x", None, "z"], "c": [1.5, 2.5, None], "d": [True, None, False]}
    made = pd.DataFrame(whole).convert_dtypes(dtype_backend="pyarrow")
    made.columns = objects_of(*whole)
    return made


def _in_chunks() -> Any:
    return pd.concat([pd.Series(texts("a", None)), pd.Series(texts("b", "c"))], ignore_index=True)


def _levels() -> Any:
    return pd.MultiIndex.from_arrays([pd.Index(texts("x", "y")), pd.Index([1, 2], dtype="int64[pyarrow]")])


COLUMNS: dict[str, Callable[[], Any]] = {
    "columns of every type": lambda: [column(kind) for kind in VALUES],
    "empty columns": lambda: [column(kind)[:0] for kind in VALUES],
    "ends of columns": lambda: [column(kind)[1:] for kind in VALUES],
    "dtypes": lambda: [pd.ArrowDtype(kind) for kind in VALUES],
    "a frame": frame,
    "a part of a frame": lambda: frame().iloc[1:, 1:],
    "texts": lambda: pd.Series(texts("x", None, "yy"), index=pd.Index(texts("a", "b", None), name="key")),
    "texts of eight values and more": lambda: pd.Series(texts(*"abcdefgh", None, "j" * 1_000))[3:],
    "chunks": _in_chunks,
    "categories": lambda: pd.Categorical(texts("a", "b", None, "a")),
    "levels": _levels,
    "an empty frame": lambda: frame().iloc[:0],
    "shared": lambda: (lambda made: [made, made, made["b"], made["b"].array])(frame()),
}
if VERSION >= (3, 0):
    COLUMNS["texts as pandas reads them"] = lambda: pd.DataFrame(
        {"name": ["x", None, "z"], "n": [1, 2, 3]}, index=["k", "l", "m"]
    )


def columns() -> dict[str, Any]:
    return {name: make() for name, make in COLUMNS.items()}


if __name__ == "__main__":
    joblib.dump(columns(), sys.argv[1], compress=("zlib", 9), protocol=4)
