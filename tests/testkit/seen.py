"""What was seen of a stream, with the parts of repeats as if they had been read by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers.observations import Construction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.observations import Stream

__all__ = ["every_construction", "every_frame"]


def every_construction(stream: Stream) -> Iterator[Construction]:
    yield from stream.constructions
    for repeat in stream.repeats:
        for one in repeat.form.objects:
            memo = repeat.memo + one.memo if one.watched and one.memo is not None else None
            build = repeat.place(one.segment, one.group)
            yield Construction(one.source, repeat.at[0], build, memo, one.watched)


def every_frame(stream: Stream) -> list[int]:
    places = ((found, at) for repeat in stream.repeats for found, at in zip(repeat.found, repeat.at, strict=True))
    splits = (repeat.split.at for repeat in stream.repeats if repeat.split is not None)
    return sorted((*stream.frames, *splits, *(at for found, at in places if found.frame >= 0)))
