"""Array wrappers that joblib writes again and again, read in one step.

All wrappers of a file but the first few differ in nothing but shape and dtype; class, keys and values come from the
memo. One regular expression knows that form (protocols 4 and 5), so that a forest of a thousand arrays does
not cost thirty opcodes each. What does not match is read opcode by opcode, with the same result.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from safeload.readers.nodes import Global, Made

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.nodes import Node

__all__ = ["MATCH", "TUPLES", "WRAPPER", "Known", "know", "sizes"]

WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")

_GET = rb"(h.|j.{4})"
_MEMOIZE = rb"\x94"
# NEWOBJ with (), {}, and the keys in the order of joblib's __init__: subclass shape order dtype allow_mmap alignment.
MATCH = re.compile(
    rb"\)\x81\x94\}\x94\("
    + _GET * 3
    + rb"((?:K.|M..|J.{4}){0,3})([\x85-\x87]\x94|\))"
    + _GET * 5
    + rb"[\x88\x89]"
    + _GET
    + rb"K.ub",
    re.DOTALL,
)
_NAMES = ("subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes")
_NDARRAY = ("numpy", "ndarray")
TUPLES = {b")": 0, b"\x85\x94": 1, b"\x86\x94": 2, b"\x87\x94": 3}


class Known(NamedTuple):
    """What the memo entries of a form stand for, resolved once."""

    order: str
    dtype: Made
    get_dtype: bytes


def _index(get: bytes) -> int:
    """The memo key that a BINGET or LONG_BINGET asks for."""
    return int.from_bytes(get[1:], "little")


def know(data: Data, memo: list[Node], gets: tuple[bytes, ...]) -> Known | None:
    """Resolve the GETs of a match, or None where they are not what joblib writes."""
    try:
        nodes = [memo[_index(get)] for get in gets]
    except IndexError:
        return None
    keys = (nodes[0], nodes[2], nodes[3], nodes[5], nodes[7], nodes[8])
    if tuple(data.short_string(key) for key in keys) != _NAMES:
        return None
    subclass, order, dtype = nodes[1], data.short_string(nodes[4]), nodes[6]
    if not isinstance(subclass, Global) or subclass.key != _NDARRAY or order not in ("C", "F"):
        return None
    if not isinstance(dtype, Made) or not dtype.watched or not dtype.finished or dtype.memo is None:
        return None
    return Known(order, dtype, gets[6])


@functools.lru_cache(maxsize=1_000)
def sizes(numbers: bytes, count: int) -> tuple[int, ...] | None:
    """The shape of `count` dimensions that BININT opcodes spell."""
    found: list[int] = []
    at = 0
    while at < len(numbers):
        width = {0x4B: 1, 0x4D: 2, 0x4A: 4}[numbers[at]]
        found.append(int.from_bytes(numbers[at + 1 : at + 1 + width], "little", signed=width == 4))
        at += 1 + width
    if len(found) != count or (found and min(found) < 0):
        return None
    return tuple(found)
