"""``python -m safeload.readers.files.hickle_child FD START SIZE SECONDS``: what hickle 5 keeps in an HDF5 file, told in
the order in which it is built: what is in a container comes before it.

hickle/hickle.py: each node has an attribute ``type``, a reference to a dataset in ``hickle_types_table`` that holds
its class as a pickle, and refers to a dataset there whose name says how the node is kept. A node without is a reference
to another, or a pickle. Nothing is unpickled here, or by whoever reads this.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from safeload.readers.files.hdf5_child import given

if TYPE_CHECKING:
    from safeload.mapped import Place

_NODES_MAX, _DEPTH_MAX = 200_000, 200
_NAME_MAX, _CLASS_MAX, _TEXT_MAX = 2_000, 1_000, 500  # so that a frame's line is never too long
_INLINE_MAX = 256 << 20  # bytes of what is kept in pieces, or not at all
_TABLE = "hickle_types_table"


class _RefusedError(Exception):
    pass


def _say(what: str, data: bytes = b"", **more: Any) -> None:
    sys.stdout.buffer.write(json.dumps({"what": what, "size": len(data), **more}).encode() + b"\n" + data)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value[:_TEXT_MAX] if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return int(value) if getattr(value, "shape", None) == () and value.dtype.kind in "iu" else None


def _labels(attrs: dict[str, Any]) -> dict[str, Any]:
    index = attrs.get("item_index", attrs.get("key_idx"))
    return {"index": _number(index), "key": _text(attrs.get("key_base_type"))}


class _Tree:
    """Nodes are told apart by their addresses: to ask for the name of one that a reference leads to walks the file."""

    def __init__(self, file: Any, place: Place) -> None:
        import h5py

        self._h5, self._file, self._place = h5py, file, place
        version = _text(file.attrs.get("HICKLE_VERSION")) or ""
        if version.partition(".")[0] != "5" or "HICKLE_PYTHON_VERSION" not in file.attrs:
            raise _RefusedError("this was not written by hickle 5")
        table = self._child(file, _TABLE)
        self._table = {self._address(self._child(table, name)): name for name in islice(table, _NODES_MAX)}
        self._classes: dict[int, tuple[str, str]] = {}
        self._done: dict[int, int] = {}
        self._open: set[int] = set()

    def tell(self) -> None:
        """Without recursion: a file can be deep. A node is pushed again under what is in it, to be said after that."""
        pending: list[tuple[str, str, Any, Any]] = [("", "data", self._file, None)]
        count = 0
        while pending:
            place, name, parent, node = pending.pop()
            path = f"{place}/{name}"[:_TEXT_MAX]
            if node is not None:
                self._close(path, name, node)
                continue
            node = self._child(parent, name)
            address = self._address(node)
            count += 1
            if count > _NODES_MAX or len(self._open) > _DEPTH_MAX or len(name) > _NAME_MAX:
                raise _RefusedError(f"{path}: more values, deeper, or with longer names than are read")
            if address in self._done:
                _say("again", number=self._done[address], name=name, **self._labels(node))
                continue
            if address in self._open:
                raise _RefusedError(f"{path} holds itself")
            self._open.add(address)
            pending.append((place, name, parent, node))
            if isinstance(node, self._h5.Group):
                names = [*islice(node, _NODES_MAX + 1)]
                pending.extend((path, each, node, None) for each in reversed(names))
            elif self._is_reference(node):
                pending.append((path, "", node, None))

    def _address(self, node: Any) -> int:
        address: int = self._h5.h5o.get_info(node.id).addr
        return address

    def _child(self, parent: Any, name: str) -> Any:
        if isinstance(parent, self._h5.Dataset):
            return self._referred(parent[()])
        if not isinstance(parent.get(name, getlink=True), self._h5.HardLink):
            raise _RefusedError(f"{name} is a link to elsewhere")
        return parent[name]

    def _is_reference(self, node: Any) -> bool:
        is_one = self._h5.check_ref_dtype(node.dtype) is self._h5.Reference
        return is_one and "type" not in node.attrs and node.shape == () and not node.is_virtual and not node.external

    def _referred(self, reference: Any) -> Any:
        if not isinstance(reference, self._h5.Reference) or not reference:
            raise _RefusedError("a reference leads nowhere")
        return self._file[reference]

    def _class(self, path: str, reference: Any) -> tuple[str, str]:
        """How a node is kept, and the pickle of its class in hexadecimal digits."""
        if reference is None:
            raise _RefusedError(f"{path} is a pickle")
        entry = self._referred(reference)
        address = self._address(entry)
        if address not in self._classes:
            base = self._table.get(self._address(self._referred(entry.attrs["base_type"])))
            if address not in self._table or base is None or not 0 < entry.size <= _CLASS_MAX:
                raise _RefusedError(f"{path} has a type that is not in the table of types")
            self._classes[address] = base, self._all(path, entry).hex()
        return self._classes[address]

    def _labels(self, node: Any) -> dict[str, Any]:
        """What the container that a node is in wants to know of it."""
        return _labels(dict(node.attrs))

    def _close(self, path: str, name: str, node: Any) -> None:
        address = self._address(node)
        self._open.discard(address)
        self._done[address] = len(self._done)
        if isinstance(node, self._h5.Dataset) and self._is_reference(node):
            _say("link", name=name, **self._labels(node))
            return
        attrs = dict(node.attrs)
        base, pickle = self._class(path, attrs.get("type"))
        more: dict[str, Any] = {key: _text(attrs.get(key)) for key in ("np_dtype", "str_type")}
        more |= {"name": name, "path": path, "base": base, "class": pickle, **_labels(attrs)}
        if isinstance(node, self._h5.Group):
            _say("group", count=len(node), items=_number(attrs.get("num_items")), **more)
        else:
            data, where = self._data(path, node)
            _say("dataset", data, **where, **more)

    def _data(self, path: str, node: Any) -> tuple[bytes, dict[str, Any]]:
        """The bytes, or where in the file they stand in one piece as numpy has them."""
        if node.external or node.is_virtual:
            raise _RefusedError(f"{path} is kept in another file")
        shape, kind = node.shape, node.dtype.str
        if shape is None or not node.size:
            return b"", {"shape": shape, "dtype": kind}
        if node.dtype.kind not in "biufcS":
            raise _RefusedError(f"{path} holds no numbers and no bytes but {node.dtype.kind}")
        at, length = node.id.get_offset(), node.dtype.itemsize * node.size
        if at is not None and node.id.get_storage_size() == length:
            first = node[(0,) * len(shape)].tobytes()  # texts without the zeros at their ends
            there = os.pread(self._place.fd, node.dtype.itemsize, self._place.start + at)
            if there.rstrip(b"\0") == first.rstrip(b"\0"):
                return b"", {"shape": shape, "dtype": kind, "at": at}
        return self._all(path, node), {"shape": shape, "dtype": kind}

    def _all(self, path: str, node: Any) -> bytes:
        if node.external or node.is_virtual or node.dtype.itemsize * node.size > _INLINE_MAX:
            raise _RefusedError(f"{path} has more bytes, in pieces or elsewhere, than are read")
        data: bytes = node[()].tobytes()
        return data.ljust(node.dtype.itemsize * node.size, b"\0")  # one text alone comes without the zeros at its end


def main() -> None:
    opened, place = given()
    import h5py

    with h5py.File(opened, "r") as file:
        try:
            _Tree(file, place).tell()
        except _RefusedError as error:
            _say("refused", why=str(error)[:_TEXT_MAX])
        except Exception as error:  # of h5py and HDF5
            _say("refused", why=f"the file cannot be read: {error}"[:_TEXT_MAX])
        else:
            _say("end")


if __name__ == "__main__":
    main()
