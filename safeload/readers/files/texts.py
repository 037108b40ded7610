"""Text, pictures, and models that native code parses: what is to be said of them is little."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.readers.files import graphs
from safeload.readers.files.templates import is_template, look_into_template
from safeload.readers.files.yamls import look_into_yaml

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["read_media", "read_native", "read_text"]

_HEAD, _TEXT_MAX = 4_096, 64 << 20
_POINTER = b"version https://git-lfs.github.com/spec/"
_NATIVE = {"catboost": "CatBoost", "lightgbm": "LightGBM", "ubjson": "XGBoost"}
_SAVING = ("Save", "MergeV2Checkpoints")
# A SavedModel as text, and TorchScript's code: what runs code or opens files there.
_OPERATION = re.compile(r"\bop:\s*[\"']([A-Za-z0-9]{1,60})[\"']")
_SCRIPT = re.compile(r"\b(?:torch|ops(?:\.\w+)?|aten)(?:\.|::)(?:save|from_file|load_library)\b|\bopen\(")


def read_native(look: Look, view: memoryview) -> None:
    """Numbers and trees, in a form that only the library's own C++ reads."""
    look.say("native", 0, f"{_NATIVE[look.part.kind]}'s models are read by C++")
    look.span(0, len(view), "data")
    if look.part.kind == "ubjson":
        look.part.kind = "xgboost"


def read_media(look: Look, view: memoryview) -> None:
    """Pictures and tables: no loader takes them for models."""
    look.span(0, len(view), "data")


def read_text(look: Look, view: memoryview) -> None:
    look.span(0, len(view), "data")
    head = bytes(view[:_HEAD])
    look_into_yaml(look, view[:_TEXT_MAX])
    if head.startswith(_POINTER):
        look.unread(0, "this is a pointer of Git LFS, and the model itself is elsewhere: git lfs pull")
    elif b"meta_graphs" in head or b"saved_model_schema_version" in head:
        look.part.kind = "savedmodel, text"
        _saved_model(look, _text(look, view))
    elif is_template(view[:_TEXT_MAX]):
        look.part.kind = "template"
        look_into_template(look, "itself", _text(look, view), 0)
    elif look.part.path and "/code/" in f"/{look.part.path[-1]}" and look.part.path[-1].endswith(".py"):
        for match in _SCRIPT.finditer(_text(look, view)):
            look.once("script-files", match.start(), f"{match[0]} in code that TorchScript runs")


def _saved_model(look: Look, text: str) -> None:
    first: dict[str, int] = {}
    for match in _OPERATION.finditer(text):
        first.setdefault(match[1], match.start())
    for name, at in first.items():
        graphs.judge_operation(look, name, at)
        if name.startswith(_SAVING):
            look.unread(at, f"where {name} saves is read only in the binary form, saved_model.pb")
    if "file://" in text:
        look.once("graph-files", text.index("file://"), "an operation is told to write to a file")


def _text(look: Look, view: memoryview) -> str:
    if len(view) > _TEXT_MAX:
        look.unread(_TEXT_MAX, "the text is too long to be looked at")
    return str(bytes(view[:_TEXT_MAX]), "utf-8", "replace")
