"""joblib's stream: a pickle in which raw array bytes stand behind each NumpyArrayWrapper.

Written by joblib 0.10 and later: behind the wrapper's BUILD, one byte that says how many bytes of padding
follow (joblib 1.2 and later), the padding, the items; or, for dtypes that hold objects, one more pickle stream.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import StreamError
from safeload.readers.buffer import Buffer, Spent, Work
from safeload.readers.nodes import Alias, Bag, Global, Made, Node
from safeload.readers.observations import ArrayData, Stream, WholeWrapper
from safeload.readers.pickle import analyse_pickle
from safeload.readers.wrappers import MATCH, TUPLES, Known, know, sizes

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.machine import ArrayReader, WholeReader

__all__ = ["FIRST_OPCODES", "analyse"]

Watch = frozenset[tuple[str, str]]

FIRST_OPCODES = frozenset(b"\x80(]})cldNIKLFGPVXSJMBCTU\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")
_DTYPE, _RECORD = ("numpy", "dtype"), ("numpy", "record")
_DIMENSIONS_MAX = 64
_SIZE_MAX = 1 << 62
_ITEMS_MAX = 32
_LETTERS_MAX = 16
_FIELD_DEPTH_MAX = 16
_SIZED = "SUV"
_HAS_OBJECTS = 0x01  # numpy/_core/include/numpy/ndarraytypes.h: NPY_ITEM_REFCOUNT
_ITEM_SIZES = {"b": 1, "?": 1}


def analyse(
    buffer: Buffer | memoryview,
    start: int = 0,
    *,
    watch: Watch = frozenset(),
    work: Work | None = None,
    out_of_band: int = 0,
) -> Stream:
    """Analyse the joblib or plain pickle stream at `start` of `buffer`. Raises StreamError, LimitError.

    `work` bounds what a stream may cost that was compressed; any other is as large as what it costs. `out_of_band` is
    how many buffers there are beside it.
    """
    if isinstance(buffer, memoryview):
        buffer = Buffer(buffer)
    buffer.spent = Spent()
    buffer.reach(start + 1)
    # Text may happen to begin like opcodes of protocol 0; what picklers write begins with one of these.
    if buffer.view[start : start + 1] and buffer.view[start] not in FIRST_OPCODES:
        raise StreamError("this is neither a pickle nor a joblib stream", offset=start)
    return analyse_pickle(
        buffer,
        start,
        watch=watch,
        array_reader=_array_reader(watch),
        whole_reader=_whole_reader(),
        work=work,
        out_of_band=out_of_band,
    )


class _Layout(NamedTuple):
    """At which places of a wrapper's state its values stand."""

    shape: int
    dtype: int
    alignment: int | None


class _DType(NamedTuple):
    """What the extent of raw items depends on. ``itemsize`` is in bytes."""

    text: str
    itemsize: int
    has_object: bool


def _array_reader(watch: Watch) -> ArrayReader:
    # The memo gives all wrappers the same key tokens: their names are read once.
    layouts: dict[tuple[Node, ...], _Layout | None] = {}

    def read(data: Data, state: Node, at: int) -> ArrayData | None:
        if not isinstance(state, Bag) or len(state.items) > _ITEMS_MAX:
            return None
        keys = tuple(state.items[::2])
        if any(key.__class__ is not int for key in keys):
            return None  # and never hash what the file made
        if keys not in layouts:
            layouts[keys] = _layout(data, keys)
        layout = layouts[keys]
        return None if layout is None else _array(data, state.items[1::2], layout, at, watch)

    return read


def _layout(data: Data, keys: tuple[Node, ...]) -> _Layout | None:
    """A name that comes twice counts as the unpickler counts it, last."""
    places = {data.short_string(key): place for place, key in enumerate(keys)}
    if "shape" not in places or "dtype" not in places:
        return None
    return _Layout(places["shape"], places["dtype"], places.get("numpy_array_alignment_bytes"))


def _array(data: Data, values: list[Node], layout: _Layout, at: int, watch: Watch) -> ArrayData | None:
    shape, dtype = _shape(data, values[layout.shape]), _dtype(data, values[layout.dtype], 0)
    if shape is None or dtype is None:
        return None
    if dtype.has_object:
        # numpy pickles the array itself here, so a wrapper inside is no array but an odd object.
        nested = analyse_pickle(data.buffer, at, watch=watch, work=data.work)
        return ArrayData(at, at, nested.end, dtype.text, shape, nested)
    padded = layout.alignment is not None and not data.is_none(values[layout.alignment])
    start = at + 1 + data.number(at, 1) if padded else at
    return _extent(data, at, start, dtype, shape, None)


def _extent(
    data: Data, at: int, start: int, dtype: _DType, shape: tuple[int, ...], whole: WholeWrapper | None
) -> ArrayData:
    end = start + math.prod(shape) * dtype.itemsize
    if not data.reach(end):
        raise StreamError(f"an array of {end - start:,} bytes reaches past the end of the data", offset=at)
    return ArrayData(at, start, end, dtype.text, shape, None, whole, dtype.itemsize)


def _whole_reader() -> WholeReader:
    # The memo is only ever added to, so what its entries stand for is asked once.
    forms: dict[tuple[bytes, ...], Known | None] = {}

    def read(data: Data, memo: list[Node], buf: bytes, i: int, get_at: int, offset: int) -> ArrayData | None:
        match = MATCH.match(buf, i)
        if match is None:
            return None
        gets = match.group(1, 2, 3, 6, 7, 8, 9, 10, 11)
        if gets not in forms:
            forms[gets] = know(data, memo, gets)
        known, shape = forms[gets], sizes(match[4], TUPLES[match[5]])
        if known is None or shape is None:
            return None
        dtype = _dtype(data, known.dtype, 0)
        if dtype is None or dtype.has_object:
            return None
        at = offset + match.end() - i
        whole = WholeWrapper(get_at, 3 if shape else 2, known.get_dtype, known.order)
        return _extent(data, at, at + 1 + data.number(at, 1), dtype, shape, whole)

    return read


def _shape(data: Data, node: Node) -> tuple[int, ...] | None:
    if not isinstance(node, tuple) or len(node) > _DIMENSIONS_MAX:
        return None
    sizes: list[int] = []
    for item in node:
        size = data.integer(item)
        if size is None or not 0 <= size < _SIZE_MAX:
            return None
        sizes.append(size)
    return tuple(sizes)


def _dtype(data: Data, node: Node, depth: int) -> _DType | None:
    if isinstance(node, Alias):
        node = node.node
    if not isinstance(node, Made) or node.build is None or depth > _FIELD_DEPTH_MAX:
        return None
    if node.meaning is None:
        node.meaning = _read_dtype(data, node, depth)
    return node.meaning if isinstance(node.meaning, _DType) else None


def _read_dtype(data: Data, node: Made, depth: int) -> _DType | None:
    if node.source is None or node.source.key != _DTYPE or not isinstance(node.args, tuple) or not node.args:
        return None
    if not isinstance(node.state, tuple) or len(node.state) < 8:
        return None
    letters = _letters(data, node.args[0], node.state[5])
    if not letters or len(letters) > _LETTERS_MAX:
        return None
    kind, digits = letters[0], letters[1:]
    if digits and not (digits.isascii() and digits.isdigit()):
        return None
    size = int(digits) if digits else _ITEM_SIZES.get(kind, 0)
    if kind == "U":
        size *= 4
    if kind in _SIZED and data.integer(node.state[5]) != size:
        return None  # numpy believes this number, and not the letters
    order = data.short_string(node.state[1]) or ""
    has_object = kind == "O" or (kind == "V" and _parts_have_object(data, node.state, depth))
    flags = data.integer(node.state[7])
    if flags is None or bool(flags & _HAS_OBJECTS) != has_object:
        return None  # and these flags
    return _DType(f"{order[:1]}{letters}", size, has_object)


def _letters(data: Data, node: Node, itemsize: Node) -> str | None:
    """What a dtype is made from: its letters; or numpy.record, which stands for the V of as many bytes."""
    if isinstance(node, Global) and node.key == _RECORD:
        return f"V{data.integer(itemsize)}"
    return data.short_string(node)


def _parts_have_object(data: Data, state: tuple[Node, ...], depth: int) -> bool:
    """Whether a field or the base of a subarray holds objects; what cannot be told counts as raw, and fails later."""
    parts: list[Node] = []
    if isinstance(state[2], tuple) and state[2]:
        parts.append(state[2][0])
    if isinstance(state[4], Bag):
        parts += [value[0] for value in state[4].items[1::2] if isinstance(value, tuple) and value]
    dtypes = (_dtype(data, part, depth + 1) for part in parts)
    return any(dtype is not None and dtype.has_object for dtype in dtypes)
