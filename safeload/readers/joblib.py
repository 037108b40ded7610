"""joblib's stream: a pickle in which raw array bytes stand behind each NumpyArrayWrapper.

Written by joblib 0.10 and later: behind the wrapper's BUILD, one byte that says how many bytes of padding
follow (joblib 1.2 and later), the padding, the items; or, for dtypes that hold objects, one more pickle stream.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers.nodes import Bag, Made, Node
from safeload.readers.observations import ArrayData, Stream
from safeload.readers.pickle import analyse_pickle

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.machine import ArrayReader

__all__ = ["analyse"]

_DTYPE = ("numpy", "dtype")
_FIRST_OPCODES = frozenset(b"\x80(]})cldNIKLFGVXSJMBCTU\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x96")
_DIMENSIONS_MAX = 64
_FIELD_DEPTH_MAX = 16
_ITEM_SIZES = {"b": 1, "?": 1}


def analyse(view: memoryview, *, watch: frozenset[tuple[str, str]] = frozenset()) -> Stream:
    """Analyse a joblib or plain pickle stream that fills `view`. Raises StreamError."""
    # Text may happen to begin like opcodes of protocol 0; what picklers write begins with one of these.
    if view[:1] and view[0] not in _FIRST_OPCODES:
        raise StreamError("this is neither a pickle nor a joblib stream", offset=0)
    return analyse_pickle(view, watch=watch, array_reader=_array_reader(watch))


def _array_reader(watch: frozenset[tuple[str, str]]) -> ArrayReader:
    def read(data: Data, state: Node, at: int) -> ArrayData | None:
        wrapper = _wrapper(data, state)
        if wrapper is None:
            return None
        if wrapper.dtype.has_object:
            # numpy pickles the array itself here, so a wrapper inside is no array but an odd object.
            nested = analyse_pickle(data.view, at, watch=watch)
            return ArrayData(at, at, nested.end, wrapper.dtype.text, wrapper.shape, nested)
        start = at + 1 + data.number(at, 1) if wrapper.padded else at
        end = start + math.prod(wrapper.shape) * wrapper.dtype.itemsize
        if end > data.size:
            raise StreamError(f"an array of {end - start:,} bytes reaches past the end of the data", offset=at)
        return ArrayData(at, start, end, wrapper.dtype.text, wrapper.shape, None)

    return read


@dataclass(frozen=True, slots=True)
class _DType:
    """What the extent of raw items depends on. ``itemsize`` is in bytes."""

    text: str
    itemsize: int
    has_object: bool


@dataclass(frozen=True, slots=True)
class _Wrapper:
    shape: tuple[int, ...]
    dtype: _DType
    padded: bool


def _wrapper(data: Data, state: Node) -> _Wrapper | None:
    if not isinstance(state, Bag) or state.kind != "dict":
        return None
    fields = _named(data, state)
    shape, dtype = _shape(data, fields.get("shape")), _dtype(data, fields.get("dtype"), 0)
    if shape is None or dtype is None:
        return None
    alignment = fields.get("numpy_array_alignment_bytes")
    padded = alignment is not None and not data.is_none(alignment)
    return _Wrapper(shape, dtype, padded)


def _named(data: Data, bag: Bag) -> dict[str, Node]:
    """A dict's items by their names; a name that comes twice counts as the unpickler counts it, last."""
    keys, values = bag.items[::2], bag.items[1::2]
    named = ((data.short_string(key), value) for key, value in zip(keys, values, strict=False))
    return {key: value for key, value in named if key is not None}


def _shape(data: Data, node: Node) -> tuple[int, ...] | None:
    if not isinstance(node, tuple) or len(node) > _DIMENSIONS_MAX:
        return None
    sizes = tuple(size for item in node if (size := data.integer(item)) is not None and size >= 0)
    return sizes if len(sizes) == len(node) else None


def _dtype(data: Data, node: Node, depth: int) -> _DType | None:
    if not isinstance(node, Made) or node.source is None or node.source.key != _DTYPE or depth > _FIELD_DEPTH_MAX:
        return None
    letters = data.short_string(node.args[0], 16) if isinstance(node.args, tuple) and node.args else None
    if not letters or not isinstance(node.state, tuple) or len(node.state) < 8:
        return None
    kind, digits = letters[0], letters[1:]
    if digits and not (digits.isascii() and digits.isdigit()):
        return None
    size = int(digits) if digits else _ITEM_SIZES.get(kind, 0)
    if kind == "U":
        size *= 4
    order = data.short_string(node.state[1], 1) or ""
    has_object = kind == "O" or (kind == "V" and _parts_have_object(data, node.state, depth))
    return _DType(f"{order}{letters}", size, has_object)


def _parts_have_object(data: Data, state: tuple[Node, ...], depth: int) -> bool:
    """Whether a field or the base of a subarray holds objects; what cannot be told counts as raw, and fails later."""
    parts: list[Node] = []
    if isinstance(state[2], tuple) and state[2]:
        parts.append(state[2][0])
    if isinstance(state[4], Bag):
        parts += [value[0] for value in state[4].items[1::2] if isinstance(value, tuple) and value]
    dtypes = (_dtype(data, part, depth + 1) for part in parts)
    return any(dtype is not None and dtype.has_object for dtype in dtypes)
