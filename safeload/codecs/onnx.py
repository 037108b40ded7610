"""The onnx codec: a ``ModelProto`` with all its numbers in it, or a folder of a model and files of numbers.

Loading gives a session of onnxruntime.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from safeload.codecs.base import Codec, Held, LoadOptions, Part, missing
from safeload.codecs.checked import check_file
from safeload.codecs.onnx_external import check_external, external_tensors
from safeload.codecs.private import private_copy
from safeload.errors import CodecError, UnsafeFileError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DATA", "ENDING", "MODEL", "ONNX"]

MODEL, DATA = "onnx.model", "onnx.data"
ENDING = ".onnx"
_MEMBER = "model.onnx"
_INSIDE = "pack the folder that holds both, or save what onnx.load(path) gives: that has the numbers in it"
_OLD = "pip install -U onnxruntime"
_LARGE = "onnx.save_model(model, path, save_as_external_data=True), and pack that folder"


def _takes(value: Any) -> bool:
    onnx = sys.modules.get("onnx")
    return onnx is not None and hasattr(onnx, "ModelProto") and isinstance(value, onnx.ModelProto)


def _parts(value: Any, protocol: int | None) -> list[Part]:
    if not _takes(value):
        raise CodecError(f"codec='onnx' takes an onnx.ModelProto; this is a {type(value).__name__}")
    if external_tensors(value):
        raise CodecError("numbers of this model are in another file", hint=_INSIDE)
    try:
        data = value.SerializeToString()
    except ValueError as error:  # of 2 GB
        raise CodecError(f"onnx cannot write this: {printable(str(error), 300)}", hint=_LARGE) from error
    return [Part(_MEMBER, lambda file: file.write(data), MODEL)]


def _load(held: Sequence[Held], options: LoadOptions) -> Any:
    models, files = ([member for member in held if member.kind == kind] for kind in (MODEL, DATA))
    if len(models) != 1 or len(models) + len(files) != len(held):
        raise CodecError("the members of this artifact are not one model of ONNX and its numbers")
    (member,) = models
    with private_copy(member, _MEMBER, options) as (path, view):
        _check(view, member, options, beside=bool(files))
        try:
            import onnxruntime
        except ImportError as error:
            raise missing("a model of ONNX", "onnx", "; safeload unpack gives the file") from error
        session = onnxruntime.SessionOptions()
        numbers = _numbers(view, files, session)
        del view
        try:
            made = onnxruntime.InferenceSession(path, session, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions derive from nothing else
            raise CodecError(f"onnxruntime cannot take this model: {printable(str(error), 300)}") from error
    del numbers  # which it has copied
    return made


def _check(view: memoryview, member: Held, options: LoadOptions, *, beside: bool) -> None:
    for part in check_file(view, member, options):
        for seen in part.observations:
            if seen.kind.startswith("external") and not beside:  # a session would read it, wherever that is
                raise UnsafeFileError(
                    f"{printable(member.name)}: {seen.text}", rule="SL712", offset=seen.offset, member=member.name,
                    hint=_INSIDE,
                )  # fmt: skip


def _numbers(view: memoryview, files: Sequence[Held], session: Any) -> list[memoryview]:
    """The verified bytes of `files`, which the session takes for files of these names, and reads no others."""
    if not files:
        return []
    try:
        import onnx
    except ImportError as error:
        raise missing("a model of ONNX", "onnx", "; safeload unpack gives the files") from error
    try:
        model = onnx.load_model_from_string(bytes(view))
    except Exception as error:  # of protobuf
        raise CodecError(f"onnx cannot read this model: {printable(str(error), 300)}") from error
    found = external_tensors(model)
    named = {one.location for one in found}
    numbers = {member.name: member.read() for member in files if member.name in named}
    check_external(found, {name: len(data) for name, data in numbers.items()})
    given = list(numbers.values())
    if given:
        try:
            take = session.add_external_initializers_from_files_in_memory
        except AttributeError as error:
            raise CodecError("this onnxruntime reads numbers from files only", hint=_OLD) from error
        take(list(numbers), given, list(map(len, given)))
    return given


ONNX = Codec("onnx", ("onnx",), _takes, _parts, _load)
