"""Streams that repeat objects, made so that reading and making them in one step would differ from one by one."""

from __future__ import annotations

import io
import pickle
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from safeload.engine.tables import WATCHED
from safeload.errors import SafeloadError
from safeload.readers import pickle as reader
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from collections.abc import Callable

P4, M = b"\x80\x04", b"\x94"
MODULUS = (1 << 61) - 1


class Plain:
    """Of a user."""


class Items(dict[str, Any]):
    """Of a user, with items besides its attributes."""


class Slotted:
    """Of a user."""

    __slots__ = ("__dict__", "a")


class Looking:
    """Of a user: it looks at what it is given while it is loaded."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.seen = sorted(vars(state["owner"]))


KINDS = [f"{__name__}.{kind.__name__}" for kind in (Plain, Items, Slotted, Looking)]
POLICY = safeload.Policy.default().allow(*KINDS)


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(data)]) + data if len(data) < 256 else b"X" + struct.pack("<I", len(data)) + data


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def own(kind: type) -> bytes:
    return named(__name__, kind.__name__)


def get(key: int) -> bytes:
    return b"h" + bytes([key]) if key < 256 else b"j" + struct.pack("<I", key)


def dtype(letters: str, order: str = "<") -> bytes:
    """It takes two memo entries."""
    made = named("numpy", "dtype") + M + text(letters) + b"\x89\x88\x87R" + M
    return made + b"(K\x03" + text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def shown(value: Any) -> Any:
    """All that there is to an object, as text; with the types of numbers."""
    if isinstance(value, list | tuple):
        return type(value).__name__, [shown(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tolist(), value.flags.writeable
    if isinstance(value, dict):
        items = [(ascii(key), shown(item)) for key, item in value.items()]
        return type(value).__name__, items, shown(vars(value)) if hasattr(value, "__dict__") else ""
    if type(value).__module__ == __name__:
        return type(value).__name__, shown(vars(value)), ascii(getattr(value, "a", None))
    return ascii(value)


def outcome(data: bytes) -> Any:
    try:
        return shown(safeload.load_untrusted(io.BytesIO(data), policy=POLICY))
    except SafeloadError as error:
        return type(error)


def both(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    quick = outcome(data)
    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_form", None)
        return quick, outcome(data)


def repeats(data: bytes) -> int:
    return sum(len(repeats.rows) for repeats in analyse(memoryview(data), watch=WATCHED).repeats)


def with_value(value: bytes, before: bytes = b"", times: int = 8) -> bytes:
    """Plain objects (class: entry 0) with `value` for the attribute "a" (entry 1); `before` makes further entries."""
    return P4 + b"(" + own(Plain) + M + text("a") + M + before + (b"h\x00)\x81}h\x01" + value + b"sb") * times + b"t."


ITEMS = own(Items) + M
SAME: dict[str, bytes] = {
    "items after the state": with_value(b"h\x02)\x81}h\x01Nsb(h\x01K\x07u", ITEMS),
    "items before the state": with_value(b"h\x02)\x81(h\x01K\x07u}h\x01Nsb", ITEMS),
    "items and no state": with_value(b"h\x02)\x81(h\x01K\x07u", ITEMS),
    "an attribute named by half of a pair": with_value(b"h\x02)\x81}h\x03K\x05sb", ITEMS + text("\ud800x") + M),
    "a replacement character": with_value(b"h\x02)\x81}h\x03K\x05sb", ITEMS + text("\ufffd") + M),
    "keys that are bytes": with_value(b"}(C\x02abN\x8c\x02abNu"),
    "a dict with one key twice": with_value(b"}(h\x01K\x01h\x01K\x02u"),
    "a dict whose keys are one number": with_value(b"}(K\x01K\x01\x88K\x02G" + struct.pack(">d", 1) + b"K\x03u"),
    "a dict in a dict in a tuple": with_value(b"}h\x01}h\x01K\x07s\x85s\x85"),
    "memoised late": with_value(b"h\x02)\x81}h\x01Nsb" + M, ITEMS),
    "memoised twice": with_value(b"h\x02)\x81" + M + M + b"}h\x01Nsb", ITEMS),
    "a number that is memoised": with_value(b"K\x05" + M + M),
    "no state but None": with_value(b"h\x02)\x81Nb", ITEMS),
    "an empty state": with_value(b"h\x02)\x81}b", ITEMS),
    "a state of a state": with_value(b"h\x02)\x81}h\x01h\x02)\x81}h\x01K\x05sbsb", ITEMS),
    "two states": with_value(b"h\x02)\x81}h\x01Nsb}h\x01K\x05sb", ITEMS),
    "arguments that the class does not take": with_value(b"h\x02K\x01\x85\x81}h\x01Nsb", own(Slotted) + M),
    "a called class": with_value(b"h\x02)R}h\x01Nsb", ITEMS),
    "the class as a value": with_value(b"h\x00h\x00\x86"),
    "mutable bytes of one": with_value(b"h\x02", b"\x96" + struct.pack("<Q", 5) + b"abcde" + M),
    "bytes of another opcode": with_value(b"C\x11" + b"a" * 17) [:-2]
    + b"h\x00)\x81}h\x01B" + struct.pack("<I", 0) + b"sbh\x00)\x81}h\x01\x8e" + struct.pack("<Q", 3) + b"abcsb"
    + b"h\x00)\x81}h\x01\x96" + struct.pack("<Q", 3) + b"abcsbt.",
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_objects_that_repeat_are_what_the_unpickler_makes_of_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = SAME[name]
    quick, slow = both(data, monkeypatch)
    assert quick == slow
    if isinstance(quick, tuple):
        assert quick == shown(pickle.loads(data))  # made here


def test_slots_are_set_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    one = b"h\x00)\x81N}h\x01K\x05s\x86b"
    data = P4 + b"(" + own(Slotted) + M + text("a") + M + one * 8 + b"t."
    quick, slow = both(data, monkeypatch)
    assert quick == slow == shown(pickle.loads(data))  # made here


def test_what_is_filled_between_is_seen_as_it_is_by_then() -> None:
    """Objects that are made before their turn would see the owner without the state that it has by then."""
    start = P4 + b"(" + own(Looking) + M + text("owner") + M + own(Plain) + M + b")\x81" + M
    child = b"h\x00)\x81}h\x01h\x03sb"
    data = start + b"}h\x01(" + child * 5 + b"tsb" + child * 5 + b"t."
    assert repeats(data) == 3

    _, _, owner, *later = safeload.load_untrusted(io.BytesIO(data), policy=POLICY)
    children = [*owner.owner, *later]
    assert [child.seen for child in children] == [[]] * 5 + [["owner"]] * 5


def _from_buffer(sizes: list[bytes], letters: str = "f8") -> bytes:
    start = text("C") + M + named("numpy._core.numeric", "_frombuffer") + M
    raw = b"\x96" + struct.pack("<Q", 32) + b"0123456789abcdef" * 2
    first = b"(" + raw + dtype(letters) + b"K\x04\x85h\x02tR"
    others = b"".join(b"h\x00)\x81}h\x01h\x03(" + raw + b"h\x05" + size + b"h\x02tRsb" for size in sizes)
    return P4 + b"(" + own(Plain) + M + text("a") + M + start + first + others + b"t."


SIZES: dict[str, bytes] = {
    "a float": b"G" + struct.pack(">d", 4) + b"\x85",
    "a bool": b"K\x04\x88\x86",
    "negative": b"J\xff\xff\xff\xff\x85",
    "none": b"N\x85",
    "huge": b"J\xff\xff\xff\x7f\x85",
    "huge in two dimensions": b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86",
    "no size": b")",
    "plain number": b"K\x04",
    "plain float": b"G" + struct.pack(">d", 4),
    "two dimensions": b"K\x02K\x02\x86",
}


@pytest.mark.parametrize("name", SIZES)
def test_the_shape_of_an_array_means_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it equals one that was good, and is of another type."""
    for usual in (b"K\x04\x85", b"K\x04K\x01\x86", SIZES[name]):
        quick, slow = both(_from_buffer([usual] * 5 + [SIZES[name]] * 3), monkeypatch)
        assert quick == slow


def _arrays(data: bytes, size: int = 200_000) -> bytes:
    """Objects with arrays of one piece of memory, which `data` pushes."""
    make = named("numpy._core.multiarray", "_reconstruct") + M + named("numpy", "ndarray") + M
    first = make + b"K\x00\x85C\x01b\x87R(K\x01K\x01\x85" + dtype("u1", "|") + b"\x89C\x01xtb"
    again = b"h\x02h\x03K\x00\x85C\x01b\x87R" + M + b"(K\x01J" + struct.pack("<i", size) + b"\x85h\x05\x89h\x06tb"
    before = first + data + M
    return P4 + b"(" + own(Plain) + M + text("a") + M + before + (b"h\x00)\x81}h\x01" + again + b"sb") * 300 + b"t."


@pytest.mark.parametrize("opcode", [b"T", b"B"])
def test_one_piece_of_memory_does_not_become_many_arrays(opcode: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = both(_arrays(opcode + struct.pack("<I", 200_000) + b"a" * 200_000), monkeypatch)
    assert quick is slow is safeload.errors.UnsafeStreamError


def test_an_array_that_was_read_in_one_step_is_not_copied_for_many_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 50_000
    make = named("numpy._core.multiarray", "_reconstruct") + M + named("numpy", "ndarray") + M
    data = P4 + b"(" + make + b"K\x00\x85C\x01b\x87R(K\x01K\x01\x85" + dtype("i4") + b"\x89C\x04xxxxtb"
    raw = np.arange(size, dtype="<i4").tobytes()
    shape = b"J" + struct.pack("<i", size)
    state = b"(K\x01" + shape + b"\x85h\x03\x89B" + struct.pack("<I", len(raw)) + raw + b"tb"
    data += (b"h\x00h\x01K\x00\x85C\x01b\x87R" + M + state) * 5
    matrix = b")\x81}(" + text("_shape") + shape * 2 + b"\x86" + text("maxprint") + b"K2" + text("data") + b"h\x08"
    matrix += text("coords") + b"h\x08h\x08\x86" + text("has_canonical_format") + b"\x89ub"
    data += named("scipy.sparse._coo", "coo_array") + M + matrix + (b"h\x09" + matrix) * 300 + b"t."
    quick, slow = both(data, monkeypatch)
    assert quick is slow is safeload.errors.UnsafeStreamError


def _colliding(key: Callable[[int], bytes], count: int) -> bytes:
    before = b"".join(key(number) + M for number in range(count))
    value = b"}(" + b"".join(get(number + 2) + b"N" for number in range(count)) + b"u"
    return with_value(value, before, times=1_000)


def test_keys_that_get_into_each_others_way_are_counted_in_each_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _colliding(lambda number: b"\x8a\x0a" + (number * MODULUS).to_bytes(10, "little"), 250)
    assert both(data, monkeypatch) == (safeload.errors.LimitError,) * 2


def test_keys_that_do_not_are_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _colliding(lambda number: b"M" + struct.pack("<H", number), 70)
    quick, slow = both(data, monkeypatch)
    assert quick == slow
    assert isinstance(quick, tuple)


class Seeing:
    """Of a user: it looks into the array that it is given while it is loaded."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.seen = sorted(vars(state["owner"][0]))


def test_what_an_array_of_objects_holds_is_seen_as_it_is_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects share an array that is complete, and holds an owner that is not."""
    policy = POLICY.allow(f"{__name__}.Seeing")
    start = P4 + b"(" + own(Seeing) + M + text("owner") + M + own(Plain) + M + b"h\x02)\x81" + M
    make = named("numpy._core.multiarray", "_reconstruct") + M + named("numpy", "ndarray") + M
    objects = dtype("O8", "|").replace(b"K\x00tb", b"K?tb")
    array = make + b"K\x00\x85C\x01b\x87R" + M + b"(K\x01K\x01\x85" + objects + b"\x89]h\x03atb"
    child = b"h\x00)\x81}h\x01h\x06sb"
    data = start + b"}(h\x01(" + array + child * 5 + b"tub" + child * 5 + b"t."

    def seen() -> list[list[str]]:
        return [child.seen for child in safeload.load_untrusted(io.BytesIO(data), policy=policy)[-5:]]

    assert seen() == [["owner"]] * 5 == [child.seen for child in pickle.loads(data)[-5:]]  # made here
    monkeypatch.setattr(reader, "read_form", None)
    assert seen() == [["owner"]] * 5
