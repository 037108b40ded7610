"""A report for a terminal: the worst first, one line a finding, and no more than a screen unless asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safeload.policy.rules import RULES, Severity
from safeload.report.documents import verdict
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.audit.report import FileReport, Report

__all__ = ["Line", "explained", "lines_of"]

_COLORS = {Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}
_PER_FILE, _IN_FULL, _WIDTH, _NAME = 3, 5, 120, 48
_CLEAN_SHOWN = 10


class Line(NamedTuple):
    """`mark` stands before `text`, in a colour."""

    text: str
    mark: str = ""
    color: str = ""


def lines_of(report: Report, *, everything: bool = False) -> Iterator[Line]:
    """The lines of a report. `everything` shows each finding, also those that do not count."""
    order = {"found": 0, "incomplete": 1, "clean": 2}
    files = sorted(report.files, key=lambda file: (order[verdict(report, file)], -(file.worst or 0)))
    shown = [file for file in files if verdict(report, file) != "clean"]
    for file in shown:
        if everything or len(shown) <= _IN_FULL:
            yield from _file(report, file, everything=everything)
        else:
            yield _in_short(report, file)
    if len(shown) > _IN_FULL and not everything:
        if extras := sorted({unread.extra for file in shown for unread in file.unread} - {""}):
            yield Line(f"pip install 'safeload[{','.join(extras)}]' reads what is not read for want of a library")
        yield Line("--all says more of each")
    yield from _clean(report, everything=everything)
    yield from _sum(report)


def _file(report: Report, file: FileReport, *, everything: bool) -> Iterator[Line]:
    name = printable(file.file)
    if verdict(report, file) == "found":
        yield Line(f" {name}", (file.worst or Severity.INFO).word.upper(), _COLORS.get(file.worst or Severity.INFO, ""))
    else:
        yield Line(f" {name}", "INCOMPLETE", "yellow")
    least = Severity.INFO if everything else report.fail_on
    shown = sorted((each for each in file.findings if each.severity >= least), key=lambda each: -each.severity)
    most = len(shown) if everything else _PER_FILE
    for finding in shown[:most]:
        place = " > ".join((*finding.member, f"byte {finding.offset:,}"))
        yield Line(f"  {finding.rule} {RULES[finding.rule].title} ({place})")
        yield Line(f"        {finding.text}")
        if everything:
            yield Line(f"        {finding.do}")
    if len(shown) > most:
        yield Line(f"  and {len(shown) - most:,} more: --all shows them")
    for unread in file.unread if everything else file.unread[:_PER_FILE]:
        place = " > ".join((*unread.member, f"byte {unread.offset:,}"))
        yield Line(f"  not read to its end ({place}): {unread.text}")
        if unread.extra:
            yield Line(f"        pip install 'safeload[{unread.extra}]'")


def _in_short(report: Report, file: FileReport) -> Line:
    """One line: the worst that there is to say of it."""
    name = printable(file.file, 1_000)
    name = name if len(name) <= _NAME else f"...{name[3 - _NAME :]}"  # its end says more
    if verdict(report, file) == "incomplete":
        return Line(f" {name}  {file.unread[0].text}"[:_WIDTH], "INCOMPLETE", "yellow")
    worst = max(file.findings, key=lambda each: each.severity)
    chain = worst.text.partition(" while loading: ")[0]
    text = f" {name}  {worst.rule} {chain}"
    text = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
    return Line(text, worst.severity.word.upper(), _COLORS.get(worst.severity, ""))


def _clean(report: Report, *, everything: bool) -> Iterator[Line]:
    clean = [file for file in report.files if verdict(report, file) == "clean"]
    if everything or len(clean) <= _CLEAN_SHOWN:
        for file in clean:
            yield Line(f" {printable(file.file)}  ({file.kind})", "no finding", "green")
            if everything:
                yield from (Line(f"  {each.rule} {each.text}") for each in file.findings)


def _sum(report: Report) -> Iterator[Line]:
    counts = [verdict(report, file) for file in report.files]
    found, incomplete, clean = (counts.count(word) for word in ("found", "incomplete", "clean"))
    said = [plural(len(report.files), "file")]
    said += [f"{found:,} with findings"] if found else []
    said += [f"{incomplete:,} not read to the end"] if incomplete else []
    said += [f"{clean:,} without a finding"] if clean else []
    yield Line(": ".join((said[0], ", ".join(said[1:]))) if len(said) > 1 else said[0])
    if found:
        rules = sorted({each.rule for each in report.findings if each.severity >= report.fail_on})
        yield Line(f"safeload explain {' '.join(rules)} says why it matters and what to do")


def explained(report: Report) -> Iterator[Line]:
    """What was found in each pickle, and beside it the Python that fickling makes of it."""
    for file in report.files:
        for member, source in file.decompiled:
            yield Line(" > ".join((printable(file.file), *member)), color="")
            for finding in file.findings:
                if finding.member == member and finding.name:
                    yield Line(f"  byte {finding.offset:>9,}  {finding.text.partition(' while loading: ')[0]}")
            yield Line("  as fickling has it:")
            yield from (Line(f"    {line}") for line in source.splitlines())
