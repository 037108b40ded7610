"""What must hold for any bytes at all: the tree's own errors only, and the globals that CPython would ask for."""

from __future__ import annotations

import io
import pickle
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import safeload
from fuzz.inert import Inert
from fuzz.joblib_oracle import AskedByJoblib
from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse

if TYPE_CHECKING:
    from safeload.readers.observations import Stream

__all__ = ["check_bytes", "reported"]


class Asked(pickle.Unpickler):
    """CPython's own unpickler. It notes the names, and imports nothing: the registry of extensions it cannot reach."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        super().__init__(self.file)
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
    if _is_odd(stream):
        return "odd"
    asked = AskedByJoblib(data) if stream.every_array() else Asked(data)
    _compare(asked, reported(stream), stream.end)
    if not load:
        return "analysed"
    try:
        safeload.load_untrusted(io.BytesIO(data))
    except (safeload.SafeloadError, MemoryError):
        return "refused"
    return "loaded"


def _is_odd(stream: Stream) -> bool:
    return bool(stream.facts) or any(_is_odd(array.nested) for array in stream.every_array() if array.nested)


def reported(stream: Stream) -> list[tuple[str, str]]:
    """Also what the objects in an array are made of, which are a stream of their own behind its wrapper."""
    found = [(used.offset, [(used.stream_module, used.stream_name)]) for used in stream.globals]
    nested = [(array.end_of_build, array.nested) for array in stream.every_array()]
    found += [(at, reported(inner)) for at, inner in nested if inner is not None]
    return [name for _, names in sorted(found, key=itemgetter(0)) for name in names]


def _compare(asked: Asked | AskedByJoblib, reported: list[tuple[str, str]], end: int) -> None:
    """All that is asked for, in order, and where reading ends; where it stops with an error, up to there."""
    try:
        asked.load()
    except Exception:
        assert asked.names == reported[: len(asked.names)], (asked.names, reported)
        return
    assert asked.names == reported, (asked.names, reported)
    assert asked.file.tell() == end
