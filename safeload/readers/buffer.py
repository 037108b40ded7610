"""The plain bytes of a stream: all there from the start, or made as far as somebody reads."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Buffer", "Spent", "Work"]


@dataclass(slots=True)
class Spent:
    """What was counted so far, over a stream and those nested in it: parts of keys that are hashed, keys whose hashes a
    file can choose, bytes that are copied."""

    hashed: int = 0
    chosen: int = 0
    copied: int = 0

    def restore(self, before: Spent) -> None:
        """For a stream that is read again."""
        self.hashed, self.chosen, self.copied = before.hashed, before.chosen, before.copied


class Buffer:
    """Bytes that are all there. `view` is as long as what is known of them, and never longer than `most`."""

    def __init__(self, view: memoryview, most: int | None = None) -> None:
        self.view = view
        self.most = len(view) if most is None else most
        self.spent = Spent()

    @property
    def is_whole(self) -> bool:
        """Whether the bytes were all there from the start."""
        return type(self) is Buffer

    def reach(self, end: int) -> None:
        """Make `view` at least `end` bytes long, if there are as many. Raises LimitError, StreamError."""


class Work:
    """How much a stream may cost: bytes that are opcodes, and objects that are held at once."""

    __slots__ = ("objects", "opcodes")

    def __init__(self, opcodes: int, objects: int) -> None:
        self.opcodes, self.objects = opcodes, objects

    @classmethod
    def of(cls, stored: int) -> Work:
        """For `stored` bytes of compressed data.

        An array of zeros may be a thousandth of its size on disk; the names and numbers of a model are not.
        """
        return cls(opcodes=(4 << 20) + 10 * stored, objects=500_000 + stored // 4)
