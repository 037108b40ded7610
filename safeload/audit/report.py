"""What came of looking: plain data, which worker processes can hand over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.policy.rules import Severity

if TYPE_CHECKING:
    from safeload.policy.findings import Finding
    from safeload.readers.files.parts import Span

__all__ = ["FileReport", "Name", "PartReport", "Report", "Unread"]

CLEAN, FOUND, INCOMPLETE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, and why. `extra` is what would help: ``pip install 'safeload[extra]'``."""

    member: tuple[str, ...]
    offset: int
    text: str
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A global that a part names; `grade` is ``"allowed"``, ``"unknown"`` or ``"dangerous"``."""

    name: str
    use: str
    grade: str


@dataclass(frozen=True, slots=True)
class PartReport:
    """A file, or a member of it: of which kind, and what stands where in it."""

    member: tuple[str, ...]
    kind: str
    start: int
    size: int
    spans: tuple[Span, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. `decompiled` is Python that a second opinion makes of its pickles: what member, and the text."""

    file: str
    size: int
    findings: tuple[Finding, ...] = ()
    unread: tuple[Unread, ...] = ()
    parts: tuple[PartReport, ...] = ()
    decompiled: tuple[tuple[tuple[str, ...], str], ...] = ()

    @property
    def kind(self) -> str:
        """What the file is, and what is packed in it: ``"zlib > joblib"``."""
        kinds = [part.kind for part in self.parts if all(step in _WRAPPERS for step in part.member)]
        return " > ".join(kinds) or "unread"

    @property
    def complete(self) -> bool:
        return not self.unread

    @property
    def worst(self) -> Severity | None:
        return max((finding.severity for finding in self.findings), default=None)


_WRAPPERS = frozenset({"gzip", "zlib", "bz2", "xz", "lzma", "zstd", "lz4", "old joblib"})


@dataclass(frozen=True, slots=True)
class Report:
    """All files, in the order in which they were named. ``fail_on`` is the severity from which a finding counts."""

    files: tuple[FileReport, ...]
    fail_on: Severity = Severity.MEDIUM

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for file in self.files for finding in file.findings)

    @property
    def complete(self) -> bool:
        """Whether every file was read to its end: only then does a report without findings mean anything."""
        return bool(self.files) and all(file.complete for file in self.files)

    @property
    def exit_code(self) -> int:
        """1 for a finding that counts, else 2 where anything could not be read, else 0."""
        if any(finding.severity >= self.fail_on for finding in self.findings):
            return FOUND
        return CLEAN if self.complete else INCOMPLETE
