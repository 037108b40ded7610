"""Small valid streams to begin with, and changes of bytes for where there is no coverage to guide them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np

from fuzz.family import WRITERS
from testkit.estimators import plain_objects

if TYPE_CHECKING:
    import random

__all__ = ["changed", "seeds"]

_LARGEST = 2_000
# Opcodes that a change of one byte seldom makes.
_SPLICES = (
    b"\x94", b"h\x00", b"h\x01", b"q\x00", b"r\x00\x00\x00\x00", b"j\x00\x00\x00\x00", b"(", b"t", b"\x85", b"\x86",
    b"R", b"\x81", b"b", b"}", b"]", b")", b"N", b"K\x01", b"a", b"s", b"u", b"e", b"0", b"1", b"2", b".", b"\x80\x04",
    b"\x93", b"cbuiltins\nlist\n", b"\x8c\x01a", b"X\x00\x00\x00\x00", b"\x95\x04\x00\x00\x00\x00\x00\x00\x00", b"\x8f",
    b"\x90", b"\x91", b"(i", b"o", b"Q", b"P\n", b"\x82\x01", b"I1\n", b"L1L\n", b"F1.5\n", b"S'a'\n", b"V\\u0041\n",
    b"g0\n", b"p0\n", b"\x8a\x01\x01", b"\x8b\xff\xff\xff\xff", b"\x92",
    b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a", b"\x97",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Each at most 2,000 bytes: the plain objects of the test kit, in every protocol and by joblib."""
    written = [b"\x80\x04N.", b"]q\x00(K\x01K\x02e.", b"cbuiltins\ncomplex\n(F1.0\nF2.0\ntR."]
    for _, value in plain_objects():
        written += [write(value) for write in WRITERS.values()]
    for protocol in (0, 1):
        written += [pickle.dumps(value, protocol) for value in ([1, "a", (2.5, None)], {"a": b"b"}, np.arange(3))]
    return sorted({one for one in written if len(one) <= _LARGEST})


def changed(rng: random.Random, base: bytes, other: bytes) -> bytes:
    """A few places of `base` with other bytes, opcodes put in, parts left out, or parts of `other`."""
    data = bytearray(base)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(len(data) + 1)
        way = rng.randrange(5)
        if way == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif way == 1:
            data[at:at] = rng.choice(_SPLICES)
        elif way == 2:
            del data[at : at + rng.randrange(1, 9)]
        elif way == 3:
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.randrange(1, 60)]
        else:
            data[at : at + 1] = rng.choice(_SPLICES)[:1]
    return bytes(data)
