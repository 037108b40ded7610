"""Files that other programs wrote, of formats that a framework reads: looked into first, then loaded.

What comes back is what `dump` takes. A pickle or joblib stream is none of these: the engine loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Held, LoadOptions, missing
from safeload.codecs.boosters import BOOSTERS
from safeload.codecs.checked import check_parts, parts_of_file
from safeload.codecs.hickle import HICKLE, PICKLED
from safeload.codecs.keras import KERAS
from safeload.codecs.keras_h5 import KERAS_H5
from safeload.codecs.numpy import NUMPY, arrays_of
from safeload.codecs.onnx_external import bring_in
from safeload.codecs.packed import packed_kind
from safeload.codecs.pmml import PMML
from safeload.codecs.safetensors import SAFETENSORS
from safeload.codecs.skops import SKOPS
from safeload.codecs.torch_files import is_legacy, load_file
from safeload.errors import CodecError
from safeload.policy import Policy
from safeload.policy.judge import check_called
from safeload.readers.files.kinds import kind_of
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["load_foreign"]

# How files of these kinds begin, and no pickle: one may have the end of an archive among its texts. None: anyhow.
_FOREIGN: Mapping[str, bytes] = {
    "hdf5": b"\x89HDF",
    "npy": b"\x93NUMPY",
    "protobuf": b"\x08",
    "safetensors": b"",
    "xml": b"",
    "zip": b"PK\3\4",
}
# Policies speak of classes in them.
_BY_POLICY = frozenset({"hickle", "keras", "keras, h5", "skops"})
_TORCH = frozenset({"torch", "torch, legacy"})
_BOOSTERS = frozenset({"catboost", "json", "lightgbm", "ubjson"})
_TRUSTED = (
    "skops checks no values: a forged tree can read elsewhere when it is used. If you trust whoever made this file: "
    '.allow("skops.io.load", use="call"), or --allow-call skops.io.load'
)


def load_foreign(view: memoryview, held: Held, options: LoadOptions) -> tuple[Any] | None:
    """The object, alone in a tuple; None for what is no such file. Raises UnsafeFileError, CodecError."""
    kind, head = kind_of(view), bytes(view[:16])
    if kind in _BOOSTERS and (codec := BOOSTERS.get(packed_kind(view).partition(".")[0])):
        return (codec.load([_as(held, f"{codec.name}.model", view)], options),)
    magic = _FOREIGN.get(kind)
    if not is_legacy(view) and (magic is None or not head.startswith(magic)):
        return None
    named = held if held.name else held._replace(name="the file")
    parts = parts_of_file(view, options)
    kind = parts[0].kind
    if kind in _TORCH:
        return (load_file(view, named, parts),)
    policy = options.policy if kind in _BY_POLICY else Policy.audit()
    check_parts(parts, named, policy, not_allowed=PICKLED if kind == "hickle" else None)
    if kind not in _LOADERS:
        raise CodecError(f"{printable(kind)} is a format that is not loaded here", hint="pack takes any file as it is")
    return (_LOADERS[kind](view, named, options),)


def _onnx(view: memoryview, held: Held, options: LoadOptions) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise missing("a model of ONNX", "onnx") from error
    try:
        model = onnx.load_model_from_string(bytes(view))
    except Exception as error:  # of protobuf
        raise CodecError(f"onnx cannot load this: {printable(str(error), 300)}") from error
    if options.folder is not None:
        bring_in(model, options.folder)
    return model


def _npy(view: memoryview, held: Held, options: LoadOptions) -> Any:
    return NUMPY.load([_as(held, "numpy.array", view)], options)


def _skops(view: memoryview, held: Held, options: LoadOptions) -> Any:
    """Only if somebody says by name that the file may be read by skops, which believes the values in it."""
    check_called(("skops.io", "load"), options.policy, member=held.name, hint=_TRUSTED)
    return SKOPS.load([_as(held, "skops.file", view)], options)


def _as(held: Held, kind: str, view: memoryview) -> Held:
    return Held(held.name, kind, lambda: view)


_LOADERS: Mapping[str, Callable[[memoryview, Held, LoadOptions], Any]] = {
    "hickle": lambda view, held, options: HICKLE.load([_as(held, "hickle.file", view)], options),
    "keras, h5": lambda view, held, options: KERAS_H5.load([_as(held, "keras-h5.file", view)], options),
    "keras": lambda view, held, options: KERAS.load([_as(held, "keras.archive", view)], options),
    "npy": _npy,
    "npz": lambda view, held, options: arrays_of(view, options),
    "onnx": _onnx,
    "pmml": lambda view, held, options: PMML.load([_as(held, "pmml.file", view)], options),
    "skops": _skops,
    "safetensors": lambda view, held, options: SAFETENSORS.load([_as(held, "safetensors.file", view)], options),
}
