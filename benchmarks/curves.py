"""How time grows with the size of what is loaded, and with the processors: straight lines, or there is a reason."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from measuring import OURS, turns, worker
from models import arrays
from scenes import JOBLIB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenes import Stage

__all__ = ["CURVES", "curve"]


def objects(count: int) -> list[Any]:
    """Lists of a word and a number: `count` opcodes, by and large, of which none repeats the one before."""
    return [[f"w{n}", n] for n in range(count // 7)]


def curve(stage: Stage, make: Callable[[int], Any], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Seconds of each, by size and processors."""
    points = []
    for size in sizes:
        with stage.model(partial(make, size)) as (plain, ours):
            for processors in (1, 2):
                with worker(processors=processors) as here:
                    contenders = {
                        JOBLIB: partial(here, "joblib_load", path=str(plain)),
                        OURS: partial(here, "safeload_load", path=str(ours), trust=stage.trust),
                    }
                    points.append({"size": size, "processors": processors, **turns(contenders, stage.rounds)})
    return points


# Title, what is counted, what makes it, how many of them.
CURVES: tuple[tuple[str, str, Callable[[int], Any], tuple[int, ...]], ...] = (
    ("arrays", "MB", arrays, (1, 10, 100, 1_000, 4_000)),
    ("objects", "opcodes", objects, (1_000, 10_000, 100_000, 1_000_000, 10_000_000)),
)
