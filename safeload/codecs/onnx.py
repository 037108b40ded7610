"""The onnx codec: a ``ModelProto`` with all its numbers in it; loading gives a session of onnxruntime."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing, only
from safeload.codecs.checked import check_file, private_copy
from safeload.errors import CodecError, UnsafeFileError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ONNX"]

_KIND, _MEMBER = "onnx.model", "model.onnx"
_INSIDE = "onnx.load(path) brings the numbers of other files into the model; save that"


def _takes(value: Any) -> bool:
    onnx = sys.modules.get("onnx")
    return onnx is not None and hasattr(onnx, "ModelProto") and isinstance(value, onnx.ModelProto)


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if not _takes(value):
        raise CodecError(f"codec='onnx' takes an onnx.ModelProto; this is a {type(value).__name__}")
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    if any(map(uses_external_data, _get_all_tensors(value))):
        raise CodecError("numbers of this model are in another file", hint=_INSIDE)
    data = value.SerializeToString()
    return [Part(_MEMBER, lambda file: file.write(data), _KIND)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    member = only(held, _KIND)
    view = member.read()
    _check(view, member, options)
    try:
        import onnxruntime
    except ImportError as error:
        raise missing("a model of ONNX", "onnx", "; safeload unpack gives the file") from error
    with private_copy(view, _MEMBER) as path:
        del view  # the session makes its own
        try:
            return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions derive from nothing else
            raise CodecError(f"onnxruntime cannot take this model: {printable(str(error), 300)}") from error


def _check(view: memoryview, member: Held, options: LoadOptions) -> None:
    for part in check_file(view, member, options):
        for seen in part.observations:
            if seen.kind.startswith("external"):  # a session would read it, wherever that is
                raise UnsafeFileError(
                    f"{printable(member.name)}: {seen.text}", rule="SL712", offset=seen.offset, member=member.name,
                    hint=_INSIDE,
                )  # fmt: skip


ONNX = Codec("onnx", ("onnx",), _takes, _parts, _load)
