"""Keys that lie in no file: in an environment variable, or behind a file descriptor that somebody else opened."""

from __future__ import annotations

import os
import stat

from safeload.errors import KeyFileError
from safeload.keys import environment
from safeload.keys.keyfile import MOST_BYTES, KeyFile, cannot

__all__ = ["key_in_environment", "read_descriptor"]


def key_in_environment() -> KeyFile | None:
    """What ``SAFELOAD_KEY_PEM`` holds; messages name the variable and never show its content."""
    value = environment.get(environment.KEY_PEM)
    if value is None:
        return None
    if "\n" not in value and "-----BEGIN" not in value:
        raise KeyFileError(
            f"{environment.KEY_PEM} does not hold a key",
            path=environment.KEY_PEM,
            hint=f"it is for the content of a key file; the path of one goes into {environment.KEY}",
        )
    # The inverse of how the environment was decoded. Only its owner can read it, as with mode 0600.
    return KeyFile(environment.KEY_PEM, os.fsencode(value), stat.S_IRUSR)


def read_descriptor(descriptor: int) -> KeyFile:
    """Read `descriptor` to its end, or 64 KiB, and leave it open. A pipe has no mode that could be too open.

    Raises KeyFileError.
    """
    name = f"file descriptor {descriptor}"
    try:
        mode = os.fstat(descriptor).st_mode
        _refuse_endless(mode, name)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError, OverflowError) as error:  # a negative number; one that is too large
        raise cannot("read", name, error) from error
    if data is None:  # a pipe that does not wait, and to which nobody wrote
        raise KeyFileError(f"{name} has nothing to read yet", path=name)
    if len(data) > MOST_BYTES:
        raise KeyFileError(f"{name} gives more than {MOST_BYTES // 1024} KiB: not a key file", path=name)
    return KeyFile(name, data, mode if stat.S_ISREG(mode) else stat.S_IRUSR)


def _refuse_endless(mode: int, name: str) -> None:
    """A terminal would wait for somebody to type a key, and a device may never end."""
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        raise KeyFileError(
            f"{name} is neither a file nor a pipe",
            path=name,
            hint="give it one in the shell: --key-fd 3 3< <(the command that prints the key)",
        )
