"""The stream that `joblib.dump` writes, by the C pickler, in a fraction of the time.

joblib's own pickler is written in Python, since the bytes of an array follow its wrapper outside of any frame. The C
pickler knows nothing of that. Here it is made to write a number into each wrapper that stands nowhere else, its *mark*;
by these, the places of the bytes are found in what it writes. Frames are made anew around what is left.

The numbers are those of the moment at which the array comes: whoever lends one buffer for several states may change it
right after. So small arrays are copied. The mark of a large one fills a frame, which the pickler writes before it asks
anything for its state again.
"""

from __future__ import annotations

import pickle
import re
import secrets
from types import SimpleNamespace
from typing import IO, Any, Literal

import numpy as np
from joblib.numpy_pickle import NUMPY_ARRAY_ALIGNMENT_BYTES, NumpyArrayWrapper

from safeload.codecs.joblib_frames import UNKNOWN, framed, unframed
from safeload.codecs.numbers import numbers_of

__all__ = ["LEAST_PROTOCOL", "dump_stream"]

LEAST_PROTOCOL = 4  # the first with frames
_ARRAYS = frozenset({np.ndarray, np.matrix, np.memmap})
_ALIGNMENT = "numpy_array_alignment_bytes"
_SECRET, _COUNTED = 12, 4  # bytes of a mark
_OPEN = _SECRET + _COUNTED + 5  # of one with all but its last opcode
_FRAME = 64 << 10  # as picklers have it
_SMALL = 64 << 10
_MARK = rb"\x8a\x11(.{%d})%s\x01"  # LONG1, and a number of 17 bytes
_END = b"ubQ"  # of the wrapper's state, and BINPERSID
_ALIGNED = b"K" + bytes([NUMPY_ARRAY_ALIGNMENT_BYTES]) + b"ub"


def dump_stream(value: Any, file: IO[bytes], protocol: int) -> None:
    """Write `value` at the position of `file`, as joblib would. Raises whatever the classes of the object raise."""
    writer = _Writer(file)
    _Pickler(writer, protocol).dump(value)
    writer.end()


class _Pickler(pickle.Pickler):
    def __init__(self, writer: _Writer, protocol: int) -> None:
        super().__init__(writer, protocol)
        self._marked = writer.marked

    def persistent_id(self, value: Any) -> Any:
        """What stands for `value`, and is pickled itself; of an array its wrapper, a new one each time that it comes.

        BINPERSID behind it is cut out.
        """
        return self._marked(value) if type(value) in _ARRAYS else None


class _Writer:
    """What the pickler writes to."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._arrays: list[Any] = []
        self._secret = secrets.token_bytes(_SECRET)  # no data can be taken for a mark
        mark = _MARK % (_COUNTED, re.escape(self._secret))
        self._marks = re.compile(mark + _END, re.DOTALL)  # the state ends with it, and is given to the wrapper
        self._open = re.compile(mark + rb"u?b?\Z", re.DOTALL)  # the end comes with the next piece
        self._large: tuple[Any, bytes] | None = None  # an array, and the opcode of its mark
        self._begun = False
        self._owed = 0  # bytes of a text or a byte string that come in a piece of their own
        self._opcodes = b""

    # --- for the pickler -------------------------------------------------------------------------

    def marked(self, array: Any) -> NumpyArrayWrapper:
        """A wrapper; how arrays are aligned comes last in its state, and a mark stands for that."""
        wrapper = _wrapper(array)
        if self._large is None and (array.nbytes > _SMALL or array.dtype.hasobject):
            mark = bytes(_COUNTED) + self._secret + bytes(_FRAME) + b"\x01"
            self._large = array, b"\x8b" + len(mark).to_bytes(4, "little") + mark  # LONG4
        else:
            mark = len(self._arrays).to_bytes(_COUNTED, "little") + self._secret + b"\x01"
            self._arrays.append(_copied(array, wrapper.order))
        setattr(wrapper, _ALIGNMENT, int.from_bytes(mark, "little"))
        return wrapper

    def write(self, piece: bytes | memoryview) -> None:
        if self._owed:
            self._file.write(piece)
            self._owed = 0
            return
        data = bytes(piece)
        if not self._begun:
            self._file.write(data[:2])  # PROTO
            data, self._begun = data[2:], True
        opcodes, header, self._owed = unframed(data)
        self._opcodes += opcodes
        if self._large is not None:
            self._write_large(*self._large)
        self._hand_on()
        if header:
            self._frame()
            self._file.write(header)

    def end(self) -> None:
        self._frame()
        if self._owed or self._large or any(array is not None for array in self._arrays):
            raise ValueError(UNKNOWN)

    # --- to the file -----------------------------------------------------------------------------

    def _hand_on(self) -> None:
        """Arrays, with what is before them; then what is enough for a frame, but a mark whose end is not there yet."""
        opcodes, at = self._opcodes, 0
        for match in self._marks.finditer(opcodes):
            number = int.from_bytes(match[1], "little")
            array, self._arrays[number] = self._arrays[number], None
            self._file.write(framed(opcodes[at : match.start()] + _ALIGNED))
            _write_array(array, self._file)
            at = match.end()
        if len(opcodes) - at >= _FRAME:
            still_open = self._open.search(opcodes, len(opcodes) - _OPEN)
            keep = still_open.start() if still_open else len(opcodes)
            self._file.write(framed(opcodes[at:keep]))
            at = keep
        self._opcodes = opcodes[at:]

    def _write_large(self, array: Any, mark: bytes) -> None:
        self._opcodes, found, behind = self._opcodes.partition(mark + _END)
        if found:
            self._large = None
            self._hand_on()
            self._opcodes += _ALIGNED
            self._frame()
            _write_array(array, self._file)
            self._opcodes = behind

    def _frame(self) -> None:
        self._file.write(framed(self._opcodes))
        self._opcodes = b""


def _wrapper(array: Any) -> NumpyArrayWrapper:
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    return NumpyArrayWrapper(type(array), array.shape, order, array.dtype, allow_mmap=not array.dtype.hasobject)


def _copied(array: Any, order: Literal["C", "F"]) -> Any:
    """Its bytes, where they lie in one piece, with what lies between its fields; else an array of its own."""
    numbers = numbers_of(array)
    if numbers is not None:
        return bytes(numbers)
    copy = np.zeros(array.shape, array.dtype, order)  # no memory of somebody else between the fields
    copy[...] = array
    return copy


def _write_array(array: Any, file: IO[bytes]) -> None:
    """joblib's bytes: the length of the padding, padding, numbers. What lies in one piece is not copied."""
    numbers = array if isinstance(array, bytes) else numbers_of(array)
    if numbers is None:
        _wrapper(array).write_array(array, SimpleNamespace(file_handle=file, np=np))
        return
    padding = NUMPY_ARRAY_ALIGNMENT_BYTES - (file.tell() + 1) % NUMPY_ARRAY_ALIGNMENT_BYTES
    file.write(bytes([padding]) + b"\xff" * padding)
    file.write(numbers)
