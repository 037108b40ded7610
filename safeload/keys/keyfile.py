"""Key files on disk: opened once, bounded, never a device or a pipe; secrets only if nobody else can read them."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from safeload.errors import KeyFileError, KeyPermissionsError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MOST_BYTES",
    "PUBLIC_MODE",
    "SECRET_MODE",
    "KeyFile",
    "NewFile",
    "cannot",
    "create_all",
    "path_text",
    "quoted",
    "read_key_file",
]

MOST_BYTES = 64 * 1024
SECRET_MODE = 0o600
PUBLIC_MODE = 0o644

_OTHERS = 0o077
_KEY_MARKS = ("-----BEGIN ", "safeload hmac-sha256 key")
_BINARY = getattr(os, "O_BINARY", 0)
# Opening a pipe to which nobody writes would wait for ever, and a terminal would become ours.
_READ = os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What was read: ``mode`` is that of the descriptor ``data`` came from, so both are of one file."""

    path: str
    data: bytes = field(repr=False)
    mode: int

    def refuse_if_others_can_read(self) -> None:
        """Raises KeyPermissionsError for a secret that group or others may read, write or execute."""
        if os.name == "nt" or not self.mode & _OTHERS:  # Windows keeps no such bits
            return
        raise KeyPermissionsError(
            f"{printable(self.path)} is a secret, and others than its owner can read it "
            f"(mode {stat.S_IMODE(self.mode):04o})",
            path=self.path,
            hint=f"chmod 600 {quoted(self.path)}",
        )


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be written: ``mode`` is SECRET_MODE or PUBLIC_MODE."""

    path: str
    data: bytes = field(repr=False)
    mode: int


def quoted(path: str) -> str:
    """`path` as a word of a command in a hint."""
    import shlex

    return shlex.quote(printable(path))


def path_text(path: str | os.PathLike[str]) -> str:
    """`path` as text. Raises KeyFileError if it is empty, which would otherwise mean the current folder."""
    text = os.fspath(path)
    if not text:
        raise KeyFileError("the path of a key or trust store is empty")
    if any(mark in text for mark in _KEY_MARKS):
        # "cannot read -----BEGIN PRIVATE KEY-----..." would put the key into a log.
        raise KeyFileError(
            "a key itself was given where the path of a key file belongs",
            hint="the key itself goes into SAFELOAD_KEY_PEM, --key-fd or Signer.from_bytes; if others saw it, "
            "make a new one",
        )
    return text


def read_key_file(path: str | os.PathLike[str], what: str = "key file", most: int = MOST_BYTES) -> KeyFile:
    """At most `most` bytes of a regular file, which `what` names in messages. Raises KeyFileError."""
    name = path_text(path)
    try:
        descriptor = os.open(name, _READ)
        try:
            return _read(descriptor, name, what, most)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot("read", name, error) from error


def _read(descriptor: int, name: str, what: str, most: int) -> KeyFile:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        hint = (
            "a pipe is read by its number: --key-fd 3 3< <(command), or Signer.from_fd" if stat.S_ISFIFO(mode) else ""
        )
        raise KeyFileError(f"{printable(name)} is {_what(mode)}, not a {what}", path=name, hint=hint)
    data = b""
    while len(data) <= most and (piece := os.read(descriptor, most + 1 - len(data))):
        data += piece
    if len(data) > most:
        raise KeyFileError(f"{printable(name)} is larger than {most // 1024} KiB: not a {what}", path=name)
    return KeyFile(name, data, mode)


def _what(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a named pipe" if stat.S_ISFIFO(mode) else "a device"


def create_all(files: Sequence[NewFile]) -> None:
    """Write all of `files`, none of which may exist; if one fails, those written before it are removed.

    Raises KeyFileError.
    """
    done: list[Path] = []
    try:
        for file in files:
            _create(file)
            done.append(Path(file.path))
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in done}:
        _sync_folder(folder)


def _create(file: NewFile) -> None:
    try:
        descriptor = os.open(file.path, _CREATE, file.mode)
    except FileExistsError as error:
        raise KeyFileError(
            f"{printable(file.path)} exists, and a key is never overwritten",
            path=file.path,
            hint="choose another name, or move the old key away: what it signed can be verified only with it",
        ) from error
    except (OSError, ValueError) as error:
        raise cannot("write", file.path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.data)
            stream.flush()
            os.fsync(descriptor)
    except BaseException as error:
        Path(file.path).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot("write", file.path, error) from error
        raise


def _sync_folder(folder: Path) -> None:
    """Make the names last through a power cut, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def cannot(what: str, name: str, error: Exception, hint: str = "") -> KeyFileError:
    """The KeyFileError for an OSError, or for the ValueError that a NUL in a path gives."""
    reason = (error.strerror if isinstance(error, OSError) else None) or "not a possible path"
    return KeyFileError(f"cannot {what} {printable(name)}: {reason}", path=name, hint=hint)
