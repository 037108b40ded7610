"""The hickle codec, on request: a file that hickle 5 writes, and that we rebuild ourselves.

hickle's own loader unpickles the class of every value, and whatever has none. Here no pickle is read on any path: the
look of `safeload scan` comes first, then each value is made by a table of what hickle keeps without pickling.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_parts, parts_of_file
from safeload.codecs.hickle_check import check_value
from safeload.codecs.hickle_tree import PICKLED, rebuild
from safeload.codecs.private import private_copy
from safeload.errors import CodecError
from safeload.mapped import place_of
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HICKLE", "PICKLED"]

_KIND, _MEMBER = "hickle.file", "model.hkl"
_MAJOR = "5"


def _parts(value: Any, protocol: int | None) -> list[Part]:
    check_value(value)
    hickle = _hickle()

    def write(file: IO[bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="safeload-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", hickle.lookup.SerializedWarning)  # it would pickle
            path = Path(folder) / _MEMBER
            try:
                hickle.dump(value, str(path))
            except OSError:
                raise
            except Exception as error:  # of h5py, numpy and hickle
                raise CodecError(f"hickle cannot keep this: {printable(str(error), 300)}") from error
            with path.open("rb") as kept:
                shutil.copyfileobj(kept, file, 4 << 20)

    return [Part(_MEMBER, write, _KIND)]


def _hickle() -> Any:
    try:
        import hickle.lookup
    except ImportError as error:
        raise missing("a file of hickle", "hickle") from error
    if hickle.__version__.partition(".")[0] != _MAJOR:
        raise CodecError(f"this is for hickle {_MAJOR}; hickle {printable(hickle.__version__)} is installed")
    return hickle


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    with private_copy(member, _MEMBER, options) as (_, view):
        parts = parts_of_file(view, options)
        check_parts(parts, member, options.policy, not_allowed=PICKLED)
        place = place_of(view)
        if parts[0].kind != "hickle" or place is None:
            raise CodecError(f"{printable(member.name)} is no file of hickle", hint="safeload unpack gives the file")
        return rebuild(place, member.name, options.limits)


HICKLE = Codec("hickle", ("hickle", "h5py"), lambda value: False, _parts, _load)
