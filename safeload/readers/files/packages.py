"""What an archive is, by the names in it, and which of its members are raw numbers that nothing interprets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Package", "of_archive"]

_NOTHING = re.compile(r"\Z(?!)")


@dataclass(frozen=True, slots=True)
class Package:
    """`data` matches the names of raw numbers."""

    kind: str
    data: re.Pattern[str] = _NOTHING

    def is_data(self, name: str) -> bool:
        return bool(self.data.fullmatch(name))


def of_archive(names: Sequence[str]) -> Package:
    """The package that holds these names."""
    known = set(names)
    for name in names:
        root, _, last = name.rpartition("/")
        if last in ("data.pkl", "constants.pkl") and root:
            kind = "torch, script" if f"{root}/constants.pkl" in known else "torch"
            return Package(kind, re.compile(rf"{re.escape(root)}/(?:data|tensors|constants)/\d{{1,9}}"))
        if name.endswith(("data/weights/model_weights_config.json", "models/model.json")):
            return Package("torch, exported", re.compile(r".*data/(?:weights|constants)/(?:weight|tensor)_\d{1,9}"))
    if {"config.json", "metadata.json"} <= known:
        return Package("keras")
    if "schema.json" in known:
        return Package("skops")
    if names and all(name.endswith(".npy") for name in names):
        return Package("npz")
    return Package("zip")
