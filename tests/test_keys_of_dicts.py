"""What may be a key of a dict or a member of a set: whatever is hashed has a bound."""

from __future__ import annotations

import datetime
import enum
import io
import itertools
import pathlib
import pickle
import struct
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload import Policy
from safeload.errors import DisallowedGlobalError, LimitError, UnsafeStreamError
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from collections.abc import Iterable

P4 = b"\x80\x04"
MODULUS = (1 << 61) - 1


def loaded(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def facts(data: bytes) -> set[str]:
    return {fact.kind for fact in analyse(memoryview(data)).facts}


def pushed(numbers: Iterable[int], behind: bytes = b"") -> bytes:
    """LONG1 for each, and opcodes behind it."""
    return b"".join(b"\x8a\x0a" + number.to_bytes(10, "little", signed=True) + behind for number in numbers)


def scalars(numbers: Iterable[int]) -> bytes:
    """A dict with numpy's integers as its keys: memo entry 3 is ``scalar``, 9 is the dtype."""
    first = pickle.dumps({np.int64(0): 0}, 4)[11:-1]
    return (
        P4 + first + b"".join(b"h\x03h\x09C\x08" + struct.pack("<q", number) + b"\x86RNs" for number in numbers) + b"."
    )


BENIGN: dict[str, Any] = {
    "text": {"a": 1, b"b": 2, None: 3, True: 4, 1.5: 5, -7: 6},
    "below the modulus": {MODULUS - 1: 1, 1 - MODULUS: 2},
    "pairs": {(n, n + 1): n for n in range(20_000)},
    "words": {("a", ("b", n)): n for n in range(20_000)},
    "nested": {(1, (2, (3, 4))): 5},
    "frozen sets": {frozenset({1, 2}), frozenset({frozenset({3})})},
    "numpy scalars": {np.int64(n): n for n in range(6_000)},
    "numbers of numpy": {np.float64(1.5): 1, np.str_("a"): 2, np.complex128(1j): 3, np.datetime64("2020-01-01"): 4},
    "dtypes": {np.dtype("f8"): 1},
    "types": {int: 1, np.float64: 2},
    "dates": {datetime.date(2020, 1, 2): 1, datetime.timedelta(1): 2},
    "many dates": {datetime.date(2000, 1, 1) + datetime.timedelta(n): n for n in range(6_000)},
    "many bytes": {b"%d" % n: n for n in range(6_000)},
    "many paths": {pathlib.PurePosixPath(str(n)): n for n in range(6_000)},
    "numbers": {Decimal("1.5"): 1, Fraction(1, 3): 2, 1j: 3},
    "sets": {1, "a", (1, 2), b"b"},
    "many members": set(range(50_000)),
    "many pairs": {(n, str(n)) for n in range(50_000)},
    "above the modulus": {MODULUS: 1, -MODULUS: 2, 1 << 127: 3},
    "ids": {(n + 1) ** 9 % (1 << 64): n for n in range(6_000)},
    "digests": {(n + 1) ** 99 % (1 << 256) for n in range(6_000)},
    "multiples of a power": {n << 45 for n in range(20_000)},
    "floats": {n / 1_000: n for n in range(20_000)},
    "small floats": {float(n) / (1 << 30): n for n in range(20_000)},
    "moments": {1.6e9 + n / 3 for n in range(20_000)},
    "a grid": {(a, b, c): 1 for a in range(-10, 10) for b in range(-10, 10) for c in range(-10, 10)},
    "a grid of floats": {(a / 8, b / 8): 1 for a in range(-60, 60) for b in range(-60, 60)},
    "many complex numbers": {complex(n, n % 7): n for n in range(6_000)},
    "many numbers of numpy": {np.float32(n / 7): n for n in range(6_000)}
    | {np.complex128(n + 1j): n for n in range(500)},
    "many sets of words": {frozenset({f"a{n}", "b"}) for n in range(6_000)},
    "many sets of numbers": {frozenset({n, -n}) for n in range(6_000)},
    "numbers among words": {**{f"w{n}": n for n in range(2_000)}, **{n * 0.5: n for n in range(2_000)}, None: 0},
    "an ordered dict": OrderedDict((n * n, n) for n in range(20_000)),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", BENIGN)
def test_keys_that_models_have_load(name: str, protocol: int) -> None:
    value = BENIGN[name]
    result = loaded(pickle.dumps(value, protocol))
    assert result == value
    assert type(result) is type(value)


MULTIPLES = [n * MODULUS for n in range(5_000)]
SMALL = list(itertools.product((-1, -2), repeat=13))  # hash(-1) is hash(-2)

HOSTILE: dict[str, tuple[str, bytes]] = {
    "a deep tuple": ("deep-key", P4 + b"})" + b"\x85" * 70 + b"Ns."),
    "very deep tuples": ("deep-key", P4 + b"}(" + (b")" + b"\x85" * 2_000 + b"N") * 10 + b"u."),
    "a tuple of two times itself": (
        "deep-key",
        P4 + b"})" + b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(12)) + b"Ns.",
    ),
    "one tuple again and again": (
        "limit",
        P4 + b"(" + b"K\x01" * 900 + b"t\x940" + b"}h\x00Ns0" * 5_000 + b"N.",
    ),
    "one long integer again and again": (
        "limit",
        P4 + b"\x8b" + struct.pack("<i", 60_000) + b"\x01" * 60_000 + b"\x940" + b"}h\x00Ns0" * 500 + b"N.",
    ),
    "multiples of the modulus": ("limit", P4 + b"}(" + pushed(MULTIPLES, b"N") + b"u."),
    "one by one": ("limit", P4 + b"}" + pushed(MULTIPLES, b"Ns") + b"."),
    "under DICT": ("limit", P4 + b"(" + pushed(MULTIPLES, b"N") + b"d."),
    "as text": ("limit", b"(" + b"".join(b"L%dL\nN" % number for number in MULTIPLES) + b"d."),
    "in a set": ("limit", P4 + b"\x8f(" + pushed(MULTIPLES) + b"\x90."),
    "in a frozen set": ("limit", P4 + b"(" + pushed(MULTIPLES) + b"\x91."),
    "in a set of protocol 2": ("limit", b"\x80\x02c__builtin__\nset\n](" + pushed(MULTIPLES) + b"e\x85R."),
    "in pairs of a set of protocol 2, behind many": (
        "limit",
        b"\x80\x02c__builtin__\nset\n]("
        + b"X\x01\0\0\0a\x85e(" * 40_000
        + pushed([n * MODULUS for n in range(10_000)], b"K\x01\x86")
        + b"e\x85R.",
    ),
    "in an ordered dict": ("limit", P4 + b"ccollections\nOrderedDict\n)R" + pushed(MULTIPLES, b"Ns") + b"."),
    "with another dict between any two": ("limit", P4 + b"}" + pushed(MULTIPLES, b"}K\x01Nss") + b"."),
    "behind strings": ("limit", P4 + b"}" + b"\x8c\x01aNs" * 500 + b"(" + pushed(MULTIPLES, b"N") + b"u."),
    "in pairs": ("limit", P4 + b"}(" + pushed(MULTIPLES, b"K\x01\x86N") + b"u."),
    "before a text": ("limit", P4 + b"}(" + pushed(MULTIPLES, b"\x8c\x01a\x86N") + b"u."),
    "small integers": ("limit", P4 + b"\x8f(" + b"".join(b"(" + pushed(one) + b"t" for one in SMALL) + b"\x90."),
    "one key behind many, again and again": (
        "limit",
        P4 + b"}" + pushed(MULTIPLES[:2_500] + MULTIPLES[2_499:2_500] * 9_000, b"Ns") + b".",
    ),
    "complex numbers": (
        "limit",
        P4
        + b"cbuiltins\ncomplex\n\x940}("
        + b"".join(b"h\x00G" + struct.pack(">dcd", -1_000_003.0 * n, b"G", n) + b"\x86RN" for n in range(5_000))
        + b"u.",
    ),
    "of which nothing is known": (
        "limit",
        P4 + b"cdecimal\nDecimal\n\x940}(" + b"".join(b"h\x00\x8c\x05%05d\x85RN" % n for n in range(5_001)) + b"u.",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_keys_that_are_dear_to_hash_are_refused(name: str) -> None:
    kind, data = HOSTILE[name]
    if kind == "limit":
        with pytest.raises(LimitError, match=r"hash alike|again and again|each other's way"):
            loaded(data)
        return
    assert kind in facts(data)
    with pytest.raises(UnsafeStreamError):
        loaded(data)


def test_numpy_integers_that_hash_alike_are_refused() -> None:
    assert len(loaded(scalars([5 + n * MODULUS for n in range(4)] * 50))) == 5
    with pytest.raises(LimitError, match="each other's way"):
        loaded(scalars([5] * 5_000))  # picklers write a key once


class Color(enum.Enum):
    RED = 1


class Point:
    def __init__(self) -> None:
        self.x = 1


def test_an_object_is_a_key_only_where_the_policy_lets_its_class_be_hashed() -> None:
    data = pickle.dumps({Point(): 1})
    with pytest.raises(DisallowedGlobalError):
        loaded(data)
    policy = Policy.default().allow(f"{__name__}.Point")
    assert len(safeload.load_untrusted(io.BytesIO(data), policy=policy)) == 1
    member = Policy.default().allow(f"{__name__}.Color", use=("new", "call"))
    assert safeload.load_untrusted(io.BytesIO(pickle.dumps({Color.RED: 1})), policy=member) == {Color.RED: 1}


def test_an_estimator_is_no_key() -> None:
    from sklearn.linear_model import Ridge

    with pytest.raises(DisallowedGlobalError, match="hashed, as a key"):
        loaded(pickle.dumps({Ridge(): 1}))


keys = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - MODULUS, MODULUS - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda parts: st.tuples(parts, parts) | st.frozensets(parts, max_size=3),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, st.integers()), st.integers(0, 5))
def test_any_small_dict_of_plain_keys_loads(value: dict[Any, int], protocol: int) -> None:
    assert loaded(pickle.dumps(value, protocol)) == value


def test_the_end_of_an_archive_in_a_text_makes_no_archive_of_a_pickle() -> None:
    for value in ({b"PK\x05\x06": 0}, [b"PK\x05\x06" + bytes(18)], b"\x93NUMPY", "PK\x03\x04"):
        for protocol in range(6):
            assert loaded(pickle.dumps(value, protocol)) == value
