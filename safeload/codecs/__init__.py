"""Objects <-> members. `CODECS` says which ways this version knows; the last takes whatever the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part
from safeload.codecs.joblib import JOBLIB
from safeload.codecs.keras import KERAS
from safeload.codecs.numpy import NUMPY
from safeload.codecs.onnx import ONNX
from safeload.codecs.packed import packed_kind
from safeload.codecs.pickle import PICKLE
from safeload.codecs.safetensors import SAFETENSORS
from safeload.codecs.skops import SKOPS
from safeload.codecs.torch import TORCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CODECS", "Codec", "Held", "LoadOptions", "Part", "codec_for", "codec_of", "packed_kind"]

CODECS: Mapping[str, Codec] = {
    codec.name: codec for codec in (KERAS, TORCH, ONNX, NUMPY, SAFETENSORS, SKOPS, PICKLE, JOBLIB)
}


def codec_for(value: Any, name: str | None) -> Codec:
    """The codec of that name, or the first that takes `value`. Raises ValueError for a name that is none."""
    if name is None:
        return next(codec for codec in CODECS.values() if codec.takes(value))
    if name not in CODECS:
        raise ValueError(f"codec must be None or one of {', '.join(CODECS)}, got {name!r}")
    return CODECS[name]


def codec_of(kinds: Iterable[str]) -> Codec | None:
    """The one codec that wrote members of these kinds, if there is one."""
    names = {kind.partition(".")[0] for kind in kinds}
    return CODECS.get(names.pop()) if len(names) == 1 else None
