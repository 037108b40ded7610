"""Kinds of members that more than one room asks for (docs/format.md)."""

from __future__ import annotations

__all__ = ["EMPTY", "NUMBERS", "OUT_OF_BAND", "TREE"]

# What stands in a folder: a file, and a folder with nothing in it.
TREE, EMPTY = "tree", "tree.empty"
# A buffer of a pickle, which is beside its stream.
OUT_OF_BAND = "pickle.buffer"
# Of these nothing is made but numbers, whatever they begin like.
NUMBERS = frozenset({"torch.numbers", OUT_OF_BAND})
