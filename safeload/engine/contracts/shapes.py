"""Small questions that the checks of fitted estimators ask of their attributes."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.valid import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from safeload.engine.registry import Checker

__all__ = [
    "array",
    "arrays",
    "distinct",
    "each",
    "holds",
    "indices",
    "is_single",
    "is_switch",
    "is_word",
    "key_of",
    "number",
]

Key = tuple[str, str]


def key_of(value: Any) -> Key:
    """The name of an object's class, for the message."""
    return type(value).__module__, type(value).__qualname__


def number(value: Any, least: int = 0) -> bool:
    """Whether `value` is a whole number, of Python or numpy, and not less than `least`."""
    if type(value) is int:
        return value >= least
    import numpy as np

    return isinstance(value, np.integer) and bool(value >= least)


def is_word(value: Any) -> bool:
    """Whether `value` is a text, of Python or numpy: a search over an array of names leaves the latter."""
    if type(value) is str:
        return True
    import numpy as np

    return type(value) is np.str_


def is_switch(value: Any) -> bool:
    """Whether `value` is a truth value, of Python or numpy."""
    if type(value) is bool:
        return True
    import numpy as np

    return type(value) is np.bool_


def array(value: Any, shape: tuple[int | None, ...], kinds: str = "") -> bool:
    """Whether `value` is an array of this shape, None standing for any length, and of one of these kinds of dtype."""
    import numpy as np

    return (
        isinstance(value, np.ndarray)
        and value.ndim == len(shape)
        and all(wanted in (None, got) for wanted, got in zip(shape, value.shape, strict=True))
        and (not kinds or value.dtype.kind in kinds)
    )


def arrays(values: Sequence[Any], dimensions: int, fits: Callable[[Any], bool]) -> bool:
    """Whether all of them are arrays of so many dimensions, with dtypes that fit: each dtype is asked once."""
    import numpy as np

    if not all(issubclass(kind, np.ndarray) for kind in {*map(type, values)}):
        return False
    if not {*map(attrgetter("ndim"), values)} <= {dimensions}:
        return False
    return all(map(fits, distinct(map(attrgetter("dtype"), values))))


def distinct(values: Iterable[Any]) -> Iterable[Any]:
    """Each object once. Of thousands that get a state there are few, as a rule."""
    return {id(value): value for value in values}.values()


def indices(value: Any, end: int) -> bool:
    """Whether `value` is an array of one dimension of whole numbers from 0 to before `end`."""
    return array(value, (None,), "iu") and (value.size == 0 or bool(value.min() >= 0 and value.max() < end))


def each(valid: Callable[[dict[str, Any]], bool]) -> Checker:
    """A checker that asks `valid` of the attributes of one object after the other."""

    def check(objects: list[Any]) -> None:
        for one in objects:
            if not valid(vars(one)):
                require(False, key_of(one))

    return check


def is_single(value: Any) -> bool:
    """Whether `value` is one number, of Python or numpy, or an array of one that adds no dimension to others."""
    import numpy as np

    return isinstance(value, int | float | np.number) or getattr(value, "shape", None) in ((), (1,))


def holds(value: Any, wanted: Callable[[Any], bool]) -> bool:
    """Whether there is such an object in `value`, at any depth of attributes and containers."""
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if wanted(one):
            return True
        if type(one) in (list, tuple):
            waiting += one
        else:
            waiting += (one if type(one) is dict else getattr(one, "__dict__", {})).values()
    return False
