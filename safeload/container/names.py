"""Names of members: relative paths that mean the same on every system (docs/format.md, section 6)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

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
    tree: dict[str, Any] = {}
    for name in names:
        parts = unicodedata.normalize("NFC", name.casefold()).split("/")
        if not _add(tree, parts):
            raise FormatError("duplicate-name", f'the member name "{printable(name)}" collides with another member')


def _add(tree: dict[str, Any], parts: list[str]) -> bool:
    """Put a path into the tree, where a folder is a dict and a file is None; False if it meets another file."""
    for part in parts[:-1]:
        found = tree.setdefault(part, {})
        if found is None:
            return False
        tree = found
    if parts[-1] in tree:
        return False
    tree[parts[-1]] = None
    return True


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
