"""What joblib's unpickler would ask for: CPython's own, in Python, with joblib's reading of raw bytes behind a wrapper.

Source: joblib/numpy_pickle.py (``NumpyUnpickler.load_build``, ``NumpyArrayWrapper.read_array``), 1.6. Bytes of arrays
are passed over, and no array is made: a dtype here is its size, and whether there are objects.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from fuzz.inert import Inert

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AskedByJoblib"]

_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_DTYPE = ("numpy", "dtype")
_SIMPLE = re.compile(r"[<>|=]?[?a-zA-Z][0-9]{0,6}")
_FLEXIBLE = "SUV"


class _Wrapper:
    """Attributes, as the state gives them."""


class _Dtype:
    """As far as reading goes. What is not simple ends the comparison."""

    def __init__(self, name: str, *flags: Any) -> None:
        if not _SIMPLE.fullmatch(name):
            raise pickle.UnpicklingError("a dtype that is not simple")
        made = np.dtype(name)
        self.kind, self.itemsize, self.hasobject = made.kind, made.itemsize, made.hasobject

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        fields = state[4]
        if self.kind in _FLEXIBLE:
            self.itemsize = state[5]
        if fields is not None:
            self.hasobject = any(field[0].hasobject for field in fields.values())
        if state[2] is not None:  # of an array in each item
            self.hasobject = state[2][0].hasobject


class AskedByJoblib(pickle._Unpickler):  # with a table of opcodes that can be changed
    """It notes the names, and imports nothing."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    stack: list[Any]

    def __init__(self, data: bytes) -> None:
        self.file: BinaryIO = io.BytesIO(data)
        super().__init__(self.file)
        self.names: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        self.names.append((module, name))
        if (module, name) == _WRAPPER:
            return _Wrapper
        return _Dtype if (module, name) == _DTYPE else Inert

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("there is nothing to find")

    def build(self) -> None:
        pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]
        if isinstance(self.stack[-1], _Wrapper):
            self.stack[-1] = self.array(self.stack[-1])

    dispatch[pickle.BUILD[0]] = build

    def array(self, wrapper: Any) -> Any:
        if wrapper.dtype.hasobject:
            return _Inner(self.file, self.find_class).load()
        if getattr(wrapper, "numpy_array_alignment_bytes", None) is not None:
            self.file.read(int.from_bytes(self.file.read(1), "little"))
        size = math.prod(wrapper.shape) * wrapper.dtype.itemsize
        if len(self.file.read(size)) != size:
            raise pickle.UnpicklingError("the file ends in an array")
        return Inert()


class _Inner(pickle.Unpickler):
    """What reads objects of an array: it asks the outer one, and knows no wrapper."""

    def __init__(self, file: BinaryIO, find_class: Callable[[str, str], Any]) -> None:
        super().__init__(file)
        self._find_class = find_class

    def find_class(self, module: str, name: str) -> Any:
        return self._find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("there is nothing to find")
