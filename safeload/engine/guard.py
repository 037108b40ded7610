"""The only unpickler in the tree."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safeload.engine.rewrite import Checkpoint, RewrittenStream
    from safeload.readers.observations import GlobalUse

__all__ = ["GuardedUnpickler"]


class GuardedUnpickler(pickle.Unpickler):
    """Answers each request with what the analysis foresaw at that place, and never with anything else.

    `answers` holds one object for each global of the stream, `checkpoints` one function for each checkpoint,
    both in the order of the stream.
    """

    def __init__(
        self,
        stream: RewrittenStream,
        answers: Iterable[tuple[GlobalUse, Any]],
        checkpoints: Iterable[Checkpoint],
    ) -> None:
        super().__init__(stream)
        self._answers: Iterator[tuple[GlobalUse, Any]] = iter(answers)
        self._checkpoints: Iterator[Checkpoint] = iter(checkpoints)

    def find_class(self, module: str, name: str) -> Any:
        """Never calls ``super().find_class``: what was not analysed does not exist."""
        used, answer = next(self._answers, (None, None))
        if used is None or (used.stream_module, used.stream_name) != (module, name):
            raise CodecError("the unpickler asks for a global that the analysis did not see; please report this")
        return answer

    def persistent_load(self, pid: Any) -> Any:
        """A checkpoint: what the stream made goes in, what takes its place comes out."""
        checkpoint = next(self._checkpoints, None)
        if checkpoint is None:
            raise CodecError("the unpickler reached a checkpoint that was not set; please report this")
        return checkpoint(pid)
