"""HDF5 in an archive: h5py finds it at 512 and at each doubling of that, whatever stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers.files.kinds import hdf5_offsets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safeload.readers.files.look import Look

__all__ = ["hdf5_elsewhere"]


def hdf5_elsewhere(look: Look, view: memoryview, starts: Iterable[int]) -> None:
    """Look into what is found at no place where a member begins as it is: those are looked into as members.

    An archive of Keras keeps its weights that way, and one in twenty begins at such a place by chance.
    """
    offsets = set(hdf5_offsets(view))
    found = offsets - offsets.intersection(starts)
    if found:
        look.say("polyglot", min(found), "the bytes are an archive, and hdf5 as well")
        look.into("as hdf5", view, kind="hdf5")
