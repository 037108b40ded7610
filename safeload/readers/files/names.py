"""Names of members that lead out of the folder into which they are unpacked, or hide what they are."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tricks_of"]

_DRIVE = re.compile(r"[A-Za-z]:")
_KINDS = {stat.S_IFLNK: "a symbolic link", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe"}


def tricks_of(name: str, mode: int = 0) -> Iterator[str]:
    """What is odd about a member, one sentence each. `mode` is the file's, as Unix has it."""
    shown = printable(name, 80)
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        yield f"{shown} is an absolute path: unpacked, it may write anywhere"
    if ".." in parts:
        yield f"{shown} leads upwards: unpacked, it may write anywhere"
    if "\0" in name:
        yield f"{shown} holds a NUL, at which some readers cut it off"
    if (kind := _KINDS.get(stat.S_IFMT(mode))) is not None:
        yield f"{shown} is {kind}, and no file"
