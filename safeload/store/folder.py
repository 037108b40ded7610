"""Where versions lie: in a folder, as ``name@7.safeload``. A number is taken by making that file: only one can."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import StoreError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SEPARATOR", "Folder"]

SEPARATOR = "@"
_NUMBER_MAX = 999_999_999
_FILE = re.compile(r"(?P<name>[^@]+)@(?P<number>[1-9][0-9]{0,8})\.safeload")


class Folder:
    """All that a store asks of a place: names, numbers, one number taken, the path of one.

    A file of no bytes is a number that was taken and whose model is not there yet, or never will be: it does not count
    as a version, and its number is not given again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def names(self) -> tuple[str, ...]:
        """The names of models that have a version, sorted."""
        found = set()
        for folder, _, files in os.walk(self.path):
            above = Path(folder).relative_to(self.path).as_posix()
            for match in filter(None, map(_FILE.fullmatch, files)):
                if _size(Path(folder, match[0])):
                    found.add(match["name"] if above == "." else f"{above}/{match['name']}")
        return tuple(sorted(found))

    def versions(self, name: str) -> tuple[int, ...]:
        """The numbers of `name`, ascending."""
        return tuple(sorted(number for number, size in self._numbers(name) if size))

    def file(self, name: str, number: int) -> Path:
        return self.path / f"{name}{SEPARATOR}{number}.safeload"

    @contextmanager
    def taken(self, name: str) -> Iterator[int]:
        """The next number of `name`, which nobody else gets; given up if the block raises."""
        number = max((number for number, _ in self._numbers(name)), default=0) + 1
        if number > _NUMBER_MAX:  # a file of the next one would be no version
            raise StoreError(
                f"no number is left for {printable(name)}: {printable(str(self.file(name, number - 1)))} is the last",
                hint="if nobody saved that, remove it",
            )
        self.file(name, number).parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                os.close(os.open(self.file(name, number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
                break
            except FileExistsError:
                number += 1
        try:
            yield number
        except BaseException:
            if not _size(self.file(name, number)):
                self.file(name, number).unlink(missing_ok=True)
            raise

    def _numbers(self, name: str) -> Iterator[tuple[int, int]]:
        """Each number of `name`, and the size of its file."""
        folder, _, last = name.rpartition("/")
        try:
            entries = [entry.name for entry in (self.path / folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return
        for match in filter(None, map(_FILE.fullmatch, entries)):
            if match["name"] == last:
                yield int(match["number"]), _size(self.path / folder / match[0])


def _size(file: Path) -> int:
    """In bytes; 0 for what is no file, or is gone by now."""
    try:
        found = file.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
