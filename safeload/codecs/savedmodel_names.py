"""Which files a SavedModel has. A folder with any other file in it is a folder like others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.errors import UnsafeFileError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ASSETS", "GRAPH", "INDEX", "is_given", "is_saved_model", "shard_of", "shown", "unsafe"]

GRAPH, INDEX, ASSETS = "saved_model.pb", "variables/variables.index", "assets/"
_SHARD = re.compile(r"variables/variables\.data-(\d{5})-of-(\d{5})", re.ASCII)
# What TensorFlow, Keras 2 and its hub put there as well, and what nothing here needs.
_BESIDE = frozenset({"fingerprint.pb", "keras_metadata.pb", "tfhub_module.pb", "debug/saved_model_debug_info.pb"})
_FOLDERS = frozenset({"variables", "assets", "assets.extra", "debug"})


def is_saved_model(files: Iterable[str], empty: Iterable[str] = ()) -> bool:
    """Whether these are the names of the files of a SavedModel, and of its empty folders."""
    names = set(files)
    return GRAPH in names and all(map(_is_known, names)) and all(name.partition("/")[0] in _FOLDERS for name in empty)


def _is_known(name: str) -> bool:
    return is_given(name) or name in _BESIDE or name.startswith("assets.extra/")


def is_given(name: str) -> bool:
    """Whether TensorFlow gets the file."""
    return name in (GRAPH, INDEX) or shard_of(name) is not None or _is_asset(name)


def _is_asset(name: str) -> bool:
    return name.startswith(ASSETS) and not {"", ".", ".."} & set(name.split("/")) and "\\" not in name


def shard_of(name: str) -> tuple[int, int] | None:
    """The number of a file of variables, and of how many it is one."""
    match = _SHARD.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def shown(name: str) -> str:
    """A name out of the graph, for a message."""
    return f'"{printable(name, 80)}"'


def unsafe(
    text: str, rule: str, hint: str = "no policy allows that; safeload unpack gives the files"
) -> UnsafeFileError:
    """What to raise for what is in the graph."""
    return UnsafeFileError(f"{GRAPH}: {text}", rule=rule, offset=0, member=GRAPH, hint=hint)
