"""One question to an object: an attribute, or what a method answers, looked at."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Use = tuple[str, Callable[[], Any]]

__all__ = ["asked"]

_ITEMS_MAX = 20


def asked(value: Any, name: str, *arguments: Any, **switches: Any) -> str:
    """The answer as text. Of what goes on without end, the first items."""
    answer = getattr(value, name)
    if callable(answer):
        answer = answer(*arguments, **switches)
    if hasattr(answer, "__next__"):
        answer = list(itertools.islice(answer, _ITEMS_MAX))
    return repr(answer)
