"""The demo proves, or it fails: whatever was promised and does not happen is a CheckFailedError."""

from __future__ import annotations

__all__ = ["CheckFailedError", "check"]


class CheckFailedError(Exception):
    """Something that the demo promised did not happen."""


def check(holds: object, otherwise: str) -> None:
    """Raises CheckFailedError, also under ``python -O``."""
    if not holds:
        raise CheckFailedError(otherwise)
