"""Kinds of members that more than one room asks for (docs/format.md)."""

from __future__ import annotations

__all__ = ["EMPTY", "FOLDERS", "NUMBERS", "OUT_OF_BAND", "TREE", "is_empty_folder"]

# What stands in a folder: a file, and a folder with nothing in it.
TREE, EMPTY = "tree", "tree.empty"
# What stands for a folder, also if it is the only one.
FOLDERS = frozenset({TREE, EMPTY, "numpy.dict", "tensorflow.file", "tensorflow.empty"})
# A buffer of a pickle, which is beside its stream.
OUT_OF_BAND = "pickle.buffer"
# Of these nothing is made but numbers, whatever they begin like.
NUMBERS = frozenset({"torch.numbers", OUT_OF_BAND})


def is_empty_folder(kind: str) -> bool:
    """Whether a member of that kind stands for a folder in which there is nothing."""
    return kind in FOLDERS and kind.endswith(".empty")
