"""SARIF 2.1.0, as GitHub's code scanning takes it.

Sources: https://docs.oasis-open.org/sarif/sarif/v2.1.0, and GitHub's "SARIF support for code scanning": relative URIs,
one location a result, at most 25,000 results, a severity as a string.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from safeload._version import __version__
from safeload.policy.rules import RULES, Rule, Severity
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.audit.report import FileReport, Report, Unread
    from safeload.policy.findings import Finding

__all__ = ["render_sarif"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RESULTS_MAX = 25_000
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# Between 0 and 10, where GitHub draws its own lines at 4, 7 and 9.
_SCORES = {
    Severity.CRITICAL: "9.8",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_UNREAD = "SL000"


def render_sarif(report: Report) -> str:
    return json.dumps(_document(report), indent=2, ensure_ascii=True)


def _document(report: Report) -> dict[str, Any]:
    results = [result for file in report.files for result in _results(file)][:_RESULTS_MAX]
    used = {result["ruleId"] for result in results}
    driver = {
        "name": "safeload",
        "semanticVersion": __version__,
        "rules": [_unread_rule()] * (_UNREAD in used) + [_rule(RULES[name]) for name in RULES if name in used],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "safeload/scan/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": report.complete, "exitCode": report.exit_code}],
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\n{rule.do}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["security", "machine-learning"],
            "precision": "high",
            "security-severity": _SCORES[rule.severity],
        },
    }


def _unread_rule() -> dict[str, Any]:
    text = "The file could not be read to its end, so nobody can say that there is nothing in it."
    return {
        "id": _UNREAD,
        "shortDescription": {"text": "Not read to its end"},
        "fullDescription": {"text": text},
        "help": {"text": text},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["security"], "precision": "high", "security-severity": "5.0"},
    }


def _results(file: FileReport) -> Iterator[dict[str, Any]]:
    for finding in file.findings:
        text = f"{RULES[finding.rule].title}: {finding.text}. {finding.do}"
        yield _result(file, finding.rule, _LEVELS[finding.severity], text, finding, finding.name)
    for unread in file.unread:
        yield _result(file, _UNREAD, "warning", f"Not read to its end: {unread.text}", unread, unread.text)


def _result(file: FileReport, rule: str, level: str, text: str, place: Finding | Unread, same: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(file.file)},
            # A file without lines: the place is the byte, and the line is what viewers insist on.
            "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
        }
    }
    if place.member:
        name = "/".join(place.member)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "member"}]
    else:
        location["physicalLocation"]["region"] |= {"byteOffset": place.offset, "byteLength": 1}
    fingerprint = hashlib.sha256("\0".join((rule, PurePath(file.file).name, *place.member, same)).encode())
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _plain(text)},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint.hexdigest()[:32]}:1"},
        "properties": {"byteOffset": place.offset, "member": list(place.member)},
    }


def _plain(text: str) -> str:
    """Section 3.11.6: brackets would be a link."""
    return "".join(f"\\{char}" if char in "[]" else char for char in text)


def _uri(path: str) -> str:
    """Relative to where the scan was started, if the file is below it."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path  # noqa: PTH117
    shown = path if relative.startswith("..") else relative
    return quote(printable(PurePath(shown).as_posix(), 4_096).lstrip("/"))
