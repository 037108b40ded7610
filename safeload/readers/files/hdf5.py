"""HDF5: Keras' ``.h5``, Hickle. A C library parses it, so that it is read in a process of its own.

The child hands over attributes and bytes, one frame each.
"""

from __future__ import annotations

import contextlib
from importlib import util
from typing import IO, TYPE_CHECKING, Any

from safeload.mapped import Place, place_of
from safeload.readers.files.hdf5_process import frame_of, reading
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.pickles import is_whole, names_something
from safeload.readers.files.views import unnamed_file
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look

__all__ = ["kind_of_hdf5", "read", "version_in_hdf5"]

_CHILD = "safeload.readers.files.hdf5_child"
_SECONDS = 30
_PLAIN = frozenset({"zip", "npy"})
_LIKE_PICKLES = frozenset({"pickle", "tensorflow, index"})


def read(look: Look, view: memoryview) -> None:
    if util.find_spec("h5py") is None:
        look.unread(0, "HDF5 is read with h5py, which is not installed", extra="scan")
        return
    with _told(view) as stream:
        finished = _frames(look, stream, view)
    if not finished:
        look.unread(0, "the file cannot be read to its end: the process that read it gave up")
    look.span(0, len(view), "data")


@contextlib.contextmanager
def _told(view: memoryview) -> Iterator[IO[bytes]]:
    """What the child says of `view`. What is no part of a file is copied into one."""
    with contextlib.ExitStack() as stack:
        place = place_of(view)
        if place is None:
            file = stack.enter_context(unnamed_file())
            file.write(view)
            file.flush()
            place = Place(file.fileno(), 0, len(view))
        yield stack.enter_context(reading(_CHILD, place, _SECONDS))


def kind_of_hdf5(view: memoryview) -> str:
    """Whose file it is, by the attributes of its root; ``hdf5`` if nobody says."""
    return str(_first(view).get("kind", "hdf5"))


def version_in_hdf5(view: memoryview) -> str | None:
    """The version that the attributes of the root name, as they have it."""
    version = _first(view).get("version")
    return None if version is None else str(version)


def _first(view: memoryview) -> dict[str, Any]:
    """What the child says before it looks at what is in the file."""
    if util.find_spec("h5py") is None:
        return {}
    with _told(view) as stream:
        frame = frame_of(stream)
    return frame if frame is not None and frame["what"] == "kind" else {}


def _frames(look: Look, stream: IO[bytes], view: memoryview) -> bool:
    """Whether the child said that it was done."""
    while (frame := frame_of(stream)) is not None:
        size = frame.get("size", 0)
        look.budget.expand(size)
        data = stream.read(size)
        if len(data) < size:
            return False
        if frame["what"] == "end":
            return True
        if frame["what"] == "kind":
            look.part.kind = str(frame["kind"])
        elif frame["what"] == "stored":
            _stored(look, frame, view, data)
        else:
            _frame(look, frame, data)
    return False


def _stored(look: Look, frame: dict[str, Any], view: memoryview, first: bytes) -> None:
    """Numbers that stand in the file in one piece are looked at there: a model has gigabytes of them."""
    name, at, length = printable(str(frame["name"]), 80), int(frame["at"]), int(frame["length"])
    if not 0 <= at <= at + length <= len(view) or view[at : at + len(first)] != first:
        look.unread(0, f"{name}: more bytes than are looked at")
    else:
        _look_into(look, name, view[at : at + length], numbers=bool(frame.get("numbers")))


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
        _look_into(look, name, view, numbers=bool(frame.get("numbers")))


def _look_into(look: Look, name: str, view: memoryview, *, numbers: bool) -> None:
    """Of numbers, one array in 256 begins with the opcode of a name, which then is none."""
    kind = kind_of(view)
    if kind in _PLAIN or (kind in _LIKE_PICKLES and (names_something(look, view) or (not numbers and is_whole(view)))):
        look.into(name, view, kind="pickle" if kind not in _PLAIN else "")
        if kind not in _PLAIN:
            look.once("hidden-pickle", 0, "attributes or datasets hold pickles")
