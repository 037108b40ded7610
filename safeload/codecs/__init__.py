"""Objects <-> members. `CODECS` says which ways this version knows; the last takes whatever the others do not."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CODECS", "Codec", "Held", "LoadOptions", "Part", "codec_for", "codec_of"]

# Module of each, in which it has the module's name in capitals, or stands in a mapping of that name.
_MODULES = {
    "keras": "keras",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "onnx": "onnx",
    "numpy": "numpy",
    "safetensors": "safetensors",
    "skops": "skops",
    "hickle": "hickle",
    "keras-h5": "keras_h5",
    "keras-json": "keras_json",
    "pmml": "pmml",
    "xgboost": "boosters",
    "lightgbm": "boosters",
    "catboost": "boosters",
    "pickle": "pickle",
    "joblib": "joblib",
}


class _Codecs(Mapping[str, Codec]):
    """Each is imported when it is asked for: whoever only verifies a file needs none."""

    def __getitem__(self, name: str) -> Codec:
        module = _MODULES[name]
        found: Codec | Mapping[str, Codec] = getattr(importlib.import_module(f"{__name__}.{module}"), module.upper())
        return found if isinstance(found, Codec) else found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


CODECS: Mapping[str, Codec] = _Codecs()


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
