"""Buffers beside the stream (PEP 574): each is the memory of one array, and of nothing else.

The stream is given tickets. Who makes an array takes the memory of one, once. A ticket that nobody took may be
anywhere, so all must be taken in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OutOfBand", "Ticket"]


class Ticket:
    """For one buffer."""

    __slots__ = ("_view",)

    def __init__(self, view: memoryview) -> None:
        self._view: memoryview | None = view

    @property
    def taken(self) -> bool:
        return self._view is None

    def take(self) -> memoryview:
        """The memory, which nobody else has. Raises CodecError the second time."""
        view, self._view = self._view, None
        if view is None:
            raise CodecError("an out-of-band buffer is used twice")
        return view


class OutOfBand:
    """All buffers of a stream, in order. Not `guarded`, these are given out themselves."""

    def __init__(self, buffers: Sequence[memoryview], *, writable: bool, guarded: bool) -> None:
        self.count = len(buffers)
        self._waiting = list(reversed(buffers))
        self._writable, self._guarded = writable, guarded
        self._tickets: list[Ticket] = []

    def give(self, _: None, *, readonly: bool) -> Ticket | memoryview:
        """Checkpoint: the next one."""
        if not self._waiting:
            raise CodecError("an out-of-band buffer is asked for, and there is none")
        view = self._waiting.pop()
        if readonly or not self._writable:
            view = view.toreadonly()
        if not self._guarded:
            return view
        self._tickets.append(Ticket(view))
        return self._tickets[-1]

    def end(self) -> None:
        """Raise CodecError unless each has become an array."""
        if self._waiting or not all(ticket.taken for ticket in self._tickets):
            raise CodecError("an out-of-band buffer became no array")
