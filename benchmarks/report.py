"""What was measured, as a table for people and as lines for a terminal. The chart is in chart.py."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from measuring import OURS, Scene

from safeload.text import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from measuring import Bound

__all__ = ["Report", "amount", "lines", "markdown", "put", "to_json"]

BEGIN, END = "<!-- measured:begin -->", "<!-- measured:end -->"
_HEADERS = ("work", "safeload", "against", "they take", "comes out as", "goal", "")
_WIDTHS = (46, 30, 22, 30, 14, 14, 10)


@dataclass
class Report:
    machine: dict[str, Any]
    rounds: int
    scenes: list[Scene] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)


def amount(value: float, unit: str) -> str:
    """Three digits, in a unit that suits them."""
    if unit != "seconds":
        return f"{value:.2f}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _spread(samples: Sequence[float], unit: str) -> str:
    low, high = (amount(value, unit) for value in (min(samples), max(samples)))
    return f"{amount(statistics.median(samples), unit)} ({low} to {high})"


def _figures(scene: Scene, bound: Bound) -> tuple[str, str]:
    """What came out, and what had to."""
    if bound.kind == "ratio":
        return f"{scene.found(bound):.2f}", f"≤ {bound.most:g}"
    if bound.kind == "more":
        return f"{amount(scene.found(bound), scene.unit)} more", f"≤ {amount(bound.most, scene.unit)} more"
    return amount(scene.found(bound), scene.unit), f"≤ {amount(bound.most, scene.unit)}"


def _rows(scene: Scene) -> Iterator[tuple[str, ...]]:
    work, ours = scene.what, _spread(scene.samples[OURS], scene.unit)
    seen = {OURS}
    for bound in scene.judged():
        seen.add(bound.peer)
        theirs = _spread(scene.samples[bound.peer], scene.unit) if bound.peer else ""
        yield work, ours, bound.peer, theirs, *_figures(scene, bound), "met" if scene.is_met(bound) else "**missed**"
        work = ours = ""
    for peer in [who for who in scene.samples if who not in seen]:
        ratio = scene.median(OURS) / scene.median(peer)
        yield work, ours, peer, _spread(scene.samples[peer], scene.unit), f"{ratio:.2f}", "", ""
        work = ours = ""


def lines(scene: Scene) -> list[str]:
    return ["  ".join(map(str.ljust, row, _WIDTHS)).rstrip() for row in _rows(scene)]


def markdown(report: Report) -> str:
    found = report.machine
    libraries = ", ".join(" ".join(each) for each in found["libraries"].items())
    about = (
        f"{found['processor']}, {found['processors']} processors, {size(found['memory'])} of memory, "
        f"{found['system']}, Python {found['python']}, {libraries}. "
        f"Medians of {report.rounds} turns, and the least and the most."
    )
    table = [_HEADERS, ("---",) * len(_HEADERS), *(row for scene in report.scenes for row in _rows(scene))]
    missed = [scene.what for scene in report.scenes if not all(map(scene.is_met, scene.judged()))]
    said = f"Missed: {'; '.join(missed)}." if missed else "All goals are met."
    parts = [about, "\n".join("| " + " | ".join(row) + " |" for row in table), said]
    return "\n\n".join([*parts, *(_curve(each) for each in report.curves)])


def _curve(curve: dict[str, Any]) -> str:
    """Time for each unit of size: the same in all rows, if the line is straight."""
    headers = (curve["unit"], "processors", "joblib", "safeload", "ratio", f"safeload, for each of the {curve['unit']}")
    table = [headers, ("---",) * len(headers)]
    for point in curve["points"]:
        theirs, ours = (statistics.median(point[who]) for who in ("joblib", OURS))
        each = f"{ours / point['size'] * 1e6:.3g} µs"
        shown = f"{point['size']:,}", f"{point['processors']}", amount(theirs, "seconds"), amount(ours, "seconds")
        table.append((*shown, f"{ours / theirs:.2f}", each))
    return f"Growth: {curve['title']}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in table)


def to_json(report: Report) -> str:
    plain = asdict(report)
    for scene, shown in zip(report.scenes, plain["scenes"], strict=True):
        shown["bounds"] = [{**bound._asdict(), "found": scene.found(bound)} for bound in scene.judged()]
    return json.dumps(plain, indent=1) + "\n"


def put(page: Path, table: str) -> None:
    """Between the markers of `page`, which are on lines of their own."""
    text = page.read_text("utf-8")
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    page.write_text(f"{text[:start]}\n\n{table}\n\n{text[end:]}", "utf-8")
