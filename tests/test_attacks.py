"""Attacks on the analysis that once worked, each as small as it can be."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload import Policy
from safeload.engine.tables import WATCHED
from safeload.errors import LimitError, SafeloadError
from safeload.readers import pickle as reader
from safeload.readers.joblib import analyse
from testkit.seen import every_construction

if TYPE_CHECKING:
    from pathlib import Path

    from safeload.readers.observations import Construction, Stream

P4 = b"\x80\x04"
M = b"\x94"
MODULUS = (1 << 61) - 1


def text(value: str) -> bytes:
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data if len(data) < 256 else b"X" + struct.pack("<I", len(data)) + data


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def get(key: int) -> bytes:
    return b"j" + struct.pack("<I", key)


def refused(data: bytes, policy: Policy | None = None) -> SafeloadError:
    with pytest.raises(SafeloadError) as caught:
        safeload.load_untrusted(io.BytesIO(data), policy=policy)
    return caught.value


def _numbered_late(again: bytes) -> bytes:
    """Ridge objects whose array is memoised behind its BUILD, or twice: then keys meant one entry, and the next."""
    dtype = named("numpy", "dtype") + text("f8") + b"\x89\x88\x87R" + M
    dtype += b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    first = named("sklearn.linear_model._ridge", "Ridge") + M
    first += (
        named("numpy._core.multiarray", "_reconstruct") + M + named("numpy", "ndarray") + M + b"K\x00\x85C\x01b\x87R"
    )
    first += b"(K\x01K\x01\x85" + dtype + b"\x89C\x08" + struct.pack("<d", 1.5) + b"tb" + text("coef_") + M
    array = (
        b"h\x01h\x02K\x00\x85C\x01b\x87R"
        + again[:-1]
        + b"(K\x01K\x01\x85h\x03\x89C\x08"
        + struct.pack("<d", 2.5)
        + b"tb"
        + M
    )
    return P4 + b"(" + first + (b"h\x00)\x81}h\x04" + array + b"sb") * 3


@pytest.mark.parametrize("again", [M, M + M])
def test_a_form_does_not_number_the_memo_otherwise_than_cpython(again: bytes, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w')\ndef _parse_args(*a): pass\n_parse_args_stats = _parse_args_rvs = _parse_args"
    for key in range(5, 12):
        data = _numbered_late(again) + named("scipy.stats._continuous_distns", "norm_gen") + M + b")\x81"
        data += named("sklearn.linear_model._ridge", "Ridge") + M + get(key) + b")\x81}"
        data += text("_parse_arg_template") + text(code) + b"sbt."
        with contextlib.suppress(SafeloadError):
            safeload.load_untrusted(io.BytesIO(data))
        assert not mark.exists()


@pytest.mark.parametrize("again", [M, M + M])
def test_what_is_memoised_late_is_seen_alike_without_forms(again: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    data = _numbered_late(again) + b"t."
    quick = analyse(memoryview(data), watch=WATCHED)
    monkeypatch.setattr(reader, "read_form", None)
    slow = analyse(memoryview(data), watch=WATCHED)
    assert _built(quick) == _built(slow)


def _built(stream: Stream) -> set[Construction]:
    return {made._replace(offset=0) for made in every_construction(stream)}


def _nested(stream: bytes, copies: int) -> bytes:
    file = io.BytesIO()
    joblib.dump([np.array([None], dtype=object) for _ in range(copies)], file)
    data = file.getvalue()
    end = data.index(b"\x80\x05", 2)
    inner = data[end : data.index(b".", data.index(b"N", end)) + 1]
    return data.replace(inner, stream)


def _laughs(levels: int) -> bytes:
    return b")" + M + b"".join(get(n) + get(n) + b"\x86" + M for n in range(levels))


SLOW: dict[str, bytes] = {
    "many classes around each other": (
        P4
        + named("a", "b")
        + M
        + b"".join(named("a", f"b{n:x}") + M for n in range(3_500))
        + b"".join(get(n) + b")\x81" for n in range(1, 3_500))
        + b"".join(get(0) + b")\x81Nb" for _ in range(6_000))
        + b"Nb" * 3_000
        + b"."
    ),
    "lists that are filled while they are held": (
        P4 + b"(" + (b"]" + M) * 28
        + b"".join(b"(" + get(n - 1) * 2 + b"e0" for n in range(27, 0, -1)) + b"0" + get(27) + b"t."
    ),
    "members behind the first 20,000": (
        b"\x80\x02c__builtin__\nset\n]("
        + b"N" * 20_000
        + b"e("
        + b"".join(b"\x8a\x0a" + (n * MODULUS).to_bytes(10, "little") for n in range(1, 30_000))
        + b"e\x85R."
    ),
    "one long text encoded again and again": (
        P4 + text("a" * 100_000) + M + named("_codecs", "encode") + M + text("latin1") + M
        + b"](" + (get(1) + get(0) + get(2) + b"\x86R") * 6_000 + b"e."
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_a_small_file_does_not_take_long(name: str) -> None:
    assert refused(SLOW[name])


def test_nested_streams_share_their_bounds() -> None:
    wide = b"(" + b"N" * 10 + b"t" + M + b"(" + get(0) * 10 + b"t" + M + b"(" + get(1) * 8 + b"t" + M
    stream = b"\x80\x05" + wide + b"}(" + (get(2) + b"N") * 700 + b"u."
    assert isinstance(refused(_nested(stream, 40)), LimitError)


def test_what_a_nested_stream_holds_counts_outside() -> None:
    inner = b"\x80\x05(" + _laughs(13) + b"t."
    assert len(analyse(memoryview(_nested(inner, 1))).arrays) == 1
    assert isinstance(refused(_nested(inner, 8)), LimitError)


def test_the_items_of_a_bunch_are_looked_at_however_many() -> None:
    items = b"".join(text(f"a{n}") + b"N" for n in range(20_001))
    data = named("copyreg", "_reconstructor") + named("sklearn.utils._bunch", "Bunch") + named("builtins", "dict")
    data += b"}(" + items + b"u" + b"(" + text("__array_interface__") + text("evil") + b"u\x87R."
    assert refused(P4 + data)


def test_one_array_is_not_copied_for_many_matrices() -> None:
    from scipy.sparse import coo_array

    first = coo_array((np.ones(5_000), (np.arange(5_000, dtype=np.int32),) * 2))
    few: list[Any] = []
    many: list[Any] = []
    for _ in range(400):
        matrix = coo_array.__new__(coo_array)
        matrix.__dict__.update(first.__dict__)
        few, many = [first, matrix], [*many, matrix]
    assert len(safeload.load_untrusted(io.BytesIO(pickle.dumps(few[:1])))) == 1
    for protocol in (2, 4, 5):
        assert refused(pickle.dumps(many, protocol))


class Slotted:
    """Of a user, who allowed it."""

    __slots__ = ("__dict__", "x")

    def predict(self) -> int:
        return 1


ALLOWED = Policy.default().allow(f"{__name__}.Slotted")


def test_slots_are_looked_at_through_the_memo_too() -> None:
    data = P4 + b"(}" + M + b"(" + text("__class__") + named(__name__, "Slotted") + b"u"
    data += named(__name__, "Slotted") + b")\x81N" + get(0) + b"\x86bt."
    assert refused(data, ALLOWED)


def test_a_pair_of_states_hides_no_method() -> None:
    data = P4 + named(__name__, "Slotted") + b")\x81}" + text("predict") + named("numpy", "add") + b"s}\x86b."
    assert "hides its method predict" in str(refused(data, ALLOWED))


class Node:
    """A part of a graph, of a user."""

    def __init__(self) -> None:
        self.others: list[Any] = []


def test_a_graph_of_objects_of_ones_own_loads() -> None:
    nodes = [Node() for _ in range(50)]
    for node in nodes:
        node.others = [other for other in nodes if other is not node]
    grid = [[Node() for _ in range(20)] for _ in range(20)]
    for row in range(20):
        for column in range(20):
            grid[row][column].others = [grid[row - 1][column]] * (row > 0) + [grid[row][column - 1]] * (column > 0)
    policy = Policy.default().allow(f"{__name__}.Node")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        data = [pickle.dumps(value) for value in (nodes, grid[-1][-1])]
    finally:
        sys.setrecursionlimit(limit)
    loaded, corner = (safeload.load_untrusted(io.BytesIO(each), policy=policy) for each in data)
    assert all(len(node.others) == 49 for node in loaded)
    assert len(corner.others) == 2
