"""The plain bytes of a stream: all there from the start, or made as far as somebody reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safeload.readers.observations import Stream
    from safeload.readers.tables import Filled

__all__ = ["Buffer", "Spent", "Work"]


@dataclass(slots=True)
class Spent:
    """What was counted so far, over a stream and those nested in it: parts of keys that are hashed, keys whose hashes
    are unknown, steps to the places of keys and how many they may be, bytes that are copied, time zones, and opcodes
    that forms were learnt from."""

    hashed: int = 0
    unknown: int = 0
    steps: int = 0
    allowed: int = 0
    copied: int = 0
    zones: int = 0
    learnt: int = 0
    filled: dict[int, Filled] = field(default_factory=dict)

    @property
    def on_keys(self) -> int:
        """Grows whenever the keys of something are counted."""
        return self.hashed + self.allowed

    def restore(self, before: Spent) -> None:
        """For a stream that is read again."""
        self.hashed, self.unknown = before.hashed, before.unknown
        self.steps, self.allowed = before.steps, before.allowed
        self.copied, self.zones, self.learnt = before.copied, before.zones, before.learnt


class Buffer:
    """Bytes that are all there. `view` is as long as what is known of them, and never longer than `most`."""

    def __init__(self, view: memoryview, most: int | None = None) -> None:
        self.view = view
        self.most = len(view) if most is None else most
        self.spent = Spent()
        self.describe = False  # whether somebody will read of calls, and of what came before a broken place
        self.seen: list[Stream] = []  # what came before that, the innermost first

    @property
    def is_whole(self) -> bool:
        """Whether the bytes were all there from the start."""
        return type(self) is Buffer

    def reach(self, end: int) -> None:
        """Make `view` at least `end` bytes long, if there are as many. Raises LimitError, StreamError."""


class Work:
    """How much a stream may cost: bytes that are opcodes, objects that are held at once or get a state, and calls."""

    __slots__ = ("calls", "objects", "opcodes")

    def __init__(self, opcodes: int, objects: int, calls: int) -> None:
        self.opcodes, self.objects, self.calls = opcodes, objects, calls

    @classmethod
    def of(cls, stored: int) -> Work:
        """For `stored` bytes of compressed data.

        An array of zeros may be a thousandth of its size on disk; the names and numbers of a model are not.
        """
        return cls(opcodes=(4 << 20) + 10 * stored, objects=500_000 + stored // 4, calls=120_000 + stored // 2)
