"""From a summary of the payload to the manifest's description of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.artifact.environment import environment_of
from safeload.artifact.writer import Description
from safeload.codecs.summary import Summary
from safeload.container.manifest import Arrays, LargestArray

if TYPE_CHECKING:
    from safeload.readers.observations import ArrayData

__all__ = ["describe"]

_GLOBALS_MAX = 10_000


def describe(summary: Summary | None, metadata: dict[str, Any]) -> Description:
    """`summary` is None for a member that is not a stream of objects."""
    known = summary or Summary()
    return Description(
        environment=environment_of(known.modules),
        globals=known.globals[:_GLOBALS_MAX],
        arrays=_arrays(known.arrays),
        metadata=metadata,
    )


def _arrays(arrays: tuple[ArrayData, ...]) -> Arrays:
    if not arrays:
        return Arrays()
    largest = max(arrays, key=_size)
    return Arrays(
        count=len(arrays),
        bytes=sum(map(_size, arrays)),
        largest=LargestArray(dtype=largest.dtype, shape=largest.shape, bytes=_size(largest)),
    )


def _size(array: ArrayData) -> int:
    return array.end - array.start
