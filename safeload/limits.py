"""Every bound in one place. Bounds are checked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]

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
