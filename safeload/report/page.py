"""One page that a manager can read and an analyst can dig into: self-contained, without a script from a file.

jinja2 escapes whatever it is given; the script of the page has only what the page shows.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from importlib import resources
from typing import TYPE_CHECKING, Any

from safeload._version import __version__
from safeload.policy.rules import RULES
from safeload.report.documents import header, verdict
from safeload.report.drawing import map_of
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.audit.report import FileReport, PartReport, Report

__all__ = ["render_html"]

_NAMES_SHOWN = 400
_PARTS_DRAWN = 40


def render_html(report: Report) -> str:
    import jinja2

    folder = resources.files("safeload.report")
    style, script = (folder.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(folder.joinpath("page.html").read_text("utf-8"))
    order = {"found": 0, "incomplete": 1, "clean": 2}
    files = sorted(report.files, key=lambda file: (order[verdict(report, file)], -(file.worst or 0), file.file))
    return template.render(
        head=header(report),
        version=__version__,
        files=[_file(report, file) for file in files],
        rules=[RULES[name] for name in sorted({finding.rule for finding in report.findings})],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    """For the page's content security policy: nothing else may run or style."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(report: Report, file: FileReport) -> dict[str, Any]:
    findings = sorted(file.findings, key=lambda each: (-each.severity, each.member, each.offset))
    return {
        "name": printable(file.file, 4_096),
        "size": _size(file.size),
        "kind": file.kind,
        "verdict": verdict(report, file),
        "severity": file.worst.word if file.worst is not None else "",
        "findings": [
            {
                "rule": each.rule,
                "title": RULES[each.rule].title,
                "why": RULES[each.rule].why,
                "severity": each.severity.word,
                "place": " > ".join((*each.member, f"byte {each.offset:,}")),
                "text": each.text,
                "do": each.do,
            }
            for each in findings
        ],
        "unread": [
            {"place": " > ".join((*each.member, f"byte {each.offset:,}")), "text": each.text, "extra": each.extra}
            for each in file.unread
        ],
        "parts": [_part(file, part) for part in file.parts[:_PARTS_DRAWN]],
        "parts_left": max(0, len(file.parts) - _PARTS_DRAWN),
        "packages": _tree(file),
    }


def _part(file: FileReport, part: PartReport) -> dict[str, Any]:
    marks = [(each.offset, each.severity.word) for each in file.findings if each.member == part.member]
    marks += [(each.offset, "unread") for each in file.unread if each.member == part.member]
    return {
        "name": " > ".join(part.member) or printable(file.file.rpartition("/")[2]),
        "kind": part.kind,
        "size": _size(part.size),
        "map": map_of(part, marks),
    }


def _tree(file: FileReport) -> list[dict[str, Any]]:
    """Globals by package, the worst first."""
    packages: dict[str, list[tuple[str, str, str]]] = {}
    for part in file.parts:
        for name in part.names:
            packages.setdefault(name.name.partition(".")[0], []).append((name.grade, name.name, name.use))
    order = {"dangerous": 0, "unknown": 1, "allowed": 2}
    made = []
    for package, names in packages.items():
        rows = sorted(set(names), key=lambda row: (order[row[0]], row[1]))
        shown = [{"grade": grade, "name": name, "use": use} for grade, name, use in rows[:_NAMES_SHOWN]]
        made.append({"package": package, "grade": rows[0][0], "count": len(rows), "names": shown})
    return sorted(made, key=lambda each: (order[each["grade"]], each["package"]))


def _size(size: int) -> str:
    if size < 1_000:
        return f"{size} B"
    for unit in ("kB", "MB", "GB"):
        size_in = size / {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
        if size_in < 1_000:
            break
    return f"{size_in:.3g} {unit}"
