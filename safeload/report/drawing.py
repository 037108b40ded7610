"""A map of one part: its bytes from left to right, what they are, and where the findings stand. SVG, drawn in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.audit.report import PartReport

__all__ = ["Block", "Map", "Mark", "map_of"]

_WIDTH = 1_000.0
_BLOCKS_MAX = 300
_LEAST = 0.6  # a header of 60 bytes before 4 GB of numbers is still to be seen


class Block(NamedTuple):
    x: float
    width: float
    what: str
    title: str


class Mark(NamedTuple):
    x: float
    severity: str
    title: str


class Map(NamedTuple):
    blocks: list[Block]
    marks: list[Mark]
    kinds: list[str]


def map_of(part: PartReport, marks: Sequence[tuple[int, str]]) -> Map:
    """Blocks and marks in a picture 1,000 wide. Blocks that would be thinner than a line are drawn as one."""
    size = max(part.size, 1)
    blocks: list[Block] = []
    for span in part.spans:
        x, width = _WIDTH * span.start / size, _WIDTH * (span.end - span.start) / size
        label = f"{span.what} {span.label}".strip()
        title = f"{label}, bytes {span.start:,} to {span.end:,}"
        if (
            blocks
            and blocks[-1].what == span.what
            and x - (blocks[-1].x + blocks[-1].width) < _LEAST
            and width < _LEAST
        ):
            last = blocks[-1]
            blocks[-1] = last._replace(width=max(last.width, x + width - last.x), title=f"{span.what}, several")
        elif len(blocks) < _BLOCKS_MAX:
            blocks.append(Block(round(x, 2), round(max(width, _LEAST), 2), span.what, title))
    drawn = [
        Mark(round(min(_WIDTH * offset / size, _WIDTH - 2), 2), severity, f"{severity}, byte {offset:,}")
        for offset, severity in marks[:_BLOCKS_MAX]
    ]
    return Map(blocks, drawn, sorted({block.what for block in blocks}))
