"""The plain bytes of a stream: all there from the start, or made as far as somebody reads."""

from __future__ import annotations

__all__ = ["Buffer", "Work"]


class Buffer:
    """Bytes that are all there. `view` is as long as what is known of them, and never longer than `most`."""

    def __init__(self, view: memoryview, most: int | None = None) -> None:
        self.view = view
        self.most = len(view) if most is None else most

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
