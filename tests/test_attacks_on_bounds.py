"""Small streams of allowed names that cost or weigh more than was counted: each was loaded once, and is refused now."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.engine.tables import WATCHED
from safeload.errors import CodecError, LimitError, SafeloadError, UnsafeStreamError
from safeload.readers import pickle as reader
from safeload.readers.buffer import Buffer
from safeload.readers.joblib import analyse
from testkit.forging import forged

P4, M = b"\x80\x04", b"\x94"
NORMALIZER = b"csklearn.preprocessing._data\nNormalizer\n"
LINEAR = b"csklearn.linear_model._base\nLinearRegression\n"
RIDGE = b"csklearn.linear_model._ridge\nRidge\n"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def get(key: int) -> bytes:
    return b"h" + bytes([key]) if key < 256 else b"j" + struct.pack("<I", key)


def load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def outcome(data: bytes) -> str:
    try:
        load(data)
    except SafeloadError as error:
        return type(error).__name__
    return "loaded"


@pytest.fixture(params=["in steps of objects", "in steps of opcodes"], autouse=True)
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in steps of opcodes":
        monkeypatch.setattr(reader, "read_form", None)


@pytest.mark.parametrize("nodes", [3, 24, 60])
def test_a_tree_with_two_ways_to_each_node_is_none(nodes: int) -> None:
    """Whoever walks it goes 2^60 ways; so did the check of its depth."""
    from sklearn.tree import DecisionTreeRegressor
    from sklearn.tree._tree import Tree

    inputs = np.random.default_rng(0).normal(size=(400, 3))
    model = DecisionTreeRegressor(random_state=0).fit(inputs, inputs[:, 0])

    def change(reduced: Any) -> Any:
        state = dict(reduced[2])
        changed = state["nodes"][:nodes].copy()
        changed["left_child"] = changed["right_child"] = np.arange(1, nodes + 1)
        changed["feature"] = 0
        changed["left_child"][-1] = changed["right_child"][-1] = -1
        state.update(nodes=changed, values=state["values"][:nodes].copy(), node_count=nodes, max_depth=nodes - 1)
        return reduced[0], reduced[1], state

    with pytest.raises(CodecError, match=r"sklearn\.tree\._tree\.Tree"):
        load(forged(model, Tree, change, 4))


def test_forms_are_learnt_as_far_as_the_stream_is_long() -> None:
    """A hundred classes, each with a form of its own that takes long to put together and is never used."""
    names, leaves = 400, b"(" + b"K\x01" * 400 + b"t"
    out = P4 + b"(" + (LINEAR + M) * names + text("a") + M
    for first in range(0, names, 40):
        chunk = range(first, first + 40)
        out += b"".join(get(key) + b")\x81}" + get(names) for key in chunk) + leaves + b"sb" * 40
    buffer = Buffer(memoryview(out + b"t."))
    analyse(buffer, watch=WATCHED)
    assert buffer.spent.learnt < 7_000 + len(out) // 100


def _owners(levels: int, count: int, *, named_once: bool) -> bytes:
    """Objects that are held while they are light, become heavy, and are held again: each level multiplies."""
    out, memo = P4 + b"(" + text("norm") + M + text("copy") + M, 2
    if named_once:
        out, memo = out + NORMALIZER + M, 3
    heavy = b"(" + b"K\x01" * count + b"t"
    for _ in range(levels):
        if not named_once:
            out, memo = out + NORMALIZER + M, memo + 1
        kind, owner = (2 if named_once else memo - 1), memo
        out, memo = out + get(kind) + b")\x81" + M, memo + 1
        child = get(kind) + b")\x81}(h\x00" + get(owner) + b"h\x01\x89ub"
        out += b"}(h\x01\x89(" + child * 4 + b"1h\x00" + heavy + b"ub"
        heavy = b"(" + child * count + b"t"
    return out + heavy + b"t."


@pytest.mark.parametrize("named_once", [True, False])
@pytest.mark.parametrize(("levels", "count"), [(5, 50), (4, 100), (7, 30)])
def test_what_was_held_before_it_became_heavy_is_counted(levels: int, count: int, named_once: bool) -> None:
    assert outcome(_owners(levels, count, named_once=named_once)) == "LimitError"


def _children(levels: int, count: int) -> bytes:
    """The same with one child a level, which the memo gives again and again."""
    out = P4 + b"(" + text("norm") + M + text("copy") + M + NORMALIZER + M
    memo, heavy = 3, b"(" + b"K\x01" * count + b"t"
    for _ in range(levels):
        owner, child = memo, memo + 1
        out += get(2) + b")\x81" + M + b"}(h\x01\x89(" + get(2) + b")\x81" + M
        out += b"}(h\x00" + get(owner) + b"h\x01\x89ub1h\x00" + heavy + b"ub"
        memo, heavy = memo + 2, b"(" + get(child) * count + b"t"
    return out + heavy + b"t."


def test_a_child_of_an_object_that_becomes_heavy_is_not_light_for_ever() -> None:
    """Each level makes one hold of an object that is not full yet; there may be a few in a stream."""
    assert outcome(_children(30, 20)) == "LimitError"


def test_objects_in_objects_that_repeat_count_in_a_compressed_file() -> None:
    one = b"h\x02)\x81}h\x01Nsb"
    outer = b"h\x00)\x81}h\x01(" + one * 80 + b"tsb"
    out = P4 + b"(" + LINEAR + M + text("fit_intercept") + M + RIDGE + M + outer * 4_500 + b"t."
    with pytest.raises(LimitError, match="objects in so small a file"):
        load(zlib.compress(out, 9))


@pytest.mark.parametrize("first", [b"C\x051.9.1", b"\x8c\x051.9.1"])
def test_a_version_that_is_bytes_is_none(first: bytes) -> None:
    """scikit-learn shows it in a warning, and bytes of one length are one form."""
    values = [first] * 3 + [b"C\x05\x1b[2J!"] * 3
    out = P4 + b"(" + LINEAR + M + text("_sklearn_version") + M
    out += b"".join(b"h\x00)\x81}h\x01" + value + b"sb" for value in values) + b"t."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnsafeStreamError, match="the version of scikit-learn is not one"):
            load(out)


@pytest.mark.parametrize("name", [b"C\x04abcd", b"C\x04__ab"])
def test_an_attribute_that_is_named_by_bytes_is_refused(name: bytes) -> None:
    out = P4 + b"(" + LINEAR + M + text("a") + M + (b"h\x00)\x81}" + name + b"Nsb") * 6 + b"t."
    with pytest.raises(UnsafeStreamError, match="an attribute is named by no plain string"):
        load(out)


def test_small_arrays_do_not_keep_the_file_in_memory() -> None:
    """Learnt within something that copies its arrays, a form would say so of all later ones."""
    import joblib
    from sklearn.linear_model import LinearRegression

    def fitted(seed: int) -> Any:
        return LinearRegression().fit(np.random.default_rng(seed).normal(size=(9, 5)), np.arange(9.0))

    function = np.vectorize(np.prod)
    function._doc = [fitted(n) for n in range(6)]  # type: ignore[attr-defined]
    file = io.BytesIO()
    joblib.dump([function, *(fitted(n) for n in range(10, 20)), np.zeros(300_000)], file)
    for model in load(file.getvalue())[1:-1]:
        base = model.coef_
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert base.base is None or len(memoryview(base.base)) < 1_000
