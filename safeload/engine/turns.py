"""The objects of one form, one after the other as the unpickler asks for them, made some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.engine.meanings import Meaning
from safeload.readers import opcodes as op
from safeload.readers.parts import gets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.engine.arrays import Memory
    from safeload.engine.checkpoints import Checkpoints
    from safeload.engine.meanings import Make
    from safeload.engine.rewrite import Checkpoint
    from safeload.readers.layouts import Built
    from safeload.readers.observations import Stream

__all__ = ["Turns"]

_MARK, _TUPLE = bytes([op.MARK]), bytes([op.TUPLE])
_AT_ONCE = 256  # so few that their arrays are still in the processor's cache


class Turns:
    """What makes the objects that `built` describes, in one stream."""

    def __init__(self, built: Built, stream: Stream, memory: Memory, checkpoints: Checkpoints) -> None:
        self._built = built
        self._stream, self._memory, self._checkpoints = stream, memory, checkpoints
        self._gets = tuple(dict.fromkeys(gets_of(built)))
        self._make: Make | None = None

    @property
    def opcodes(self) -> bytes:
        """What pushes the argument of the first maker for its first object: what all have in common, from the memo,
        where nothing overwrites it. The others need none."""
        return _MARK + b"".join(self._gets) + _TUPLE

    def maker(self, rows: list[list[Any]]) -> Checkpoint:
        """What gives one after the other of the objects of `rows`, and makes some before their turn."""
        values = self._in_turn(rows)

        def make(given: Any) -> Any:
            if given is not None:
                common = dict(zip(self._gets, given, strict=True))
                self._make = Meaning(common, self._stream, self._memory, self._checkpoints).of(self._built)
            return next(values)

        return make

    def _in_turn(self, rows: list[list[Any]]) -> Iterator[Any]:
        for first in range(0, len(rows), _AT_ONCE):
            assert self._make is not None  # noqa: S101  # the first maker was given what all have in common
            yield from self._make(list(zip(*rows[first : first + _AT_ONCE], strict=True)))
