"""One file, from its name to what is to be said of it."""

from __future__ import annotations

import functools
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.audit.artifacts import read_artifact
from safeload.audit.remote import is_url, remote_view
from safeload.audit.report import FileReport, Name, PartReport, Unread
from safeload.audit.second_opinion import opinion_of
from safeload.engine.tables import WATCHED
from safeload.errors import MissingExtraError
from safeload.limits import ScanLimits
from safeload.mapped import mapped
from safeload.policy import Policy
from safeload.policy.advice import Risk, advise
from safeload.policy.findings import findings_of
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.table import numbers_beside, read_file
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.keys import TrustStore
    from safeload.readers.files.parts import Part

__all__ = ["scan_file"]

_NAMES_MAX = 2_000
_BLOCK = 512  # bytes, in which stat counts everywhere


def scan_file(
    path: str, policy: Policy | None, limits: ScanLimits, trust: TrustStore | None = None, *, second: bool = False
) -> FileReport:
    """Look into the file at `path`. What cannot be read is in the report; nothing is raised for it."""
    try:
        view = remote_view(path, limits.size) if is_url(path) else _view(path, limits)
    except MissingExtraError as error:
        return FileReport(path, 0, unread=(Unread((), 0, error.message, error.extra),))
    except Exception as error:  # whatever the client of a remote service raises, too
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return FileReport(path, 0, unread=(Unread((), 0, f"the file cannot be read: {printable(reason)}"),))
    return scan_view(path, view, policy, limits, trust, second=second)


def _view(path: str, limits: ScanLimits) -> memoryview:
    """The bytes of a regular file, mapped: what nobody looks at, such as arrays, costs no memory."""
    file = Path(path)
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError("it is no regular file")
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        if size > limits.size:
            raise ValueError(f"it is larger than {limits.size:,} bytes")
        # Holes are bytes that cost whoever made the file nothing: they count as what is compressed does.
        there = getattr(os.fstat(opened.fileno()), "st_blocks", size) * _BLOCK
        if size > limits.expanded(there):
            raise ValueError(f"it is nearly all holes: {size:,} bytes, of which the disk has {there:,}")
        return mapped(opened)


def scan_view(
    name: str,
    view: memoryview,
    policy: Policy | None,
    limits: ScanLimits,
    trust: TrustStore | None = None,
    *,
    second: bool = False,
) -> FileReport:
    """The same of bytes. `second` asks fickling, too."""
    policy = policy or Policy.audit()
    try:
        if kind_of(view) == "safeload":
            parts = read_artifact(name, view, limits, WATCHED, trust)
        else:
            parts = read_file(view, limits, WATCHED, raw=_is_raw(name))
    except MemoryError:
        return FileReport(name, len(view), unread=(Unread((), 0, "there is not enough memory to read it"),))
    opinions = [(part, opinion_of(part, policy) if second else None) for part in parts]
    return FileReport(
        file=name,
        size=len(view),
        findings=(
            *(finding for part in parts for finding in findings_of(part, policy)),
            *(found.finding for _, found in opinions if found and found.finding),
        ),
        decompiled=tuple((part.path, found.source) for part, found in opinions if found and found.source),
        unread=tuple(
            Unread(part.path, seen.offset, seen.text, seen.extra)
            for part in parts
            for seen in part.observations
            if seen.kind == "unread"
        ),
        parts=tuple(_reported(part, policy) for part in parts),
    )


_INDEX = ScanLimits(size=1 << 30)
_MODELS_MAX = 8
_VARIABLES = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")


def _is_raw(name: str) -> bool:
    """Whether a file beside this one says what its numbers are: an index of TensorFlow, or a model of ONNX."""
    match, path = _VARIABLES.fullmatch(name), Path(name)
    try:
        if match is not None:
            return kind_of(_view(f"{match[1]}.index", _INDEX)) == "tensorflow, index"
        models = sorted(path.parent.glob("*.onnx"))[:_MODELS_MAX] if path.suffix != ".onnx" else []
        return any(path.name in _numbers_of(str(model), model.stat().st_mtime_ns) for model in models)
    except (OSError, ValueError):
        return False


@functools.lru_cache(maxsize=_MODELS_MAX)  # a model may have a file for each tensor
def _numbers_of(path: str, _: int) -> frozenset[str]:
    return numbers_beside(_view(path, _INDEX), ScanLimits())


def _reported(part: Part, policy: Policy) -> PartReport:
    names = []
    for used in list(part.globals.values())[:_NAMES_MAX]:
        denied = policy.denied(used)
        grade = "allowed"
        if denied:
            grade = "dangerous" if advise(used, denied).risk is Risk.DANGEROUS else "unknown"
        names.append(Name(printable(used.path), used.use.words, grade))
    return PartReport(part.path, part.kind, part.start, part.size, tuple(part.spans), tuple(names))
