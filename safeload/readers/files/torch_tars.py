"""Members of PyTorch's tar archives, which it wrote before 0.2 and still loads: pickles, with numbers between them.

Source: torch/serialization.py, ``legacy_load`` in ``_legacy_load``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers.files import pickles
from safeload.readers.files.storages import end_of_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.readers.files.look import Look

__all__ = ["KINDS", "MEMBERS", "READERS"]

_NDIM, _SIZES, _OFFSET = 8, 16, 8  # bytes: of a count, of a size and a stride for each dimension, of an offset
# Any number of dimensions that numpy and PyTorch know, so that a wrong place is seen.
_NDIM_MAX = 64


def _read_pickle(look: Look, view: memoryview) -> None:
    """The object. Its persistent ids are the keys of tensors and storages."""
    pickles.read(look, view)
    look.part.kind = "torch, tar"


def _read_storages(look: Look, view: memoryview) -> None:
    """A count; for each storage ``(key, location, class)``, how many items, and the items; and what views which."""
    _alternate(look, view, end_of_storage)


def _read_tensors(look: Look, view: memoryview) -> None:
    """A count; for each tensor ``(key, storage, class)``, dimensions, sizes, strides, and where it begins."""
    _alternate(look, view, _end_of_tensor)


def _end_of_tensor(view: memoryview, at: int, _: str) -> int | None:
    dimensions = int.from_bytes(view[at : at + 4], "little")
    end = at + _NDIM + _SIZES * dimensions + _OFFSET
    return end if dimensions <= _NDIM_MAX and end <= len(view) else None


def _alternate(look: Look, view: memoryview, end_of: Callable[[memoryview, int, str], int | None]) -> None:
    """Pickles, and numbers behind each that names a class."""
    look.part.kind, at = "torch, tar", 0
    while at < len(view):
        stream = pickles.read_one(look, view, at)
        if stream is None:
            return
        at, names = stream.end, [used.name for used in stream.globals]
        if not names:
            continue
        end = end_of(view, at, names[0]) if len(names) == 1 else None
        if end is None:
            look.unread(at, "the numbers behind a pickle are not as PyTorch writes them")
            return
        look.span(at, end, "data", names[0])
        at = end


MEMBERS: Mapping[str, str] = {
    "pickle": "torch, pickle",
    "storages": "torch, storages",
    "tensors": "torch, tensors",
}
READERS: Mapping[str, Callable[[Look, memoryview], None]] = {
    "torch, pickle": _read_pickle,
    "torch, storages": _read_storages,
    "torch, tensors": _read_tensors,
}
KINDS = frozenset(READERS)
