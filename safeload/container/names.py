"""Names of members: relative paths that mean the same on every system (docs/format.md, section 6)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from safeload.errors import FormatError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_name", "check_names"]

_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\\\\:*?"<>|\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_NAME_MAX, _PART_MAX = 1024, 255


def check_name(name: str, where: str = "name") -> None:
    """Raise FormatError ``member-name`` unless `name` is a safe relative path."""
    reason = _reason(name)
    if reason:
        raise FormatError("member-name", f'the member name "{printable(name)}" {reason} (at {where})')


def check_names(names: Iterable[str]) -> None:
    """Raise FormatError ``duplicate-name`` if two names would meet in a file system that ignores case."""
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        folded = unicodedata.normalize("NFC", name.casefold())
        parts = folded.split("/")
        above = {"/".join(parts[:i]) for i in range(1, len(parts))}
        if folded in files or folded in folders or not above.isdisjoint(files):
            raise FormatError("duplicate-name", f'the member name "{printable(name)}" collides with another member')
        files.add(folded)
        folders |= above


def _reason(name: str) -> str:
    if _FORBIDDEN.search(name):
        return "holds a character that is not allowed"
    if not 1 <= len(name.encode()) <= _NAME_MAX:
        return f"is not 1 to {_NAME_MAX} bytes long"
    if unicodedata.normalize("NFC", name) != name:
        return "is not in Unicode normalisation form C"
    return next((reason for part in name.split("/") if (reason := _part_reason(part))), "")


def _part_reason(part: str) -> str:
    if part in ("", ".", ".."):
        return "is not a plain relative path"
    if len(part.encode()) > _PART_MAX:
        return f"has a part of more than {_PART_MAX} bytes"
    if part.endswith((".", " ")) or part.startswith(" "):
        return "has a part that begins or ends with a space or ends with a dot"
    if _DEVICE.match(part):
        return "has a part that is a device on Windows"
    return ""
