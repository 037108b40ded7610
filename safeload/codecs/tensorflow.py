"""The tensorflow codec: a SavedModel, file by file, looked into before TensorFlow sees it.

A SavedModel is a program. It loads only if every operation in it is known to compute with what is in the model and
nothing else; no policy allows more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import weakref
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing
from safeload.codecs.checked import check_file
from safeload.codecs.keras import KERAS
from safeload.codecs.private import private_folder
from safeload.codecs.savedmodel_graph import check_saved_model
from safeload.codecs.savedmodel_names import GRAPH, INDEX, is_given, is_saved_model
from safeload.codecs.savedmodel_variables import Variables
from safeload.errors import CodecError
from safeload.limits import DEFAULT_LIMITS
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["EMPTY_FOLDER", "FILE", "TENSORFLOW"]

FILE, EMPTY_FOLDER = "tensorflow.file", "tensorflow.empty"
_LOADED = ("tensorflow.python.saved_model.load", "_UserObject")
_PIECE = 4 << 20


def _takes(value: Any) -> bool:
    """A module, or what loading gives."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not hasattr(tensorflow, "Module"):
        return False
    return isinstance(value, tensorflow.Module) or (type(value).__module__, type(value).__name__) == _LOADED


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if not _takes(value) and not KERAS.takes(value):
        raise CodecError(f"codec='tensorflow' takes a tf.Module or a keras.Model; this is a {type(value).__name__}")
    with tempfile.TemporaryDirectory(prefix="safeload-") as folder:
        try:
            _save(value, folder)
        except Exception as error:  # whatever TensorFlow and Keras raise on what cannot be traced or tracked
            raise CodecError(f"TensorFlow cannot save this model: {printable(str(error), 300)}") from error
        root = Path(folder)
        paths = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
        view = memoryview(paths[GRAPH].read_bytes())
        _check_graph(view, paths, DEFAULT_LIMITS.expanded(len(view)))
        # The files stay until they are written, and closed; the folder does not.
        return [Part(name, partial(_copy, _Opened(path)), FILE) for name, path in paths.items()]


def _save(value: Any, folder: str) -> None:
    if not _takes(value):
        value.export(folder, format="tf_saved_model", verbose=False)
        return
    import tensorflow

    # A model that was loaded has signatures, which are saved only if they are named.
    given = getattr(value, "signatures", None) if type(value).__name__ == _LOADED[1] else None
    tensorflow.saved_model.save(value, folder, signatures=given or None)


class _Opened:
    """A file that has no name any more, and is closed when nobody needs it."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self.fd)


def _copy(opened: _Opened, file: IO[bytes]) -> None:
    at = 0
    while piece := os.pread(opened.fd, _PIECE, at):
        file.write(piece)
        at += len(piece)


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    with contextlib.ExitStack() as stack:
        folder = private_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        has_assets = _prepare(held, options, folder)
        loaded = _loaded(folder)
        if has_assets:  # whoever saves the model again copies them; the variables were read
            weakref.finalize(loaded, stack.pop_all().close)
    return loaded


def _prepare(held: Sequence[Held], options: LoadOptions, folder: Path) -> bool:
    """Look into all of it, and put it into the folder. Says whether the model has assets.

    Nothing of it is in memory afterwards, when TensorFlow reads the files.
    """
    files = _files(held)
    graph = files[GRAPH].read()
    if check_file(graph, files[GRAPH], options)[0].kind != "savedmodel":
        raise CodecError(f"{GRAPH} is no SavedModel", hint="safeload unpack gives the files")
    has_assets = _check_graph(graph, files, options.limits.expanded(len(graph)))
    index = files[INDEX].read() if INDEX in files else None
    variables = Variables(files, index)
    read = {GRAPH: graph, INDEX: index}
    for name, member in files.items():
        view = read.pop(name, None)
        if view is None:
            view = member.read()
        variables.check(name, view)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(view)
        del view
    return has_assets


def _files(held: Sequence[Held]) -> dict[str, Held]:
    """By name, and each a file that a SavedModel has. Raises CodecError."""
    files = {member.name: member for member in held if member.kind == FILE}
    empty = [member.name for member in held if member.kind == EMPTY_FOLDER]
    if len(files) + len(empty) != len(held) or not is_saved_model(files, empty):
        raise CodecError(
            "the members of this artifact are not the files of a SavedModel", hint="safeload unpack gives the files"
        )
    return {name: member for name, member in files.items() if is_given(name)}


def _check_graph(view: memoryview, names: Iterable[str], most: int) -> bool:
    _tensorflow()
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    try:
        model.ParseFromString(view.tobytes())
    except Exception as error:  # google.protobuf.message.DecodeError
        raise CodecError(f"{GRAPH} cannot be read by protobuf") from error
    return check_saved_model(model, frozenset(names), most)


def _loaded(folder: Path) -> Any:
    tensorflow = _tensorflow()
    if not tensorflow.executing_eagerly():
        raise CodecError("a SavedModel is not loaded within a function or a graph of TensorFlow")
    try:
        return tensorflow.saved_model.load(str(folder))
    except Exception as error:  # of protobuf, of the objects' own classes, of every operation that fills a table
        raise CodecError(f"TensorFlow cannot load this model: {printable(str(error), 300)}") from error


def _tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise missing("a model of TensorFlow", "tensorflow") from error
    return tensorflow


TENSORFLOW = Codec("tensorflow", ("tensorflow",), _takes, _parts, _load)
