"""A file of hickle, rebuilt: a child reads HDF5, and says what is in it; the numbers are read from where they stand.

A value is made when all that is in it was made, so that nothing here is as deep as the file is.
"""

from __future__ import annotations

import math
import os
import re
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.hickle_keys import Keys
from safeload.codecs.hickle_values import Item, Node, build
from safeload.errors import CodecError, LimitError, SafeloadError, UnsafeFileError
from safeload.readers.files.hdf5_process import frame_of, reading
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.limits import Limits
    from safeload.mapped import Place

__all__ = ["PICKLED", "rebuild"]

_CHILD = "safeload.readers.files.hickle_child"
_SECONDS, _BYTES_A_SECOND = 120, 20 << 20
_DTYPE = re.compile(r"[<>|][biufc]\d{1,2}|\|S\d{1,9}")
_DIMENSIONS_MAX, _PIECE = 32, 1 << 30
# As readers/extents.py has it for streams.
_WEIGHT_FLOOR, _WEIGHT_RATIO = 100_000, 100
_OBJECT = 64  # bytes: what a number of its own takes
PICKLED = (
    "no pickle in a file of hickle is read, whatever the policy: safeload.dump keeps the object, hickle its arrays"
)
_ROWS = frozenset({"list", "tuple", "set"})


def rebuild(place: Place, name: str, limits: Limits) -> Any:
    """The object in the file at `place`. Raises UnsafeFileError, CodecError, LimitError."""
    tree = _Tree(place, limits)
    with reading(_CHILD, place, _SECONDS + place.size // _BYTES_A_SECOND) as stream:
        try:
            why = tree.read(stream)
        except SafeloadError:
            raise
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise CodecError(f"hickle does not write such a file: {printable(str(error), 200)}") from error
    if why:
        raise UnsafeFileError(
            f"{printable(name)}: {printable(why, 300)}",
            rule="unread",
            offset=0,
            member=name,
            hint=PICKLED if why.endswith("is a pickle") else "",
        )
    return tree.value()


class _Tree:
    def __init__(self, place: Place, limits: Limits) -> None:
        self._fd, self._start, self._size = place
        self._left = limits.expanded(self._size)
        self._stack: list[Item] = []
        self._made: list[Any] = []
        # How many values each of the two holds, where what is shared counts each time: `repr` does not know either.
        self._weights: list[int] = []
        self._heavy: list[int] = []
        self._keys = Keys()

    def value(self) -> Any:
        (item,) = self._stack
        return item.value

    def read(self, stream: IO[bytes]) -> str:
        """Why the child refused the file; empty if it did not."""
        while (frame := frame_of(stream)) is not None:
            what = frame["what"]
            if what == "end":
                return "" if len(self._stack) == 1 else "there is not one object in it"
            if what == "refused":
                return str(frame["why"])
            self._spend(_OBJECT)
            if what == "again":
                value, weight = self._made[frame["number"]], self._heavy[frame["number"]]
            else:
                if what == "link":
                    value, weight = self._stack.pop().value, self._weights.pop()
                else:
                    held = len(self._stack) - (frame["count"] if what == "group" else 0)
                    weight = 1 + sum(self._weights[max(held, 0) :])
                    value = build(self._node(frame, stream))
                    del self._weights[max(held, 0) :]
                self._made.append(value)
                self._heavy.append(weight)
            if weight > _WEIGHT_FLOOR and weight > _WEIGHT_RATIO * self._size:
                raise LimitError("nesting", f"the file holds more than {weight:,} values, counted with repetition")
            self._weights.append(weight)
            self._stack.append(Item(frame["name"], frame["index"], frame["key"], value))
        return "the process that read the file gave up"

    def _node(self, frame: dict[str, Any], stream: IO[bytes]) -> Node:
        is_group, items = frame["what"] == "group", None
        if is_group:
            begin = len(self._stack) - frame["count"]
            if not 0 <= begin <= len(self._stack):
                raise CodecError("hickle does not write such a file: a group holds what is not there")
            items = self._stack[begin:]
            del self._stack[begin:]
        return Node(
            path=frame["path"],
            base=frame["base"],
            pickle=bytes.fromhex(frame["class"]),
            array=None if is_group else self._array(frame, stream),
            items=items,
            count=frame["items"] if is_group else None,
            np_dtype=frame["np_dtype"],
            str_type=frame["str_type"],
            keys=self._keys,
        )

    def _array(self, frame: dict[str, Any], stream: IO[bytes]) -> Any:
        """Memory of its own, filled with the numbers; None for what has no shape."""
        import numpy as np

        shape = frame["shape"]
        if shape is None:
            return None
        good = len(shape) <= _DIMENSIONS_MAX and all(type(each) is int and each >= 0 for each in shape)
        if not good or not _DTYPE.fullmatch(frame["dtype"]):
            raise CodecError(f"{printable(frame['path'], 80)} is an array of another kind")
        dtype = np.dtype(frame["dtype"])
        count = math.prod(shape)
        self._spend(count * (dtype.itemsize + (_OBJECT if frame["base"] in _ROWS else 0)))
        array = np.empty(shape, dtype)
        if array.size:
            self._fill(array.reshape(-1).view("u1").data, frame, stream)
        if dtype.kind == "b" and array.size and array.reshape(-1).view("u1").max() > 1:
            raise CodecError(f"{printable(frame['path'], 80)} has truths that are neither")
        return array

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise LimitError("expansion", "what is in the file is larger than the limits allow")

    def _fill(self, memory: memoryview, frame: dict[str, Any], stream: IO[bytes]) -> None:
        at, done = frame.get("at"), 0
        good = frame["size"] == len(memory) if at is None else 0 <= at <= self._size - len(memory)
        if not good:
            raise CodecError(f"{printable(frame['path'], 80)} has another number of bytes")
        while done < len(memory):
            piece = memory[done : done + _PIECE]
            count = stream.readinto(piece) if at is None else os.preadv(self._fd, [piece], self._start + at + done)  # type: ignore[attr-defined]
            if not count:
                raise CodecError(f"{printable(frame['path'], 80)} ends too early")
            done += count
