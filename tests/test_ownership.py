"""What was looked at stays as it was: containers are filled and objects BUILT where they are made, nowhere else."""

from __future__ import annotations

import copy
import io
import pickle
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import pytest

import safeload
from safeload.errors import PolicyError
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from collections.abc import Mapping

P4 = b"\x80\x04"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


RIDGE = text("sklearn.linear_model._ridge") + text("Ridge") + b"\x93)\x81"
ALPHA = text("alpha")

LATER: Mapping[str, tuple[str, bytes]] = {
    "a state, by SETITEM through the memo": (
        "state-shared",
        P4 + RIDGE + b"}\x94" + ALPHA + b"K\x01sb0h\x00" + ALPHA + b"K\x02s.",
    ),
    "a dict that is a state later": ("odd-state", P4 + RIDGE + b"}\x94" + ALPHA + b"K\x01s0h\x00b."),
    "a list inside a state, by APPEND": (
        "fill-on-value",
        P4 + b"(" + RIDGE + b"}" + ALPHA + b"]\x94K\x01asbh\x00K\x02at.",
    ),
    "a list inside a state, by APPENDS": (
        "fill-on-value",
        P4 + b"(" + RIDGE + b"}" + ALPHA + b"]\x94K\x01asbh\x00(K\x02et.",
    ),
    "a set inside a tuple": ("fill-on-value", P4 + b"(\x8f\x94\x85h\x00(K\x02\x90t."),
    "an object by BUILD through the memo": ("build-on-value", P4 + b"(" + RIDGE + b"\x94h\x00}b0t."),
    "an object that is held before its BUILD": (
        "build-on-value",
        P4 + RIDGE + b"\x94\x85h\x00}" + ALPHA + b"K\x01sb\x86.",
    ),
    "an ordered dict through the memo": (
        "fill-on-value",
        P4 + b"(ccollections\nOrderedDict\n)R\x94h\x00" + ALPHA + b"K\x01s0t.",
    ),
    "a list that an array is made of": (
        "fill-on-value",
        P4
        + b"](cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x01\x85"
        + b"cnumpy\ndtype\n\x8c\x02O8\x89\x88\x87R(K\x03\x8c\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
        + b"\x89]\x94K\x01atbh\x00K\x02ae.",
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_nothing_changes_after_it_was_looked_at(name: str) -> None:
    kind, data = LATER[name]
    assert kind in {fact.kind for fact in analyse(memoryview(data)).facts}
    with pytest.raises(PolicyError):
        safeload.load_untrusted(io.BytesIO(data))


def _itself() -> dict[str, Any]:
    """Objects that hold themselves, or each other."""
    items: list[Any] = [1]
    items.append(items)
    table: dict[str, Any] = {"a": items}
    table["itself"] = table
    around: tuple[Any, ...] = ([],)
    around[0].append(around)
    ordered: OrderedDict[str, Any] = OrderedDict(a=1)
    ordered["itself"] = ordered
    ends: deque[Any] = deque([1])
    ends.append(ends)
    shared = [1, 2]
    return {
        "a list": items,
        "a dict": table,
        "a tuple": around,
        "an ordered dict": ordered,
        "a deque": ends,
        "a list held twice": [shared, shared, {"a": shared}],
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", _itself())
def test_what_holds_itself_loads_as_it_was(name: str, protocol: int) -> None:
    value = _itself()[name]
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(value, protocol)))
    assert pickle.dumps(loaded, protocol) == pickle.dumps(copy.deepcopy(value), protocol)
    if name == "a list":
        assert loaded[1] is loaded
    if name == "a list held twice":
        assert loaded[0] is loaded[1] is loaded[2]["a"]


def test_estimators_may_share_and_hold_each_other() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline

    ridge = Ridge(alpha=2.0)
    shared = [1.0, 2.0]
    ridge.extra_, ridge.owner_ = shared, Pipeline([("ridge", ridge)])
    loaded, extra = safeload.load_untrusted(io.BytesIO(pickle.dumps([ridge, shared])))
    assert loaded.owner_.steps[0][1] is loaded
    assert loaded.extra_ is extra
