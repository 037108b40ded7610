"""The log of a memory checker: which errors came only after the unchanged models."""

from __future__ import annotations

import re

__all__ = ["new_reports"]

_CASE = re.compile(r"=== (mutant|unchanged) (.*)")
_ERROR = re.compile(
    r"(?:==\d+== ?)?((?:Invalid (?:read|write|free).*|Process terminating.*|Jump to the invalid address.*|"
    r"Source and destination overlap.*|Argument '.*' of function .* has a fishy.*|.*ERROR: AddressSanitizer: [\w-]+)"
    r"|the process ended with -?\d+ at case \d+)"
)
_FRAME = re.compile(r"(?:==\d+== )?\s*(?:at|by|#\d+) (?:0x[0-9A-Fa-f]+:? )?(?:in )?(.*)")
_FRAMES = 6


def new_reports(log: str) -> dict[str, list[str]]:
    """Kind and top frames of each error -> the mutants at which it came; not those that unchanged models give too."""
    known: set[str] = set()
    found: dict[str, list[str]] = {}
    case, mutant = "start", False
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if match := _CASE.match(line):
            mutant, case = match[1] == "mutant", match[2]
        elif match := _ERROR.match(line):
            report = "\n    ".join((match[1], *_frames(lines[number + 1 : number + 40])))
            if mutant or "the process ended" in report:
                found.setdefault(report, []).append(case)
            else:
                known.add(report)
    return {report: cases for report, cases in found.items() if report not in known}


def _frames(lines: list[str]) -> list[str]:
    frames = []
    for line in lines:
        match = _FRAME.match(line)
        if match is None:
            break
        frames.append(re.sub(r"0x[0-9A-Fa-f]+", "", match[1]).strip())
    return frames[:_FRAMES]
