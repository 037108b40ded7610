"""A process that reads HDF5: the C library that parses it sees no bytes in ours.

The child says frames: a line of JSON, and as many bytes as its ``size``. What it says is not trusted: hostile bytes may
have made it say so.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.mapped import Place

__all__ = ["frame_of", "reading"]

_LINE_MAX = 1 << 16
# No code that HDF5 would load for a filter that a file names; and no lock on a file that is ours alone.
_SETTINGS = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_USE_FILE_LOCKING": "FALSE"}


@contextlib.contextmanager
def reading(module: str, place: Place, seconds: int) -> Iterator[IO[bytes]]:
    """What ``python -m module`` says of the bytes at `place`, for so many seconds at the most."""
    command = [sys.executable, "-P", "-m", module, *map(str, place), str(seconds)]
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, **_SETTINGS}
    with subprocess.Popen(command, pass_fds=[place.fd], env=environment, **pipes) as child:  # noqa: S603  # our own
        assert child.stdout is not None  # noqa: S101  # it was asked for
        timer = threading.Timer(seconds, child.kill)
        timer.start()
        try:
            yield child.stdout
        finally:
            timer.cancel()
            child.kill()


def frame_of(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next frame without its bytes, which follow in `stream`; None if the child ended."""
    line = stream.readline(_LINE_MAX)
    if not line.endswith(b"\n"):
        return None
    frame: dict[str, Any] = json.loads(line)
    return frame
