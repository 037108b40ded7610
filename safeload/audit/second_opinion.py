"""What fickling thinks of a pickle: another analysis, by other people. It can raise attention, and never decides.

It takes gigabytes for large streams and calls every name that is not of the standard library unsafe, so it runs in a
process of its own, within bounds, on the opcodes alone, and what the policy knows of a name goes before its opinion.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from safeload.policy.findings import Finding
from safeload.policy.rules import RULES
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.policy import Policy
    from safeload.readers.files.parts import Part

__all__ = ["Opinion", "opinion_of"]

_OPCODES_MAX = 4 << 20
_SECONDS = 30
_IMPORT = re.compile(r"from ([\w.]+) import (\w+)")
_CALL = re.compile(r"(\w+(?:\.(?!__new__)\w+)*)(?:\.__new__)?\(")
_RULE = RULES["SL602"]
_KINDS = ("pickle", "joblib", "torch")
_SHOWN, _LINES, _LINE = 3, 60, 160
_MILD = frozenset({"LIKELY_SAFE", "POSSIBLY_UNSAFE"})


class Opinion(NamedTuple):
    """A finding, if it sees what the policy does not account for, or has no opinion; and what Python it makes of it.

    That is fit to be shown, and empty where there is none.
    """

    finding: Finding | None
    source: str = ""


def opinion_of(part: Part, policy: Policy) -> Opinion | None:
    """None of what is no pickle."""
    if not part.kind.startswith(_KINDS) or not any(span.what == "opcodes" for span in part.spans):
        return None
    stream = b"".join(bytes(part.view[span.start : span.end]) for span in part.spans if span.what == "opcodes")
    if len(stream) > _OPCODES_MAX:
        return Opinion(
            _finding(part, f"no second opinion: {len(stream):,} bytes of opcodes are more than fickling takes")
        )
    answer = _ask(stream)
    if answer is None:
        return Opinion(_finding(part, "no second opinion: fickling gave up, or took too long"))
    source = "\n".join(printable(line, _LINE) for line in str(answer["source"]).splitlines()[:_LINES])
    known = {f"{module}.{name}" for module, name in policy.allowed} | {name for _, name in policy.allowed}
    odd = [each for each in answer["results"] if each["severity"] not in _MILD and not _accounted(each, known)]
    if not odd:
        return Opinion(None, source)
    said = "; ".join(printable(f"{each['analysis']}: {each['trigger']}", 120) for each in odd[:_SHOWN])
    return Opinion(_finding(part, f"fickling calls it {answer['severity']}: {said}"), source)


def _accounted(result: dict[str, Any], known: set[str]) -> bool:
    """Whether the name in what fickling points at is in the policy; or there is none, but a variable of its own."""
    trigger = str(result["trigger"])
    if match := _IMPORT.match(trigger):
        return f"{match[1]}.{match[2]}" in known
    match = _CALL.match(trigger)
    return match is None or match[1].startswith("_var") or match[1] in known


def _finding(part: Part, text: str) -> Finding:
    return Finding(_RULE.id, _RULE.severity, part.path, 0, text, _RULE.do)


def _ask(stream: bytes) -> dict[str, Any] | None:
    command = [sys.executable, "-P", "-m", "safeload.audit.second_opinion_child", str(_SECONDS)]
    try:
        done = subprocess.run(  # noqa: S603  # our own module
            command, input=stream, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * _SECONDS, check=True
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return None
    return answer
