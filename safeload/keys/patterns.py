"""Patterns for the names of models: ``*`` and ``?`` stand for characters of one part; parts are joined by ``/``."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from safeload.container.names import check_name
from safeload.errors import FormatError

__all__ = ["is_pattern", "matches"]

_PATTERN_MAX = 256
# No control characters, and none of what another tool's glob would read as a set, a choice or a negation.
_PART = r"[^\x00-\x1f\x7f\[\]{}!\\/]+"
_PATTERN = re.compile(rf"{_PART}(?:/{_PART})*\Z")


def is_pattern(text: str) -> bool:
    """Whether `text` is one."""
    return len(text) <= _PATTERN_MAX and _PATTERN.match(text) is not None


def matches(patterns: tuple[str, ...] | None, name: str | None) -> bool:
    """Whether one of `patterns` names the model; None names all, also those without a name."""
    if patterns is None:
        return True
    return name is not None and _is_name(name) and any(_matches(pattern, name) for pattern in patterns)


def _is_name(name: str) -> bool:
    """A file may call its model anything: what could not be written as a name here, no pattern speaks of."""
    try:
        check_name(name)
    except FormatError:
        return False
    return True


def _matches(pattern: str, name: str) -> bool:
    parts, names = pattern.split("/"), name.split("/")
    return len(parts) == len(names) and all(map(fnmatchcase, names, parts))
