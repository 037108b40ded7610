"""The public verb of the audit line: look into model files without loading anything."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from safeload.audit.fleet import cluster, scan_places
from safeload.audit.report import FileReport, Report
from safeload.audit.scanning import scan_view
from safeload.audit.walking import files_of
from safeload.keys import trust_from
from safeload.limits import SCAN_LIMITS, ScanLimits
from safeload.policy.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from safeload.keys import TrustStore
    from safeload.policy import Policy

    Progress = Callable[[int, int, FileReport], None]

__all__ = ["scan"]

StrPath = str | os.PathLike[str]


def scan(
    source: StrPath | IO[bytes] | Iterable[StrPath],
    *,
    policy: Policy | None = None,
    trust: TrustStore | StrPath | None = None,
    limits: ScanLimits = SCAN_LIMITS,
    fail_on: str = "medium",
    exclude: Sequence[str] = (),
    jobs: int | None = 1,
    dask: str | None = None,
    second_opinion: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Say what model files would do if they were loaded; nothing of them is loaded, and no ML library is imported.

    Parameters
    ----------
    source
        A file, a folder, or several of them; or an open file, read from its position to its end.
    policy
        What is no finding; None is ``Policy.audit()``: the default policy, and what state dicts of PyTorch hold.
    trust
        Whose signatures count, for signed artifacts; None: they are not checked, which the report says.
    fail_on
        The least severity that counts: ``"info" "low" "medium" "high" "critical"``.
    exclude
        Patterns as in a .gitignore, held against the path below the folder that was named.
    jobs
        Processes, as in joblib: -1 is one for each core, None whatever ``joblib.parallel_config`` says.
    dask
        The address of a cluster's scheduler, ``"tcp://scheduler:8786"``, which then takes the place of processes here.
    second_opinion
        Whether fickling is asked about each pickle, in a process of its own. What it says is informative only.
    progress
        Called with how many files are done, how many there are, and the report of the one that was done.

    Never raises for what a file is: what could not be read is in ``Report.files[n].unread``. Raises ValueError for an
    unknown severity, and KeyFileError for a trust store that cannot be read.
    """
    least = _severity(fail_on)
    store = None if trust is None else trust_from(trust)
    if isinstance(source, (str, os.PathLike)):
        sources: list[StrPath] = [source]
    elif hasattr(source, "read"):
        view, name = memoryview(source.read()), getattr(source, "name", None)
        name = name if isinstance(name, str) else "the file"  # a temporary file has a number, or none
        return Report((scan_view(name, view, policy, limits, store, second=second_opinion),), least)
    else:
        sources = list(source)
    places = list(files_of(sources, exclude))
    reports: dict[int, FileReport] = {}
    with cluster(dask):
        jobs = None if dask else jobs
        for number, report in scan_places(places, policy, limits, store, jobs, second=second_opinion):
            reports[number] = report
            if progress is not None:
                progress(len(reports), len(places), report)
    return Report(tuple(reports[number] for number in sorted(reports)), least)


def _severity(name: str) -> Severity:
    try:
        return Severity[name.upper()]
    except KeyError:
        known = ", ".join(severity.word for severity in Severity)
        raise ValueError(f"unknown severity {name!r}; known are {known}") from None
