"""What the readers of files say: a :class:`Part` for each piece that was read, with the observations in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safeload.readers.observations import GlobalUse

__all__ = ["Observation", "Part", "Span"]


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact: `kind` is a slug, `offset` counts in the part's own plain bytes, `text` is fit to be shown.

    `used` is set for kind ``"global"``. Kind ``"unread"`` says that something could not be read to its end; `extra` is
    then the extra of safeload that would help, if there is one.
    """

    kind: str
    offset: int
    text: str
    used: GlobalUse | None = None
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` of a part, and what they are: ``"opcodes"``, ``"array"``, ``"nested"``, ``"header"``,
    ``"data"``, ``"unread"``."""

    start: int
    end: int
    what: str
    label: str = ""


@dataclass(slots=True)
class Part:
    """One file, or one member of a file. `path` leads to it from the file itself, whose own path is empty."""

    path: tuple[str, ...]
    kind: str
    start: int
    size: int
    observations: list[Observation] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    globals: dict[tuple[str, str], GlobalUse] = field(default_factory=dict)
    view: memoryview = field(default=memoryview(b""), repr=False)
