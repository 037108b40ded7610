"""Every bound in one place. Bounds are checked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "SCAN_LIMITS", "Limits", "ScanLimits"]

MiB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what an untrusted file may cost. Sizes are in bytes.

    A compressed payload may declare up to ``max(expansion_floor, expansion_ratio * stored)`` bytes.
    """

    expansion_floor: int = 512 * MiB
    expansion_ratio: int = 100

    def expanded(self, stored: int) -> int:
        """The most that `stored` bytes of compressed data may become."""
        return max(self.expansion_floor, self.expansion_ratio * stored)


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """Bounds on what looking into one file may cost, with all that is packed in it. Sizes are in bytes.

    What is compressed in it may become ``max(expansion_floor, expansion_ratio * size)`` bytes in all. A file that is
    larger than `size` is not read.
    """

    size: int = 1 << 42
    expansion_floor: int = 2048 * MiB
    expansion_ratio: int = 100
    members: int = 100_000
    depth: int = 12

    def expanded(self, size: int) -> int:
        """The most that a file of `size` bytes may become."""
        return max(self.expansion_floor, self.expansion_ratio * size)


SCAN_LIMITS = ScanLimits()
