"""The versions that files say they were written with, for the manifest of what is packed as it is.

Nobody vouches for them but the file: whoever loads the artifact is warned where another version is installed.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from safeload.errors import StreamError
from safeload.readers.files.hdf5 import version_in_hdf5
from safeload.readers.files.views import ViewFile
from safeload.readers.files.wire import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["stated_versions"]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,40}")
_TEXT_MAX = 16 << 20
_TAIL = 64
# xgboost writes the keys in their order, so that the version is the last: three numbers, of one byte each in UBJSON.
_JSON_TAIL = re.compile(rb'"version"\s*:\s*\[\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\]\s*\}\s*\Z')
_UBJSON_TAIL = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)\}\Z", re.DOTALL)
# Field 2 of a SavedModel holds graphs, field 1 of these what they are, and field 5 of that the version.
# Source: tensorflow/core/protobuf/saved_model.proto and meta_graph.proto.
_TO_VERSION = (2, 1, 5)


def stated_versions(members: Iterable[tuple[str, str, memoryview]]) -> dict[str, str]:
    """Distributions and their versions, by members as (kind, name, bytes)."""
    return dict(filter(None, (_stated(*member) for member in members)))


def _stated(kind: str, name: str, view: memoryview) -> tuple[str, str] | None:
    """None for what says no version, or nothing readable."""
    library, read = _STATED.get(kind, (None, None))
    if library is None or read is None:
        return None
    try:
        version = read(view) if kind != "tensorflow.file" or name == "saved_model.pb" else None
    except Exception:  # of zipfile, struct and others; loading says what is wrong with it
        return None
    return (library, version) if version is not None and _VERSION.fullmatch(version) else None


def _in_text(key: str) -> Callable[[memoryview], str | None]:
    pattern = re.compile(rb'"%s"\s*:\s*"([^"\\]{1,60})"' % key.encode())

    def read(view: memoryview) -> str | None:
        found = pattern.search(view[:_TEXT_MAX])
        return found[1].decode("ascii") if found else None

    return read


def _in_archive(member: str, key: str) -> Callable[[memoryview], str | None]:
    of_text = _in_text(key)

    def read(view: memoryview) -> str | None:
        with zipfile.ZipFile(ViewFile(view)) as archive, archive.open(member) as text:
            return of_text(memoryview(text.read(_TEXT_MAX)))

    return read


def _in_graph(view: memoryview) -> str | None:
    start, end = 0, len(view)
    for number in _TO_VERSION:
        found = next((each for each in fields(view, start, end) if each.number == number and each.is_bytes), None)
        if found is None:
            return None
        start, end = found.start, found.end
    if end - start > _TAIL:
        raise StreamError("a version that long is none", offset=start)
    return bytes(view[start:end]).decode("ascii")


def _in_trees(view: memoryview) -> str | None:
    tail = bytes(view[-_TAIL:])
    if found := _JSON_TAIL.search(tail):
        return ".".join(str(int(each)) for each in found.groups())
    found = _UBJSON_TAIL.search(tail)
    return ".".join(str(each[0]) for each in found.groups()) if found else None


_STATED: Mapping[str, tuple[str, Callable[[memoryview], str | None]]] = {
    "hickle.file": ("hickle", version_in_hdf5),
    "keras.archive": ("keras", _in_archive("metadata.json", "keras_version")),
    "keras-h5.file": ("keras", version_in_hdf5),
    "keras-json.config": ("keras", _in_text("keras_version")),
    "skops.file": ("skops", _in_archive("schema.json", "_skops_version")),
    "tensorflow.file": ("tensorflow", _in_graph),
    "xgboost.model": ("xgboost", _in_trees),
}
