"""From what somebody names to files: folders in the order of their names, without what is excluded.

Links to files are read, as caches of models are made of them; links to folders are not followed, and said to be unread.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.audit.remote import is_url, remote_files
from safeload.errors import MissingExtraError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["Place", "files_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """A file to look into; or, with a `reason`, one that will not be."""

    path: str
    reason: str = ""


def files_of(sources: Iterable[str | os.PathLike[str]], exclude: Sequence[str] = ()) -> Iterator[Place]:
    """Each file once. `exclude` are patterns as in a .gitignore, held against the path below what was named."""
    seen: set[str] = set()
    excluded = _excluding(exclude)
    for source in sources:
        named = os.fspath(source)
        if is_url(named):
            yield from _remote(named, excluded)
            continue
        is_folder = os.path.isdir(named)  # noqa: PTH112  Path.is_dir raises for a name that is too long
        names = [named] if is_folder or os.path.lexists(named) else sorted(glob.glob(named, recursive=True)) or [named]  # noqa: PTH207
        for place in _walk(named, excluded) if is_folder else map(Place, names):
            if place.path not in seen:
                seen.add(place.path)
                yield place


def _remote(url: str, excluded: Callable[[str], bool]) -> Iterator[Place]:
    try:
        for found in remote_files(url):
            if found == url or not excluded(found.removeprefix(url).lstrip("/")):
                yield Place(found)
    except MissingExtraError as error:
        yield Place(url, f"{error.message}: {error.hint}")
    except Exception as error:  # whatever the client of the service raises
        yield Place(url, f"it cannot be listed: {printable(str(error))}")


def _excluding(patterns: Sequence[str]) -> Callable[[str], bool]:
    if not patterns:
        return lambda _: False
    import pathspec

    return pathspec.GitIgnoreSpec.from_lines(patterns).match_file


def _walk(root: str, excluded: Callable[[str], bool]) -> Iterator[Place]:
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Place(folder, f"the folder cannot be read: {error.strerror}")
            continue
        folders = []
        for entry in found:
            if excluded(os.path.relpath(entry.path, root) + ("/" if entry.is_dir() else "")):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_dir():
                yield Place(entry.path, "a link to a folder, which is not followed")
            else:
                yield Place(entry.path)
        pending += reversed(folders)
