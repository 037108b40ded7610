"""Write a file so that a crash at any step leaves the old one or the new one, never half."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_file", "syncing"]


@contextlib.contextmanager
def atomic_file(target: str | os.PathLike[str], *, mode: int | None = None) -> Iterator[int]:
    """Yield a descriptor, open for reading and writing, of a temporary file beside `target`.

    On success: fsync, rename over `target`, fsync of the folder. On any error the temporary file is removed
    and `target` is untouched. A symbolic link is followed: the file that it names is replaced.
    Without `mode` the new file has the permissions of the old one, or those of the umask.
    """
    path = Path(os.path.realpath(target))
    _check_target(path)
    # Short, whatever the name: 255 bytes is the most, and a name may have that many.
    temporary = path.with_name(f".safeload-{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        # Never more open than the file that it replaces, not even while it is written.
        fd = os.open(temporary, flags, _mode(path) if mode is None else mode)
    except OSError as error:
        error.filename = str(path)  # nobody asked for the temporary name
        raise
    try:
        try:
            if mode is None and path.exists() and hasattr(os, "fchmod"):
                os.fchmod(fd, _mode(path))
            yield fd
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def syncing(fd: int) -> Iterator[None]:
    """What `fd` has so far goes to the disk, meanwhile. Raises OSError where that failed: the system tells it once."""
    from concurrent.futures import ThreadPoolExecutor  # which small files do not pay

    with ThreadPoolExecutor(1) as pool:
        synced = None
        with contextlib.suppress(RuntimeError):  # the system gives no thread: it is done at the end alone
            synced = pool.submit(os.fsync, fd)
        yield
        if synced is not None:
            synced.result()


def _check_target(path: Path) -> None:
    """Only a regular file may be replaced: renaming over a device or a pipe would put a file in its place."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file, so it cannot be replaced; pass an open file object", str(path))
    if _is_key(path):
        raise FileExistsError(errno.EEXIST, "this is a key, and a key is never overwritten", str(path))


def _is_key(path: Path) -> bool:
    """Whether a key would be lost: a slip of the hand in `-o` must not cost the private key that signs."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    return head.startswith((b"-----BEGIN ", b"ssh-ed25519 ", b"safeload hmac-sha256 key"))


def _mode(path: Path) -> int:
    """The permissions of the file at `path`, without set-user-id; those that the umask leaves, if there is none."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o777
    except FileNotFoundError:
        return 0o666


def _sync_folder(folder: Path) -> None:
    # Without it the rename itself may be lost with the power, and with it the new file.
    if os.name == "nt":
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:  # a folder that one may write to and not read: the file is there all the same
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
