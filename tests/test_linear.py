"""No stream makes the analysis quadratic: twice as much of it takes twice as many steps, and not four times.

Steps are calls and lines, counted, so that a busy machine changes nothing.
"""

from __future__ import annotations

import pickle
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from safeload.engine.tables import WATCHED
from safeload.errors import SafeloadError
from safeload.readers.buffer import Buffer
from safeload.readers.joblib import analyse
from testkit.hiding import P4, stack_global

if TYPE_CHECKING:
    from collections.abc import Callable

RIDGE = stack_global("sklearn.linear_model._ridge", "Ridge") + b"\x94"
ALPHA = b"\x8c\x05alpha\x94"
TREE = stack_global("sklearn.tree._tree", "Tree") + b"\x94"


def _words(many: int) -> bytes:
    return b"".join(b"\x8c\x08" + f"{n:08}".encode() + b"\x94K\x01" for n in range(many))


def _objects(state: bytes) -> Callable[[int], bytes]:
    return lambda many: P4 + RIDGE + ALPHA + b"](" + (b"h\x00)\x81}h\x01" + state + b"sb") * many + b"e."


# Many of something, and what a machine might do for each of them again.
STREAMS: dict[str, Callable[[int], bytes]] = {
    "numbers": lambda many: P4 + b"](" + b"K\x01" * many + b"e.",
    "appended one by one": lambda many: P4 + b"]" + b"K\x01a" * many + b".",
    "lists in lists": lambda many: P4 + b"]" * min(many, 4_000) + b"a" * (min(many, 4_000) - 1) + b".",
    "tuples of two names for one": lambda many: P4 + b")\x94" + b"h\x00h\x00\x86" * many + b"\x85" + b".",
    "marks": lambda many: P4 + b"(" * many + b"t" * many + b".",
    "a vocabulary": lambda many: P4 + b"}(" + _words(many) + b"u.",
    "set one by one": lambda many: (
        P4 + b"}" + b"".join(b"M" + struct.pack("<H", n) + b"Ns" for n in range(many)) + b"."
    ),
    "integers as keys": lambda many: pickle.dumps({n * 4096: None for n in range(many)}),
    "tuples as keys": lambda many: pickle.dumps({(n, n): None for n in range(many)}),
    "sets": lambda many: pickle.dumps([{n} for n in range(many)]),
    "one global again and again": lambda many: P4 + b"](" + stack_global("numpy", "ndarray") * min(many, 9_000) + b"e.",
    "a global from the memo": lambda many: P4 + RIDGE + b"](" + b"h\x00" * many + b"e.",
    "objects of one form": _objects(b"N"),
    "objects of a form that changes": lambda many: (
        _objects(b"N")(many // 2)[:-2] + b"h\x00)\x81}h\x01]sb" * many + b"e."
    ),
    "objects with a list": _objects(b"](K\x01e"),
    "objects that hold one another": lambda many: (
        P4 + RIDGE + ALPHA + b"h\x00)\x81}h\x01" * min(many, 1_500) + b"N" + b"sb" * min(many, 1_500) + b"."
    ),
    "trees that are never built": lambda many: P4 + TREE + b"](" + b"h\x00K\x01NK\x01\x87R" * many + b"e.",
    "empty frames": lambda many: P4 + (b"\x95" + bytes(8)) * many + b"N.",
    "small frames": lambda many: P4 + b"](" + (b"\x95" + struct.pack("<Q", 2) + b"K\x01") * many + b"e.",
    "put and get": lambda many: P4 + b"](" + b"".join(b"Nr" + struct.pack("<I", n) for n in range(many)) + b"e.",
    "overwritten": lambda many: P4 + b"N\x94" + b"0Nq\x00" * many + b".",
    "popped": lambda many: P4 + b"N0" * many + b"N.",
    "duplicated": lambda many: P4 + b"(N" + b"2" * many + b"t.",
    "long texts in lines": lambda many: b"(" + b"S'abcdefgh'\n" * many + b"t.",
    "arrays": lambda many: pickle.dumps([np.arange(n % 7) for n in range(many // 10)]),
    "pickles in a row": lambda many: P4 + b"N." * many,
    "something behind the end": lambda many: P4 + b"N." + b"N" * many,
}  # fmt: skip


def steps(data: bytes) -> int:
    """How many calls of functions and lines of Python the analysis takes."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        buffer = Buffer(memoryview(data))
        buffer.describe = True
        analyse(buffer, watch=WATCHED)
    except SafeloadError:
        pass  # as fast
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


@pytest.mark.parametrize("name", STREAMS)
def test_twice_as_much_takes_twice_as_many_steps(name: str) -> None:
    steps(STREAMS[name](10))
    once, twice = (steps(STREAMS[name](many)) for many in (700, 1_400))
    assert twice < 2.4 * once + 1_000
