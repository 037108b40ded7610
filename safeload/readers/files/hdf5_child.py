"""``python -m safeload.readers.files.hdf5_child FD START SIZE SECONDS``: an HDF5 file, told to a parent that trusts
none of it."""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

from safeload.mapped import Place
from safeload.readers.files.views import PlaceFile

__all__ = ["given"]

_MEMORY = 1 << 30
_OBJECTS_MAX, _TEXTS_MAX, _VERSION_MAX = 200_000, 1_000_000, 60
# What arrays may say that they have, which need not be stored: in all, and for each byte of the file.
_SAID_FLOOR, _SAID_RATIO = 512 << 20, 100
_PIECE, _BYTES_MAX = 1 << 20, 64 << 20
# With what a pickle may begin (readers/joblib.py), which is not imported here: this process has less memory.
_FIRST = b"\x80(]})cldNIKLFGPVXSJMBCTU\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97"
_BEGINNINGS = frozenset(bytes([each]) for each in _FIRST)


def _say(what: str, data: bytes = b"", **more: Any) -> None:
    line = json.dumps({"what": what, "size": len(data), **more}).encode() + b"\n"
    sys.stdout.buffer.write(line + data)


def _worth(data: bytes) -> bool:
    """Whether somebody should look at it: it may be a pickle, an archive or an array of numpy."""
    return data[:1] in _BEGINNINGS or data[:4] in (b"PK\x03\x04", b"\x93NUM") or data.lstrip()[:1] == b"{"


def _bytes_of(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if hasattr(value, "tobytes") and value.dtype.kind != "O":
        data: bytes = value.tobytes()
        return data
    return None


def _attributes(name: str, node: Any) -> None:
    for key in list(node.attrs):
        try:
            value = node.attrs[key]
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            _say("unread", name=f"{name}@{key}", why=str(error)[:200])
            continue
        pieces = value.ravel().tolist() if getattr(getattr(value, "dtype", None), "kind", "") == "O" else [value]
        for piece in pieces:
            _bytes(f"{name}@{key}", _bytes_of(piece))


def _bytes(name: str, data: bytes | None, *, numbers: bool = False) -> None:
    if not data or not _worth(data):
        return
    if len(data) > _BYTES_MAX:
        _say("unread", name=name, why="more bytes than are looked at")
        return
    _say("bytes", data, name=name, numbers=numbers)


def _dataset(name: str, node: Any) -> None:
    if node.external or node.is_virtual:
        _say("external", name=name)
        return
    if not node.size:
        return
    try:
        first = node[()] if not node.shape else node[(0,) * len(node.shape)]
        if node.dtype.kind == "O":
            _texts(name, node)
        elif (data := _bytes_of(first)) and _worth(data[:16]):
            numbers = node.dtype.kind in "fc" or (node.dtype.kind in "iu" and node.dtype.itemsize > 1)
            at, length = node.id.get_offset(), node.dtype.itemsize * node.size
            if length > _PIECE and at is not None and node.id.get_storage_size() == length:
                _say("stored", data, name=name, at=at, length=length, numbers=numbers)
            elif length > _BYTES_MAX:
                _say("unread", name=name, why="more bytes than are looked at")
            else:
                _bytes(name, _bytes_of(node[()]), numbers=numbers)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        _say("unread", name=name, why=str(error)[:200])


def _texts(name: str, node: Any) -> None:
    """Of variable length: as many as there is time for, each once."""
    if node.size > _TEXTS_MAX:
        _say("unread", name=name, why="more texts than are looked at")
        return
    value = node[()]
    pieces = value.ravel().tolist() if hasattr(value, "ravel") else [value]
    for piece in dict.fromkeys(map(_bytes_of, pieces)):  # of texts, bytes, or arrays
        _bytes(name, piece)


def _named(name: str, node: Any) -> int:
    """Bytes of what Keras reads for the names in a group's attributes: each as often as it is named."""
    total = 0
    for key in node.attrs:
        for path in node.attrs[key] if key.startswith("weight_names") else ():
            found = _held(node, path.decode() if isinstance(path, bytes) else str(path))
            if found is None:
                _say("unread", name=name, why="weights are named that are not in the file")
                return total
            total += _length(found)
    return total


def _held(node: Any, path: str) -> Any:
    """The dataset at that path within a group; None if there is none, or a link leads to it."""
    import h5py

    for part in path.split("/"):
        if not isinstance(node, h5py.Group) or not isinstance(node.get(part, getlink=True), h5py.HardLink):
            return None
        node = node[part]
    return node if isinstance(node, h5py.Dataset) else None


def _length(node: Any) -> int:
    return int(node.dtype.itemsize * (node.size or 0))


def _walk(file: Any, most: int) -> None:
    """All that is in the file; `most` is how many bytes its arrays may say that they have, whether they are stored."""
    import h5py

    pending, seen, count, said = [("", file)], set(), 0, 0
    while pending:
        name, node = pending.pop()
        identity = h5py.h5o.get_info(node.id)
        if (identity.fileno, identity.addr) in seen:
            continue
        seen.add((identity.fileno, identity.addr))
        count += 1
        if count > _OBJECTS_MAX:
            _say("unread", name=name, why="more objects than are looked at")
            return
        _attributes(name, node)
        said += _length(node) if isinstance(node, h5py.Dataset) else _named(name, node)
        if said > most:
            _say("unread", name=name, why="so small a file says that its arrays are larger than is allowed")
            return
        if isinstance(node, h5py.Dataset):
            _dataset(name, node)
        elif isinstance(node, h5py.Group):
            for key in node:
                link = node.get(key, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    _say("external", name=f"{name}/{key}")
                elif isinstance(link, h5py.HardLink):
                    pending.append((f"{name}/{key}", node[key]))


def given() -> tuple[Any, Place]:
    """What this process was asked to read, as a file, and where that stands."""
    *place, seconds = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return io.BufferedReader(PlaceFile(Place(*place))), Place(*place)


def main() -> None:
    opened, place = given()
    import h5py

    with h5py.File(opened, "r") as file:
        _say("kind", kind=_kind(file), version=_version(file))
        sys.stdout.buffer.flush()
        _walk(file, max(_SAID_FLOOR, _SAID_RATIO * place.size))
    _say("end")


def _kind(file: Any) -> str:
    if "model_config" in file.attrs:
        return "keras, h5"
    if "layer_names" in file.attrs:
        return "keras, weights"
    return "hickle" if {"HICKLE_VERSION", "HICKLE_PYTHON_VERSION"} <= {*file.attrs} else "hdf5"


def _version(file: Any) -> str | None:
    for key in ("keras_version", "HICKLE_VERSION"):
        if key in file.attrs:
            value = file.attrs[key]
            return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value))[:_VERSION_MAX]
    return None


if __name__ == "__main__":
    main()
