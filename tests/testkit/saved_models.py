"""SavedModels as their files, changed before they are signed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeload.codecs import CODECS, Held, LoadOptions
from safeload.limits import DEFAULT_LIMITS
from safeload.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["changed", "files_of", "honest", "loaded"]

GRAPH = "saved_model.pb"


def honest() -> Any:
    """Variables of numbers and of texts, and a function."""
    import tensorflow as tf

    model = tf.Module()
    model.w = tf.Variable([1.0, 2.0])
    model.names = tf.Variable(["a", "bc"])
    model.f = tf.function(lambda x: x * model.w, input_signature=[tf.TensorSpec((2,), tf.float32)], autograph=False)
    return model


def files_of(model: Any, **options: Any) -> dict[str, bytes]:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(model, folder, **options)
        root = Path(folder)
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def changed(files: Mapping[str, bytes], change: Callable[[Any], Any]) -> dict[str, bytes]:
    """With another graph: `change` gets its only MetaGraphDef."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel.FromString(files[GRAPH])
    change(model.meta_graphs[0])
    return {**files, GRAPH: model.SerializeToString(deterministic=True)}


def loaded(files: Mapping[str, bytes]) -> Any:
    """What the codec makes of members that are these files."""
    options = LoadOptions(policy=Policy.default(), mmap_mode=None, limits=DEFAULT_LIMITS)
    held = [
        Held(name, "tensorflow.file", lambda data=data: memoryview(bytearray(data)))  # type: ignore[misc]
        for name, data in files.items()
    ]
    return CODECS["tensorflow"].load(held, options)
