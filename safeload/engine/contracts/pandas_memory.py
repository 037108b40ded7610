"""What was found out of an array, kept for the next time that the file names the same array.

A name costs three bytes, and a look at an array, or a copy, as much as the array is long: without this, a small file
of a thousand names would be as much work as one of a thousand arrays.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy as np

__all__ = ["copied", "counted", "inside", "once"]

Key = tuple[str, str]
Answer = TypeVar("Answer")

# Of an array that several objects write to, each has a copy. pandas shares one between a few at most.
_COPIES_MAX = 16

# By identity: an entry goes when its array does, and no array is in two files.
_known: dict[int, tuple[weakref.ref[Any], dict[Hashable, Any]]] = {}


def once(array: np.ndarray[Any, Any], question: Hashable, answer: Callable[[], Answer]) -> Answer:
    """What `answer` returned when it was first asked about `array`."""
    number = id(array)
    if number not in _known:
        _known[number] = weakref.ref(array, lambda _: _known.pop(number, None)), {}
    answers = _known[number][1]
    if question not in answers:
        answers[question] = answer()
    found: Answer = answers[question]
    return found


def inside(array: np.ndarray[Any, Any], least: int, end: int) -> bool:
    """Whether all integers in `array` are from `least` to before `end`."""
    if array.size == 0:
        return True
    lowest, highest = once(array, "extent", lambda: (int(array.min()), int(array.max())))
    return least <= lowest and highest < end


def counted(values: Any, key: Key, most: int = _COPIES_MAX) -> None:
    """`values`, an array of numpy or of pandas, is copied or looked at from end to end once more."""
    uses = once(getattr(values, "_ndarray", getattr(values, "_data", values)), "uses", lambda: [0])
    uses[0] += 1
    require(uses[0] <= most, key)


def copied(array: np.ndarray[Any, Any], key: Key) -> np.ndarray[Any, Any]:
    """A copy, which nobody who has a name for `array` can write to."""
    counted(array, key)
    return array.copy()
