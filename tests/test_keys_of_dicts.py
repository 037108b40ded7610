"""What may be a key of a dict or a member of a set: whatever is hashed has a bound."""

from __future__ import annotations

import datetime
import enum
import io
import pathlib
import pickle
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload import Policy
from safeload.errors import DisallowedGlobalError, LimitError, UnsafeStreamError
from safeload.readers.joblib import analyse

P4 = b"\x80\x04"
MODULUS = (1 << 61) - 1


def loaded(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def facts(data: bytes) -> set[str]:
    return {fact.kind for fact in analyse(memoryview(data)).facts}


def long1(number: int) -> bytes:
    return b"\x8a\x09" + number.to_bytes(9, "little", signed=True)


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
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", BENIGN)
def test_keys_that_models_have_load(name: str, protocol: int) -> None:
    value = BENIGN[name]
    result = loaded(pickle.dumps(value, protocol))
    assert result == value
    assert type(result) is type(value)


HOSTILE: dict[str, tuple[str, bytes]] = {
    "an integer above the modulus": ("huge-key", P4 + b"}" + long1(MODULUS) + b"Ns."),
    "a negative one": ("huge-key", P4 + b"}" + long1(-MODULUS) + b"Ns."),
    "one of eight bytes": ("huge-key", P4 + b"}\x8a\x08" + struct.pack("<q", MODULUS) + b"Ns."),
    "one in decimal": ("huge-key", b"(dL%dL\nNs." % MODULUS),
    "one as INT": ("huge-key", b"(dI%d\nNs." % MODULUS),
    "one by the memo": ("huge-key", P4 + long1(MODULUS) + b"\x940}h\x00Ns."),
    "one in a set": ("huge-key", P4 + b"\x8f(" + long1(MODULUS) + b"\x90."),
    "one in a frozen set": ("huge-key", P4 + b"(" + long1(MODULUS) + b"\x91."),
    "one in a set of protocol 2": ("huge-key", b"\x80\x02c__builtin__\nset\n](" + long1(MODULUS) + b"e\x85R."),
    "one in a pair": ("huge-key", P4 + b"}K\x01" + long1(MODULUS) + b"\x86Ns."),
    "one under DICT": ("huge-key", P4 + b"(" + long1(MODULUS) + b"Nd."),
    "a deep tuple": ("deep-key", P4 + b"})" + b"\x85" * 70 + b"Ns."),
    "a tuple of two times itself": (
        "deep-key",
        P4 + b"})" + b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(12)) + b"Ns.",
    ),
    "one tuple again and again": (
        "limit",
        P4 + b"(" + b"K\x01" * 900 + b"t\x940" + b"}h\x00Ns0" * 5_000 + b"N.",
    ),
    "many pairs of long integers": (
        "limit",
        P4
        + b"}("
        + b"".join(b"\x8a\x05" + bytes([n % 256, n // 256, 1, 1, 1]) + b"K\x01\x86N" for n in range(5_001))
        + b"u.",
    ),
    "many triples": (
        "limit",
        P4 + b"\x8f(" + b"".join(b"M" + struct.pack("<H", n) + b"K\x01K\x01\x87" for n in range(5_001)) + b"\x90.",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_keys_that_are_dear_to_hash_are_refused(name: str) -> None:
    kind, data = HOSTILE[name]
    if kind == "limit":
        with pytest.raises(LimitError, match=r"hash alike|again and again"):
            loaded(data)
        return
    assert kind in facts(data)
    with pytest.raises(UnsafeStreamError):
        loaded(data)


def test_many_complex_numbers_are_no_keys() -> None:
    with pytest.raises(LimitError, match="hash alike"):
        loaded(pickle.dumps({complex(n, 1): n for n in range(5_001)}))
    with pytest.raises(LimitError, match="hash alike"):
        loaded(pickle.dumps({np.complex128(n): n for n in range(5_001)}))


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
