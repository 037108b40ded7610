"""The keras codec: a model as Keras itself archives it, checked before Keras sees it.

A Lambda layer is Python code, and is refused. Classes of one's own load if the policy names them.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_file, own_classes
from safeload.codecs.keras_names import functions
from safeload.codecs.private import private_copy
from safeload.errors import CodecError, SafeloadError
from safeload.readers.files.views import ViewFile
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["KERAS", "is_model", "must_be_model", "rebuilding", "saved"]

_KIND, _MEMBER = "keras.archive", "model.keras"


def is_model(value: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and hasattr(keras, "Model") and isinstance(value, keras.Model)


def must_be_model(value: Any, codec: str) -> None:
    """Raise CodecError for what is none."""
    if not is_model(value):
        raise CodecError(f"codec={codec!r} takes a keras.Model; this is a {type(value).__name__}")


def saved(save: Callable[[Path], Any], name: str, kind: str) -> Part:
    """The file of that name that `save` makes."""

    def write(file: IO[bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="safeload-") as folder:
            path = Path(folder) / name
            try:
                save(path)
            except (ValueError, TypeError, NotImplementedError) as error:
                raise CodecError(f"Keras cannot save this model: {printable(str(error), 300)}") from error
            with path.open("rb") as archive:
                shutil.copyfileobj(archive, file, 4 << 20)

    return Part(name, write, kind)


@contextlib.contextmanager
def rebuilding() -> Iterator[Any]:
    """Keras, and whatever it, its backend and the classes raise on a configuration as CodecError."""
    try:
        import keras
    except ImportError as error:
        raise missing("a model of Keras", "keras", ", and a backend; KERAS_BACKEND says which") from error
    try:
        yield keras
    except SafeloadError:
        raise
    except Exception as error:
        raise CodecError(f"Keras cannot rebuild this model: {printable(str(error), 300)}") from error


def _parts(value: Any, protocol: int | None) -> list[Part]:
    must_be_model(value, "keras")
    return [saved(value.save, _MEMBER, _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    with private_copy(member, _MEMBER, options) as (path, view):
        if bytes(view[:4]) != b"PK\3\4":  # Keras would read HDF5 by that name, too
            raise CodecError(f"{printable(member.name)} is no archive of Keras", hint="safeload unpack gives the file")
        parts = check_file(view, member, options)
        own = own_classes(parts, options)
        with rebuilding() as keras:
            own |= functions(keras, parts, member, options.policy)
            given = path if path.is_symlink() else _extracted(view, path.parent / "model")
            del view, parts
            with keras.saving.custom_object_scope(own):  # what is compiled is looked for there only
                return keras.saving.load_model(given, custom_objects=own, safe_mode=True)


def _extracted(view: memoryview, folder: Path) -> Path:
    """The archive as a folder: of a file, Keras reads one layer's weights at a time, and of an archive all of them."""
    with zipfile.ZipFile(ViewFile(view)) as archive:
        archive.extractall(folder)  # which makes no links, and leaves no folder
    return folder


KERAS = Codec("keras", ("keras",), is_model, _parts, _load)
