"""HDF5: Keras' ``.h5``, Hickle. A C library parses it, so that it is read in a process of its own.

The child hands over attributes and bytes, one frame each: a line of JSON, and as many bytes as it says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from importlib import util
from typing import IO, TYPE_CHECKING, Any

from safeload.readers.files.kinds import kind_of
from safeload.readers.files.pickles import is_one
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["read"]

_CHILD = "safeload.readers.files.hdf5_child"
_SECONDS = 30
_LINE_MAX = 1 << 16
_PLAIN = frozenset({"zip", "npy"})


def read(look: Look, view: memoryview) -> None:
    if util.find_spec("h5py") is None:
        look.unread(0, "HDF5 is read with h5py, which is not installed", extra="scan")
        return
    with tempfile.TemporaryFile() as file:
        file.write(view)
        file.flush()
        command = [sys.executable, "-P", "-m", _CHILD, str(file.fileno()), str(_SECONDS)]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, pass_fds=[file.fileno()], **pipes) as child:  # noqa: S603  # our own module
            assert child.stdout is not None  # noqa: S101  # it was asked for
            timer = threading.Timer(_SECONDS, child.kill)
            timer.start()
            try:
                finished = _frames(look, child.stdout)
            finally:
                timer.cancel()
                child.kill()
    if not finished:
        look.unread(0, "the file cannot be read to its end: the process that read it gave up")
    look.span(0, len(view), "data")


def _frames(look: Look, stream: IO[bytes]) -> bool:
    """Whether the child said that it was done."""
    while True:
        line = stream.readline(_LINE_MAX)
        if not line.endswith(b"\n"):
            return False
        frame: dict[str, Any] = json.loads(line)
        size = frame.get("size", 0)
        look.budget.expand(size)
        data = stream.read(size)
        if len(data) < size:
            return False
        if frame["what"] == "end":
            look.part.kind = str(frame["kind"])
            return True
        _frame(look, frame, data)


def _frame(look: Look, frame: dict[str, Any], data: bytes) -> None:
    name = printable(str(frame["name"]), 80)
    if frame["what"] == "external":
        look.once("external", 0, f"{name} is kept in another file")
    elif frame["what"] == "unread":
        look.unread(0, f"{name}: {printable(str(frame['why']), 80)}")
    elif frame["what"] == "bytes":
        view = memoryview(data)
        if name.endswith(("@model_config", "@training_config")):
            look.into(name, view, kind="json")
            return
        kind = kind_of(view)
        if kind in _PLAIN or (kind in ("pickle", "tensorflow, index") and is_one(look, view)):
            look.into(name, view, kind="pickle" if kind not in _PLAIN else "")
            if kind not in _PLAIN:
                look.once("hidden-pickle", 0, "attributes or datasets hold pickles")
