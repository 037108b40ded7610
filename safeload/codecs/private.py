"""Files that nobody else can look into, for a framework that reads only files.

On the disk they take no memory, which the model will need. What was encrypted stays off the disk, in memory, wherever
the framework can read it there: HDF5's library and TensorFlow want a path that is real.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from safeload.mapped import mapped
from safeload.pages import returner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.codecs.base import Held, LoadOptions

__all__ = ["private_copy", "private_file", "private_folder"]

_PIECE = 16 << 20
_ROOM = 2  # times: an archive is taken apart beside itself


def private_folder() -> Path:
    """A new folder that nobody else can look into."""
    return Path(tempfile.mkdtemp(prefix="safeload-"))


@contextlib.contextmanager
def private_copy(
    member: Held, name: str, options: LoadOptions, *, real: bool = False
) -> Iterator[tuple[Path, memoryview]]:
    """The verified bytes of `member` as a file, and mapped from there. `real` asks for a path that leads to a disk."""
    view = member.read()
    with private_file(name, options, size=len(view), real=real) as (path, file):
        _move(view, file)
        del view
        yield path, mapped(file)


def _move(view: memoryview, file: IO[bytes]) -> None:
    """What is in the file is not in memory once more."""
    give_back = returner(view)
    for start in range(0, len(view), _PIECE):
        end = min(start + _PIECE, len(view))
        file.write(view[start:end])
        if give_back is not None:
            give_back(start, end)
    file.flush()


@contextlib.contextmanager
def private_file(
    name: str, options: LoadOptions, *, size: int = 0, real: bool = False
) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file for `size` bytes that are still to be written, and flushed."""
    folder = private_folder()
    path = folder / name
    try:
        in_memory = not real and (options.secret or shutil.disk_usage(folder).free < _ROOM * size)
        with (_file_in_memory(path) if in_memory else None) or path.open("x+b") as file:
            yield path, file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _file_in_memory(path: Path) -> IO[bytes] | None:
    """A file that `path` leads to as long as it is open; None where there is no such thing."""
    try:
        file = os.fdopen(os.memfd_create("safeload"), "w+b")
    except (AttributeError, OSError):
        return None
    path.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
    if path.exists():
        return file
    file.close()
    path.unlink()
    return None
