"""A report as a document of plain values: what JSON, JSON lines and the page are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload._version import __version__
from safeload.policy.rules import RULES
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.audit.report import FileReport, Report
    from safeload.policy.findings import Finding

__all__ = ["SCHEMA", "file_document", "header", "report_document", "verdict"]

SCHEMA = "safeload-scan-1"


def verdict(report: Report, file: FileReport) -> str:
    """``"found"``, ``"incomplete"`` or ``"clean"``, as the exit codes have it."""
    if any(finding.severity >= report.fail_on for finding in file.findings):
        return "found"
    return "clean" if file.complete else "incomplete"


def header(report: Report) -> dict[str, Any]:
    counts = dict.fromkeys(("found", "incomplete", "clean"), 0)
    for file in report.files:
        counts[verdict(report, file)] += 1
    return {
        "schema": SCHEMA,
        "safeload": __version__,
        "complete": report.complete,
        "exit_code": report.exit_code,
        "fail_on": report.fail_on.word,
        "files_total": len(report.files),
        **{f"files_{word}": count for word, count in counts.items()},
    }


def report_document(report: Report) -> dict[str, Any]:
    rules = sorted({finding.rule for finding in report.findings})
    return {
        **header(report),
        "files": [file_document(report, file) for file in report.files],
        "rules": {rule: {"title": RULES[rule].title, "why": RULES[rule].why, "do": RULES[rule].do} for rule in rules},
    }


def file_document(report: Report, file: FileReport) -> dict[str, Any]:
    return {
        "file": printable(file.file, 4_096),
        "size": file.size,
        "kind": file.kind,
        "verdict": verdict(report, file),
        "findings": [_finding(finding) for finding in sorted(file.findings, key=_worst_first)],
        "unread": [
            {"member": list(each.member), "offset": each.offset, "reason": each.text, "extra": each.extra or None}
            for each in file.unread
        ],
        "parts": [
            {"member": list(part.member), "kind": part.kind, "start": part.start, "size": part.size}
            for part in file.parts
        ],
    }


def _worst_first(finding: Finding) -> tuple[int, tuple[str, ...], int]:
    return -finding.severity, finding.member, finding.offset


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": RULES[finding.rule].title,
        "severity": finding.severity.word,
        "member": list(finding.member),
        "offset": finding.offset,
        "name": finding.name or None,
        "text": finding.text,
        "do": finding.do,
    }
