"""A skops file taken apart: the schema as a tree of nodes, and the files that it names."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

__all__ = ["Place", "SkopsFile", "moved"]

_SCHEMA = "schema.json"


class Place(NamedTuple):
    """A node of the schema, where it hangs, and what leads there."""

    above: Any
    key: Any
    node: dict[str, Any]
    path: str


class SkopsFile:
    """A skops file taken apart."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}
        self.schema: dict[str, Any] = json.loads(self.parts.pop(_SCHEMA))

    def places(self) -> list[Place]:
        return [place for place in walk(self.schema, "") if place.path]

    def copied(self) -> SkopsFile:
        other = SkopsFile.__new__(SkopsFile)
        other.parts, other.schema = dict(self.parts), copy.deepcopy(self.schema)
        return other

    def data(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, part in self.parts.items():
                archive.writestr(name, part)
            archive.writestr(_SCHEMA, json.dumps(self.schema))
        return buffer.getvalue()


def walk(node: Any, path: str) -> Iterator[Place]:
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for key, part in items:
        here = f"{path}.{key}"
        if isinstance(part, dict) and "__loader__" in part and key != "key_types":
            yield Place(node, key, part, here)
        if isinstance(part, dict | list) and key != "key_types":
            yield from walk(part, here)


def moved(place: Place, donor: SkopsFile, into: SkopsFile, rng: random.Random) -> None:
    """Put a copy of a donor's node in `place`, with names and files of its own."""
    offset = rng.randrange(1, 1 << 40)
    node = copy.deepcopy(place.node)
    for each in (node, *(one.node for one in walk(node, ""))):
        if "__id__" in each:
            each["__id__"] += offset
        if isinstance(each.get("file"), str) and each["file"] in donor.parts:
            name = f"{offset}-{each['file']}"
            into.parts[name] = donor.parts[each["file"]]
            each["file"] = name
    place.above[place.key] = node
