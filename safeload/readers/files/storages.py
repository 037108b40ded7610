"""The numbers behind the pickles of PyTorch below 1.6: for each key a count of items in 8 bytes, and the items.

Source: torch/serialization.py, _legacy_save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["end_of_storage", "end_of_storages"]

_COUNT = 8
_STEPS_MAX = 1_000_000
# Bytes of an item, by the class that the pickles name.
_SIZES: Mapping[str, int] = {
    **dict.fromkeys(("ComplexDoubleStorage",), 16),
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    **dict.fromkeys(("FloatStorage", "IntStorage", "QInt32Storage"), 4),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    **dict.fromkeys(("ByteStorage", "CharStorage", "BoolStorage", "UntypedStorage"), 1),
    **dict.fromkeys(("QInt8Storage", "QUInt8Storage", "QUInt4x2Storage", "QUInt2x4Storage"), 1),
}


def end_of_storages(view: memoryview, start: int, keys: int, names: Iterable[str]) -> int | None:
    """Where `keys` storages of the classes `names` may end: at the end of `view`, if they can; None if nowhere.

    Which storage is of which class is not asked: a count that is read at a wrong place leads out of the file.
    """
    sizes = {_SIZES[name] for name in names if name in _SIZES}
    ends, steps = {start}, 0
    for _ in range(keys):
        steps += len(ends)
        if steps > _STEPS_MAX:
            return None
        ends = {end for at in ends for size in sizes if (end := _end(view, at, size)) is not None}
        if not ends:
            return None
    return max(ends)


def end_of_storage(view: memoryview, at: int, name: str) -> int | None:
    """Where the storage of the class `name` ends that begins at `at`; None if it is no storage, or is cut off."""
    return _end(view, at, _SIZES[name]) if name in _SIZES else None


def _end(view: memoryview, at: int, size: int) -> int | None:
    if at + _COUNT > len(view):
        return None
    end = at + _COUNT + size * int.from_bytes(view[at : at + _COUNT], "little")
    return end if end <= len(view) else None
