"""Objects of pandas are made in one way only, in linear time, and changed ones never crash."""

from __future__ import annotations

import copyreg
import gc
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import pytest
from pandas._libs.internals import _unpickle_block  # type: ignore[import-not-found]
from sklearn.preprocessing import FunctionTransformer

from safeload.engine import tables
from safeload.engine.contracts import pandas_memory
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError
from safeload.policy.allowlist import allow_list, confined
from testkit.forged_frames import (
    BETWEEN,
    BLOCK,
    CATEGORIES,
    CATEGORY,
    DATES,
    HOURS,
    LEVELS,
    PAIR,
    PERIODS,
    SERIES,
    SPARSE,
    backing,
    inner_values,
    keywords,
    load,
    refused,
)
from testkit.forging import forged, with_state
from testkit.frames import frame, objects_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Reduction = tuple[Any, ...]

pd: Any = pandas  # whose types know less than it does
arrays = pd.arrays
MANY = 2**40
NAN = float("nan")


# --- orders -------------------------------------------------------------------------------------

BUILT: dict[str, Any] = {
    "frame": PAIR,
    "series": SERIES,
    "categorical": CATEGORIES,
    "dates": DATES,
    "intervals": BETWEEN.array,
    "nullable": pd.array([1, None], dtype="Int64"),
    "sparse": SPARSE,
    "category": CATEGORY,
    "zoned": pd.DatetimeTZDtype("ns", "UTC"),
    "between": pd.IntervalDtype("i8", "left"),
    "fill": pd.SparseDtype("f8"),
    "offset": pd.offsets.DateOffset(months=1),
}
ORDERS: dict[str, Callable[[Reduction], Reduction]] = {
    "no state": lambda r: r[:2],
    "an empty state": lambda r: (*r[:2], {}),
    "slots": lambda r: (*r[:2], (None, r[2])),
    "a dict and slots": lambda r: (*r[:2], (r[2], {"_mgr": 1})),
    "a list": lambda r: (*r[:2], [r[2]]),
    "items": lambda r: (*r[:3], None, iter([("a", 1)])),
    "appended": lambda r: (*r[:3], iter([1])),
}


@pytest.mark.parametrize("how", ORDERS)
@pytest.mark.parametrize("name", BUILT)
def test_an_object_of_pandas_is_made_in_one_way_only(name: str, how: str) -> None:
    value = BUILT[name]
    for protocol in range(2, 6):
        with pytest.raises(SafeloadError):
            load(forged(value, type(value), ORDERS[how], protocol))


@pytest.mark.parametrize("name", BUILT)
def test_an_object_of_pandas_is_not_built_twice_or_called(name: str) -> None:
    value = BUILT[name]
    data = pickle.dumps(value, 2)
    assert data.endswith((b"b.", b"R."))
    for tail in (b"}b.", b"}q\xff(X\x01\x00\x00\x00ak\x01ub.", b")R.", b")\x81.", b"X\x01\x00\x00\x00aK\x01s."):
        with pytest.raises(SafeloadError):
            load(data[:-1] + tail)


@pytest.mark.parametrize("over", [(dict, {}), (list, []), (object, 1), (int, 5), (tuple, ())])
@pytest.mark.parametrize("name", BUILT)
def test_an_object_of_pandas_is_made_over_no_other_class(name: str, over: tuple[type, Any]) -> None:
    value = BUILT[name]
    function: Any = copyreg.__dict__["_reconstructor"]
    with pytest.raises(SafeloadError):
        load(forged(value, type(value), lambda r: (function, (type(value), *over), *r[2:])))


@pytest.mark.parametrize(
    "value",
    [
        FunctionTransformer(func=pd.DataFrame),
        FunctionTransformer(func=pd.Series),
        FunctionTransformer(func=pd.MultiIndex),
        FunctionTransformer(func=pd.RangeIndex),
        FunctionTransformer(func=arrays.DatetimeArray),
        FunctionTransformer(func=arrays.IntegerArray),
        FunctionTransformer(func=pd.Categorical),
        FunctionTransformer(func=pd.Timestamp),
        FunctionTransformer(func=pd.read_pickle),
        FunctionTransformer(func=pd.eval),
        FunctionTransformer(func=pd.to_numeric),
        FunctionTransformer(func=_unpickle_block),
        FunctionTransformer(func=pd.offsets.Day),
        pd.DataFrame,
        pd.MultiIndex,
        arrays.SparseArray,
    ],
    ids=lambda value: getattr(getattr(value, "func", value), "__name__", "value"),
)
def test_classes_and_functions_of_pandas_are_not_there_to_be_called_later(value: Any) -> None:
    with pytest.raises(DisallowedGlobalError):
        load(pickle.dumps(value))


def test_frames_and_arrays_are_no_keys() -> None:
    for value in (PAIR, SERIES, CATEGORIES, LEVELS):
        body = pickle.dumps(value, 2)[2:-1]
        with pytest.raises(SafeloadError):
            load(b"\x80\x02}" + body + b"K\x01s.")


def test_parts_of_a_frame_are_inert_by_themselves() -> None:
    for value in (BLOCK, PAIR._mgr, SERIES._mgr):
        loaded = load(pickle.dumps(value))
        assert type(loaded).__module__.startswith("safeload.")
        with pytest.raises(CodecError):
            pickle.dumps(loaded)


def test_every_class_with_a_contract_is_listed_and_confined() -> None:
    listed = allow_list("pandas")
    names = {key for table in (tables.GUARDS, tables.STUBS) for key in table if key[0].split(".")[0] == "pandas"}
    assert names <= listed.keys()
    owned = {name for names in confined().values() for name in names}
    may_be_named = {"CategoricalDtype", "Index", "NA", "StringDtype"}
    for (module, name), use in listed.items():
        if "REFERENCED" in str(use) and "Dtype" not in name and name not in may_be_named:
            assert (module, name) in owned, (module, name)


# --- work ---------------------------------------------------------------------------------------


def test_codes_that_are_named_often_are_copied_once() -> None:
    level, codes = pd.Index(np.arange(3)), np.zeros(100_000, "i8")
    indexes = [pd.MultiIndex([level], [np.zeros(3, "i1")]) for _ in range(500)]
    loaded = load(forged(indexes, pd.MultiIndex, lambda r: keywords(codes=[codes])(r)))
    assert all(np.shares_memory(index.codes[0], loaded[0].codes[0]) for index in loaded)


def test_an_array_is_not_copied_again_and_again() -> None:
    codes = np.zeros(100_000, "i1")
    many = [pd.Categorical.from_codes([0], [1]) for _ in range(17)]
    load(forged(many[:16], pd.Categorical, backing(values=codes)))
    with pytest.raises(CodecError):
        load(forged(many, pd.Categorical, backing(values=codes)))


def test_nothing_is_kept_of_an_array_that_is_gone() -> None:
    placed = frame({n: [float(n)] if n in (0, 3, 4, 9) else [n] for n in range(12)})
    gc.collect()  # what other tests left
    before = len(pandas_memory._known)
    for _ in range(3):
        loaded = [load(pickle.dumps([placed, placed, placed[[*range(11, -1, -1)]], LEVELS, CATEGORIES, HOURS]))]
        del loaded
    gc.collect()
    assert len(pandas_memory._known) == before


def test_no_two_arrays_of_categories_share_their_codes() -> None:
    codes = np.zeros(3, "i1")
    first, second = pd.Categorical.from_codes([0], [1]), pd.Categorical.from_codes([0], [1, 2])
    data = forged([first, second, codes], pd.Categorical, backing(values=codes))
    small, large, others = load(data)
    large[:] = 2
    others[:] = 100
    assert small.tolist() == [1, 1, 1]


def test_labels_that_would_be_hashed_for_hours_are_refused() -> None:
    label: Any = ("a",)
    for _ in range(40):
        label = (label, label)
    labels = np.array([None, 1], dtype=object)
    labels[0] = label
    index = objects_of("a", "b")
    refused(index, type(index), keywords(data=labels))
    refused(index, type(index), keywords(name=label))
    refused(SERIES, type(SERIES), with_state(_name=label))
    refused(SERIES, type(SERIES._mgr), inner_values(labels))


def test_dates_of_all_sizes_can_be_shown_and_computed_with() -> None:
    numbers = np.array([-(2**63), -(2**63) + 1, -1, 0, 10**12, 2**63 - 1])
    for unit in ("s", "ms", "us", "ns"):
        for dtype in (np.dtype(f"M8[{unit}]"), pd.DatetimeTZDtype(unit, "UTC")):
            data = forged(DATES, type(DATES), backing(values=numbers.view(f"M8[{unit}]"), dtype=dtype))
            loaded = load(data)
            assert loaded.asi8.tolist() == numbers.tolist()
            assert len(repr(loaded)) > 10
    loaded = load(forged(PERIODS, type(PERIODS), backing(values=numbers)))
    assert len(pd.PeriodIndex(loaded).asfreq("s")) == len(numbers)


# --- changed at random --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_changed_objects_never_crash_the_process(seed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "testkit.fuzz_frames", str(seed), "500"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, refused = map(int, done.stdout.split())
    assert loaded > 20
    assert refused > 20
