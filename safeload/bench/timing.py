"""Seconds of loading and of answering: the ways take turns, so that a busy machine slows all of them."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safeload.bench.evaluation import Row, Seconds, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safeload.bench.asking import Asked

__all__ = ["Way", "measure"]


def _nothing() -> Any:
    return None


@dataclass(slots=True)
class Way:
    """One way to load the model, and what was found of it so far. One that `may_fail` ends with a `reason`."""

    name: str
    size: int = 0
    load: Callable[[], Any] = _nothing
    reason: str = ""
    may_fail: bool = True
    loads: list[float] = field(default_factory=list)
    predicts: list[float] = field(default_factory=list)
    score: float | None = None
    same: bool | None = None

    def row(self) -> Row:
        if self.reason:
            return Row(name=self.name, reason=self.reason)
        return Row(
            name=self.name,
            size=self.size,
            load=_seconds(self.loads),
            predict=_seconds(self.predicts) if self.predicts else None,
            score=self.score,
            same=self.same,
        )


def measure(ways: Sequence[Way], asked: Asked, repeats: int) -> None:
    """Load each `repeats` times, and ask what was loaded."""
    for turn, way in _turns([way for way in ways if not way.reason], repeats):
        if way.reason:  # since the turn before
            continue
        try:
            if not turn:
                way.score, way.same = asked.held_against(way.load())
            loaded, predicted = _once(way.load, asked)
        except Exception as error:
            if not way.may_fail:
                raise
            way.reason = reason(error)  # what it wrote, it cannot read
            continue
        if turn:
            way.loads.append(loaded)
            way.predicts += [] if predicted is None else [predicted]


def _turns(ways: list[Way], repeats: int) -> Iterator[tuple[int, Way]]:
    """`repeats` of each, and a turn 0 before, which warms the caches.

    Each turn begins with another: who comes second would find warm what the first had to fetch.
    """
    for turn in range(repeats + 1):
        first = turn % len(ways)
        for way in ways[first:] + ways[:first]:
            yield turn, way


def _once(load: Callable[[], Any], asked: Asked) -> tuple[float, float | None]:
    """Seconds of loading, and of asking what was loaded. It is gone afterwards: one model at a time is in memory."""
    # Nobody pays for the garbage of who came before. While it loads, the collector runs as it does in a service.
    gc.collect()
    start = time.perf_counter()
    value = load()
    loaded = time.perf_counter() - start
    if not asked.can_ask:
        return loaded, None
    asked.ask(value)  # some build what they answer with at the first question
    start = time.perf_counter()
    asked.ask(value)
    return loaded, time.perf_counter() - start


def _seconds(taken: list[float]) -> Seconds:
    import statistics  # with fractions and decimals, which nobody else here needs

    return Seconds(median=statistics.median(taken), least=min(taken), most=max(taken))
