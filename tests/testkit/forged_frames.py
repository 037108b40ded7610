"""Objects of pandas, and ways to change one part of how they are pickled, as an attacker with a valid file would.

`refused` writes with pickle and with joblib, so that arrays of numpy and of joblib are both looked at.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import pytest

import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged, forged_joblib
from testkit.frames import days, objects_of, spans

if TYPE_CHECKING:
    from collections.abc import Callable

    Reduction = tuple[Any, ...]
    Change = Callable[[Reduction], Reduction]

__all__ = [
    "BETWEEN", "BLOCK", "BLOCKS", "CATEGORIES", "CATEGORY", "DATES", "HOURS", "LEVELS", "PAIR", "PERIODS",
    "SERIES", "SINGLE", "SPANS", "SPARSE", "arguments", "backing", "inner_state", "inner_values", "keywords",
    "load", "refused", "unchanged",
]  # fmt: skip

pd: Any = pandas  # whose types know less than it does
arrays = pd.arrays


def load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def refused(value: Any, kind: type, change: Callable[[Reduction], Reduction]) -> None:
    for write in (forged, forged_joblib):
        with pytest.raises(SafeloadError):
            load(write(value, kind, change))


def unchanged(value: Any, kind: type) -> None:
    for write in (forged, forged_joblib):
        assert type(load(write(value, kind, lambda r: r))) is type(value)


PAIR = pd.DataFrame(np.arange(6).reshape(3, 2), columns=objects_of("a", "b"))
BLOCK: Any = PAIR._mgr.blocks[0]
Changed = dict[int, Any]


def arguments(change: Changed) -> Callable[[Reduction], Reduction]:
    """Other arguments at some places."""

    def changed(reduction: Reduction) -> Reduction:
        arguments = list(reduction[1])
        for place, value in change.items():
            arguments[place] = value
        return (reduction[0], tuple(arguments), *reduction[2:])

    return changed


SERIES = pd.Series([1.5, 2.5, 3.5], name="s")
SINGLE: Any = type(SERIES._mgr)


def inner_state(edit: Callable[[dict[str, Any]], Any]) -> Callable[[Reduction], Reduction]:
    def changed(reduction: Reduction) -> Reduction:
        inner = reduction[2][3]["0.14.1"]
        return (*reduction[:2], (*reduction[2][:3], {"0.14.1": edit(inner)}), *reduction[3:])

    return changed


def inner_values(values: Any) -> Callable[[Reduction], Reduction]:
    return inner_state(lambda s: {**s, "blocks": [{**s["blocks"][0], "values": values}]})


LEVELS = pd.MultiIndex.from_arrays([[1.5, 2.5, 1.5], [3, 4, 5]], names=["x", "y"])


def keywords(**edits: Any) -> Callable[[Reduction], Reduction]:
    def changed(reduction: Reduction) -> Reduction:
        given = {name: value for name, value in {**reduction[1][1], **edits}.items() if value is not ...}
        return (reduction[0], (reduction[1][0], given), *reduction[2:])

    return changed


CATEGORIES = pd.Categorical([1, 2, 3, 1])


def backing(**edits: Any) -> Callable[[Reduction], Reduction]:
    """Another dtype, array or attributes of an array of pandas around one of numpy."""

    def changed(reduction: Reduction) -> Reduction:
        dtype, values = reduction[2][:2]
        rest = (edits["extra"],) if "extra" in edits else reduction[2][2:]
        return (*reduction[:2], (edits.get("dtype", dtype), edits.get("values", values), *rest))

    return changed


HOURS = days(4, "h")


BETWEEN = pd.interval_range(0, 3)


DATES, SPANS, PERIODS = pd.array(days()), pd.array(spans()), pd.array(pd.period_range("2020", periods=3, freq="D"))
SPARSE = arrays.SparseArray([0, 0, 1, 2, 0, 3], fill_value=0)
BLOCKS = arrays.SparseArray([0, 0, 1, 2, 0, 3], fill_value=0, kind="block")


CATEGORY = pd.CategoricalDtype(objects_of("a", "b"))
