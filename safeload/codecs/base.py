"""What a codec is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.limits import Limits
    from safeload.policy import Policy

__all__ = ["Codec", "LoadOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How a member becomes an object. `mmap_mode` is None, ``"c"`` or ``"r"``."""

    policy: Policy
    mmap_mode: str | None
    limits: Limits
    member: str


@dataclass(frozen=True, slots=True)
class Codec:
    """``write(value, file, protocol)`` pickles into an open file; ``load(view, options)`` rebuilds from plain bytes."""

    kind: str
    write: Callable[[Any, IO[bytes], int | None], None]
    load: Callable[[memoryview, LoadOptions], Any]
