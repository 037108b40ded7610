"""``python -m safeload.readers.files.hdf5_child FD SECONDS``: an HDF5 file, told to a parent that trusts none of it."""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

_MEMORY = 2 << 30
_OBJECTS_MAX = 200_000
_BYTES_MAX = 256 << 20
_ATTRIBUTE_MAX = 64 << 20


def _say(what: str, data: bytes = b"", **more: Any) -> None:
    line = json.dumps({"what": what, "size": len(data), **more}).encode() + b"\n"
    sys.stdout.buffer.write(line + data)


def _bytes_of(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, bytes):
        return value
    if hasattr(value, "tobytes") and value.dtype.kind in "SVu":
        data: bytes = value.tobytes()
        return data
    return None


def _attributes(name: str, node: Any) -> None:
    for key in list(node.attrs):
        try:
            data = _bytes_of(node.attrs[key])
        except (OSError, TypeError, ValueError, RuntimeError) as error:
            _say("unread", name=f"{name}@{key}", why=str(error)[:200])
            continue
        if data and len(data) <= _ATTRIBUTE_MAX:
            _say("bytes", data, name=f"{name}@{key}")


def _dataset(name: str, node: Any) -> None:
    if node.external or node.is_virtual:
        _say("external", name=name)
        return
    if node.size is None or node.dtype.kind not in "uiSVO" or node.dtype.itemsize * node.size > _BYTES_MAX:
        return
    if node.dtype.kind in "ui" and (node.dtype.itemsize != 1 or node.ndim != 1):
        return
    try:
        value = node[()]
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        _say("unread", name=name, why=str(error)[:200])
        return
    for piece in value.ravel().tolist() if node.dtype.kind == "O" and hasattr(value, "ravel") else [value]:
        if isinstance(piece, str | bytes):
            data: bytes | None = _bytes_of(piece)
        else:
            data = piece.tobytes() if hasattr(piece, "tobytes") else None
        if data:
            _say("bytes", data, name=name)


def _walk(file: Any) -> None:
    import h5py

    pending, seen, count = [("", file)], set(), 0
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
        if isinstance(node, h5py.Dataset):
            _dataset(name, node)
        elif isinstance(node, h5py.Group):
            for key in node:
                link = node.get(key, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    _say("external", name=f"{name}/{key}")
                elif isinstance(link, h5py.HardLink):
                    pending.append((f"{name}/{key}", node[key]))


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seconds = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import h5py

    with os.fdopen(int(sys.argv[1]), "rb") as opened, h5py.File(opened, "r") as file:
        kind = "hickle" if any(key.startswith("HICKLE") for key in file.attrs) else "hdf5"
        kind = "keras, h5" if "model_config" in file.attrs or "layer_names" in file.attrs else kind
        _walk(file)
    _say("end", kind=kind)


if __name__ == "__main__":
    main()
