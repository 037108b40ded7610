"""Files and folders as they are, on their way into a file."""

from __future__ import annotations

import os
import shutil
import unicodedata
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from safeload.codecs.base import Part
from safeload.codecs.packed import packed_tree
from safeload.container.names import check_name
from safeload.errors import FormatError
from safeload.kinds import EMPTY, TREE
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parts_of"]

# What became a link since the folder was listed is not followed, and what became a pipe is not waited for.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def parts_of(path: str | os.PathLike[str]) -> list[Part]:
    """One member for a file, one for each file of a folder.

    Raises OSError, and ValueError for a folder that holds what an archive cannot give back the same: links, devices,
    names that mean something else elsewhere.
    """
    path = Path(path)
    if not os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        return [Part(_member_name(path.name), partial(_copy, path))]
    parts = list(_tree(path, ""))
    if not parts:
        raise ValueError(f"{printable(str(path))} is a folder with nothing in it")
    kinds = packed_tree(*([part.name for part in parts if part.kind == kind] for kind in (TREE, EMPTY)))
    return parts if kinds is None else [part._replace(kind=kinds[part.name]) for part in parts]


def _tree(folder: Path, above: str) -> Iterator[Part]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name, path = f"{above}{entry.name}", Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _tree(path, f"{name}/")
        elif entry.is_file(follow_symlinks=False):
            yield Part(_checked(name, path), partial(_copy, path, flags=_NO_LINK), TREE)
        else:
            what = "a symbolic link" if entry.is_symlink() else "neither a file nor a folder"
            raise ValueError(f"{printable(str(path))} is {what}: put the file itself there, or leave it out")
    if not found and above:
        yield Part(_checked(above.rstrip("/"), folder), lambda file: None, EMPTY)


def _checked(name: str, path: Path) -> str:
    """A name that is changed would be another file for whoever looks for it."""
    try:
        check_name(name)
    except (FormatError, UnicodeEncodeError):
        raise ValueError(f"{printable(str(path))} cannot be in an artifact under that name: rename it") from None
    return name


def _member_name(name: str) -> str:
    """`name` if a container can hold it, else a plain one: a colon in a file's name is no reason to refuse."""
    normal = unicodedata.normalize("NFC", name)
    try:
        check_name(normal)
    except FormatError:
        return "model"
    return normal


def _copy(path: Path, file: IO[bytes], *, flags: int = 0) -> None:
    with open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags)) as original:
        shutil.copyfileobj(original, file, 4 << 20)
