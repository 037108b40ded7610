"""From a summary of the payload to the manifest's description of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safeload.artifact.environment import environment_of
from safeload.artifact.writer import Description
from safeload.container.manifest import Arrays, LargestArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safeload.codecs.summary import Summary
    from safeload.container.manifest import ModelInfo
    from safeload.readers.observations import ArrayData

__all__ = ["describe"]

_GLOBALS_MAX = 10_000
_NAME_MAX = 1_000


def describe(
    summary: Summary, metadata: dict[str, Any], model: ModelInfo | None, stated: Mapping[str, str]
) -> Description:
    """The environment of the globals in the payload, and what the manifest says for people.

    What the payload has stated of distributions goes before what is installed here.
    """
    environment = environment_of(summary.modules)
    return Description(
        environment=replace(environment, distributions={**environment.distributions, **stated}),
        globals=tuple(sorted({_shown(name) for name in summary.globals[:_GLOBALS_MAX] if len(name) <= _NAME_MAX})),
        arrays=_arrays(summary.arrays),
        metadata=metadata,
        model=model,
    )


def _shown(name: str) -> str:
    """What the manifest can hold: a file may name a global with half of a surrogate pair."""
    return name.encode("utf-8", "backslashreplace").decode()


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
