"""What a file that is packed as it is will be for whoever loads it."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from safeload.codecs.keras_json import CONFIG, ENDING, WEIGHTS
from safeload.codecs.onnx import DATA, MODEL
from safeload.codecs.onnx import ENDING as MODEL_ENDING
from safeload.codecs.savedmodel_names import is_saved_model
from safeload.codecs.tensorflow import EMPTY_FOLDER, FILE
from safeload.codecs.torch_files import is_legacy
from safeload.errors import StreamError
from safeload.readers.files.graphs import kind_of_graph
from safeload.readers.files.hdf5 import kind_of_hdf5
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.packages import of_archive
from safeload.readers.files.views import ViewFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["packed_kind", "packed_tree"]

_KINDS: Mapping[str, str] = {
    "catboost": "catboost.model",
    "hickle": "hickle.file",
    "keras": "keras.archive",
    "keras, h5": "keras-h5.file",
    "lightgbm": "lightgbm.model",
    "npy": "numpy.array",
    "npz": "numpy.archive",
    "onnx": "onnx.model",
    "pmml": "pmml.file",
    "safetensors": "safetensors.file",
    "skops": "skops.file",
    "torch": "torch.file",
    "ubjson": "xgboost.model",
    "xgboost": "xgboost.model",
}
_HEAD, _PMML = 1 << 16, re.compile(rb"<(?:[\w.-]+:)?PMML[\s>]")
# xgboost writes the keys of its documents in their order.
_XGBOOST = re.compile(rb"\s*\{\s*\"learner\"\s*:")


def packed_kind(view: memoryview) -> str:
    """The kind of a member with these bytes: ``file`` if no codec loads them, or if they are a stream of objects."""
    if is_legacy(view):
        return "torch.file"
    kind = kind_of(view)
    if kind == "zip":
        kind = _package(view)
    elif kind == "protobuf":
        kind = _graph(view)
    elif kind == "hdf5":
        kind = kind_of_hdf5(view)
    elif kind == "xml" and _PMML.search(bytes(view[:_HEAD])):
        kind = "pmml"
    elif kind == "json" and _XGBOOST.match(view):
        kind = "xgboost"
    return _KINDS.get(kind, "file")


def packed_tree(files: Sequence[str], empty: Sequence[str]) -> Mapping[str, str] | None:
    """The kinds of the files and of the empty folders of a folder that a codec loads, by their names."""
    if is_saved_model(files, empty):
        return dict.fromkeys(files, FILE) | dict.fromkeys(empty, EMPTY_FOLDER)
    if len(files) == 2 and not empty and not any("/" in name for name in files):
        config, weights = sorted(files, key=lambda name: name.endswith(ENDING))
        if config.endswith(".json") and weights.endswith(ENDING):
            return {config: CONFIG, weights: WEIGHTS}
    models = [name for name in files if name.endswith(MODEL_ENDING)]
    if len(models) == 1 and len(files) > 1 and not empty and "/" not in models[0]:
        return dict.fromkeys(files, DATA) | {models[0]: MODEL}
    return None


def _graph(view: memoryview) -> str:
    try:
        return kind_of_graph(view) or "protobuf"
    except StreamError:
        return "protobuf"


def _package(view: memoryview) -> str:
    try:
        with zipfile.ZipFile(ViewFile(view)) as archive:
            return of_archive(archive.namelist()).kind
    except Exception:  # of zipfile, struct and others; then it is a file like any other
        return "zip"
