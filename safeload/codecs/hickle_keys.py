"""Keys of dicts and members of sets in a file of hickle.

The names of nodes are keys: a text or bytes in quotes, a number as it is printed. To put one in is to hash it, and that
a file must not make slow: a tuple of two times itself, forty times over, is hashed for hours, and numbers can be such
as get into each other's way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.errors import CodecError, LimitError
from safeload.readers.tables import STEPS_MAX, Table
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Keys", "key_of"]

_FEW, _LEAVES_MAX = 64, 1_000
_SEEDED = frozenset({str, bytes})
_PLAIN = frozenset({bool, complex, float, int, type(None)})
_TRUTHS = {"True": True, "False": False}  # hickle's own loader takes both for true
_NAMES: Mapping[str, Callable[[str], Any]] = {
    "bool": _TRUTHS.__getitem__,
    "complex": complex,
    "float": float,
    "int": int,
    "NoneType": {"None": None}.__getitem__,
}


def key_of(path: str, name: str, kind: str | None, value: Any) -> tuple[Any, Any]:
    """Key and value of an item. Raises CodecError."""
    if kind == "str" and len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1], value
    if kind == "bytes" and len(name) > 2 and name[:2] == 'b"' and name[-1] == '"':
        return name[2:-1].encode("utf-8", "surrogatepass"), value
    if kind == "key_value" and type(value) is tuple and len(value) == 2:
        return value
    try:
        return _NAMES[kind or ""](name), value
    except (KeyError, ValueError):
        raise CodecError(f"{printable(path, 80)} has a key that is not as hickle writes it") from None


class Keys:
    """What the keys of one file take, over all that is made of it."""

    def __init__(self) -> None:
        self._steps = 0

    def check(self, path: str, keys: Sequence[Any], *, is_set: bool = False) -> None:
        """Raise CodecError for what is no key, or would be hashed for long; LimitError for too many that are alike."""
        chosen = [key for key in keys if type(key) not in _SEEDED]
        for key in chosen:
            _check(path, key)
        if len(chosen) <= _FEW:
            return
        table = Table(is_set=is_set)
        allowed = table.allowed(len(chosen))
        table.extend([*map(hash, chosen)], allowed + STEPS_MAX - self._steps)
        self._steps += max(table.steps - allowed, 0)
        if self._steps > STEPS_MAX:
            raise LimitError("keys", f"{printable(path, 80)}: the hashes of keys lead to the same places")


def _check(path: str, key: Any) -> None:
    import numpy as np

    pending, count = [key], 0
    while pending:
        one = pending.pop()
        count += 1
        if type(one) is tuple and len(one) <= _LEAVES_MAX:
            pending.extend(one)
        elif type(one) not in _SEEDED | _PLAIN and not isinstance(one, np.generic):
            raise CodecError(f"{printable(path, 80)} has a key that is a {type(one).__name__}")
        if count > _LEAVES_MAX or len(pending) > 2 * _LEAVES_MAX:
            raise CodecError(f"{printable(path, 80)} has a key that is hashed for too long")
