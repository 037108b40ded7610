"""What was seen of a stream, with the parts of repeats as if they had been read by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers.observations import Construction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.observations import Stream
    from safeload.readers.rows import Repeats

__all__ = ["every_construction", "every_frame"]


def every_construction(stream: Stream) -> Iterator[Construction]:
    yield from stream.constructions
    for repeats, index in _each(stream):
        for one in repeats.form.objects:
            memo = repeats.key(index) + one.memo if one.watched and one.memo is not None else None
            build = repeats.place(index, one.segment, one.group)
            yield Construction(one.source, repeats.start(index), build, memo, one.watched)


def every_frame(stream: Stream) -> list[int]:
    places = (
        repeats.start(index, segment)
        for repeats, index in _each(stream)
        for segment in range(len(repeats.form.segments))
        if repeats.found(index, segment).frame >= 0
    )
    splits = (split.at for repeats in stream.repeats for split in repeats.splits.values())
    return sorted((*stream.frames, *splits, *places))


def _each(stream: Stream) -> Iterator[tuple[Repeats, int]]:
    for repeats in stream.repeats:
        for index in range(len(repeats.rows)):
            yield repeats, index
