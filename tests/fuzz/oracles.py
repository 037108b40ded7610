"""What must hold for any bytes at all: the tree's own errors only, and the globals that CPython would ask for."""

from __future__ import annotations

import io
import pickle
from typing import Any

import safeload
from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse

__all__ = ["check_bytes"]


class Inert:
    """Stands for every global while CPython reads: takes whatever it is given, and does nothing with it."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __call__(self, *args: Any) -> Inert:
        raise pickle.UnpicklingError("a value is called")

    def append(self, value: Any) -> None: ...

    def extend(self, values: Any) -> None: ...

    def add(self, value: Any) -> None: ...


class Asked(pickle.Unpickler):
    """CPython's own unpickler. It notes the names, and imports nothing: the registry of extensions it cannot reach."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.names: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        self.names.append((module, name))
        return Inert

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("there is nothing to find")


def check_bytes(data: bytes, *, load: bool = True) -> str:
    """Raises AssertionError, or whatever the tree must not raise. Returns how far the bytes came."""
    try:
        stream = analyse(memoryview(data), watch=WATCHED)
    except safeload.SafeloadError:
        return "malformed"
    if stream.facts:
        return "odd"
    if not stream.every_array():  # raw bytes behind wrappers, which only joblib can read
        _compare(data[: stream.end], [(used.stream_module, used.stream_name) for used in stream.globals])
    if not load:
        return "analysed"
    try:
        safeload.load_untrusted(io.BytesIO(data))
    except (safeload.SafeloadError, MemoryError):
        return "refused"
    return "loaded"


def _compare(data: bytes, reported: list[tuple[str, str]]) -> None:
    """All that CPython asks for, in order; where it stops with an error, up to there."""
    asked = Asked(data)
    try:
        asked.load()
    except Exception:
        assert asked.names == reported[: len(asked.names)], (asked.names, reported)
        return
    assert asked.names == reported, (asked.names, reported)
