"""The same as a page that needs nothing else: a bar for each ratio, a line for each curve."""

from __future__ import annotations

import html
import math
import statistics
from typing import TYPE_CHECKING, Any

from measuring import OURS
from report import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from report import Report

__all__ = ["page"]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem} h2{font-size:1.1rem;margin-top:2.2rem} p{color:#4a5565} svg{display:block;width:100%;height:auto}
text{font:13px system-ui,sans-serif;fill:#1c2430} .soft{fill:#5b6675} .ours{fill:#1f7a5c} .missed{fill:#b3402a}
.goal{stroke:#1c2430;stroke-width:2;stroke-dasharray:3 3} .axis{stroke:#c9d0d8} .one{stroke:#8b95a1}
.line{fill:none;stroke-width:2.5} .a{stroke:#1f7a5c} .b{stroke:#8cc7b1} .c{stroke:#c0703a} .d{stroke:#e7bf9f}
"""
_WIDTH, _LABEL, _ROW = 960, 420, 30
_COLOURS = "abcd"


def page(report: Report) -> str:
    found = report.machine
    about = f"{found['processor']}, {found['processors']} processors, Python {found['python']}, {report.rounds} turns"
    body = "".join([*_bars(report), *map(_lines, report.curves)])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>safeload, measured</title><style>{_STYLE}</style>'
        f"<h1>safeload, measured</h1><p>{html.escape(about)}</p>{body}</html>\n"
    )


def _bars(report: Report) -> Iterator[str]:
    """By whom it is held against: of their time, how much is ours."""
    peers = dict.fromkeys(bound.peer for scene in report.scenes for bound in scene.judged() if bound.kind == "ratio")
    for peer in peers:
        rows = [(scene, bound) for scene in report.scenes for bound in scene.judged()
                if bound.kind == "ratio" and bound.peer == peer]  # fmt: skip
        most = max(1.0, *(max(scene.found(bound), bound.most) for scene, bound in rows)) * 1.08
        scale = (_WIDTH - _LABEL - 70) / most
        parts = []
        for number, (scene, bound) in enumerate(rows):
            y, wide = number * _ROW + 6, scene.found(bound) * scale
            goal, kind = _LABEL + bound.most * scale, "ours" if scene.is_met(bound) else "missed"
            parts.append(
                f'<text x="{_LABEL - 10}" y="{y + 15}" text-anchor="end">{html.escape(scene.what)}</text>'
                f'<rect class="{kind}" x="{_LABEL}" y="{y}" width="{wide:.1f}" height="20" rx="3"/>'
                f'<line class="goal" x1="{goal:.1f}" x2="{goal:.1f}" y1="{y - 3}" y2="{y + 23}"/>'
                f'<text x="{max(_LABEL + wide, goal) + 8:.1f}" y="{y + 15}">{scene.found(bound):.2f}</text>'
            )
        height, one = len(rows) * _ROW + 26, _LABEL + scale
        yield (
            f"<h2>Time of safeload, if that of {html.escape(peer)} is 1</h2>"
            f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="bars">'
            f'<line class="one" x1="{one:.1f}" x2="{one:.1f}" y1="0" y2="{height - 22}"/>'
            f'<text class="soft" x="{one:.1f}" y="{height - 6}" text-anchor="middle">1</text>{"".join(parts)}</svg>'
            "<p>The dashed line is the goal.</p>"
        )


def _lines(curve: dict[str, Any]) -> str:
    """Both axes by powers of ten: what grows in proportion is a straight line that goes up one for one to the right."""
    series: dict[str, list[tuple[float, float]]] = {}
    for point in curve["points"]:
        for who in (OURS, "joblib"):
            name = f"{who}, {point['processors']} processor{'s' if point['processors'] > 1 else ''}"
            series.setdefault(name, []).append((math.log10(point["size"]), math.log10(statistics.median(point[who]))))
    xs = [x for each in series.values() for x, _ in each]
    ys = [y for each in series.values() for _, y in each]
    left, bottom, wide, high = 90, 330, 560, 300
    low, up = math.floor(min(ys)), math.ceil(max(ys))

    def at(x: float, y: float) -> str:
        across = left + (x - min(xs)) / (max(xs) - min(xs) or 1) * wide
        return f"{across:.1f},{bottom - (y - low) / (up - low or 1) * high:.1f}"

    parts = []
    for power in range(low, up + 1):
        y = float(at(min(xs), power).partition(",")[2])
        parts.append(f'<line class="axis" x1="{left}" x2="{left + wide}" y1="{y}" y2="{y}"/>')
        label = amount(10.0**power, "seconds")
        parts.append(f'<text class="soft" x="{left - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
    for x in sorted(set(xs)):
        across = at(x, low).partition(",")[0]
        label = f"{round(10**x):,} {curve['unit']}"
        parts.append(f'<text class="soft" x="{across}" y="{bottom + 20}" text-anchor="middle">{label}</text>')
    for number, (name, points) in enumerate(sorted(series.items(), reverse=True)):
        colour, y = _COLOURS[number % len(_COLOURS)], 60 + 26 * number
        path = " ".join(at(*point) for point in points)
        parts.append(f'<polyline class="line {colour}" points="{path}"/>')
        parts.append(f'<line class="line {colour}" x1="700" x2="730" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="738" y="{y + 4}">{html.escape(name)}</text>')
    return (
        f"<h2>Loading {html.escape(curve['title'])}, as they grow</h2>"
        f'<svg viewBox="0 0 {_WIDTH} 360" role="img" aria-label="lines">{"".join(parts)}</svg>'
    )
