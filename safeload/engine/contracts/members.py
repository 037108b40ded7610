"""Members of large sets from protocols below 4, which make them of lists: the analysis keeps no long list's items."""

from __future__ import annotations

from typing import Any

from safeload.errors import LimitError
from safeload.readers.tables import STEPS_MAX, Table

__all__ = ["spread"]

_KEPT = 20_000


def spread(members: list[Any]) -> list[Any]:
    """`members`, all plain values if they are many. Raises LimitError for numbers that get into each other's way."""
    if len(members) > _KEPT:
        numbers = [hash(one) for one in members if type(one) in (int, float)]
        table = Table(is_set=True)
        # Others are as likely in one place as in any other.
        table.extend(list(map(hash, map(str, range(len(members) - len(numbers))))) if numbers else [], STEPS_MAX)
        table.extend(numbers, most := table.allowed(len(members)) + STEPS_MAX)
        if table.steps > most:
            raise LimitError("keys", "members of a set get into each other's way: their hashes lead to the same places")
    return members
