"""The variables of a SavedModel, held against their index before TensorFlow allocates what it says."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

from safeload.codecs.savedmodel_names import INDEX, shard_of
from safeload.errors import CodecError, StreamError, UnsafeFileError
from safeload.readers.files.checkpoints import STRING, check_strings, read_index
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safeload.readers.files.checkpoints import Entry, Index

__all__ = ["Variables"]


class Variables:
    """The index, `view`, is read first; then each file as it is handed on."""

    def __init__(self, names: Iterable[str], view: memoryview | None) -> None:
        shards = {name: shard for name in names if (shard := shard_of(name)) is not None}
        self._index: Index | None = None
        self._entries: defaultdict[int, list[Entry]] = defaultdict(list)
        if view is None:
            if shards:
                raise CodecError(f"the variables have no {INDEX}")
            return
        with _located(INDEX):
            self._index = read_index(view)
        for entry in self._index.entries:
            self._entries[entry.shard].append(entry)
        count = self._index.shards
        if sorted(shards.values()) != [(number, count) for number in range(count)]:
            raise CodecError(f"the files of variables are not the {count} that the index names")

    def check(self, name: str, data: memoryview) -> None:
        """Raise UnsafeFileError unless all that stands in this file stands within it, and nothing twice."""
        shard = shard_of(name)
        if shard is None or self._index is None:
            return
        with _located(name):
            end = 0
            for entry in sorted(self._entries[shard[0]], key=lambda each: (each.offset, each.size)):
                if entry.offset < end or entry.offset + entry.size > len(data):
                    raise StreamError(f"{entry.name} reaches past its place", offset=entry.offset)
                end = entry.offset + entry.size
                if entry.dtype == STRING:
                    check_strings(entry, data[entry.offset : end])


@contextlib.contextmanager
def _located(name: str) -> Iterator[None]:
    """Says in which file what could not be read is."""
    try:
        yield
    except StreamError as error:
        raise UnsafeFileError(
            f"{printable(name)} cannot be read to its end: {error.message}",
            rule="unread",
            offset=error.offset,
            member=name,
        ) from error
