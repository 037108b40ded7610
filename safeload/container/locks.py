"""A lock on a folder, for whoever replaces a file in it: the file itself is another one afterwards."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked_folder"]


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock. Two that change one file at once would lose what one of them said."""
    if os.name == "nt":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
