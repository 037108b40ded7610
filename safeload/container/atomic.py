"""Write a file so that a crash at any step leaves the old one or the new one, never half."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_file"]


@contextlib.contextmanager
def atomic_file(target: str | os.PathLike[str], *, mode: int | None = None) -> Iterator[int]:
    """Yield a descriptor, open for reading and writing, of a temporary file beside `target`.

    On success: fsync, rename over `target`, fsync of the folder. On any error the temporary file is removed
    and `target` is untouched. A symbolic link is followed: the file that it names is replaced.
    Without `mode` the new file has the permissions of the old one, or those of the umask.
    """
    path = Path(os.path.realpath(target))
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(temporary, flags, 0o666 if mode is None else mode)
    except OSError as error:
        error.filename = str(path)  # nobody asked for the temporary name
        raise
    try:
        try:
            if mode is None:
                _copy_permissions(path, fd)
            yield fd
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _copy_permissions(path: Path, fd: int) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    if hasattr(os, "fchmod"):
        os.fchmod(fd, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    # Without it the rename itself may be lost with the power, and with it the new file.
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
