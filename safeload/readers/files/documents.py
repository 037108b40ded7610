"""JSON: Keras' configurations, skops' schemas, XGBoost's models; text; and models that native code parses.

Sources: keras/src/saving/serialization_lib.py, skops/io/_general.py, https://xgboost.readthedocs.io (model schema).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from safeload.readers.files.kinds import ends_like_a_zip
from safeload.readers.observations import GlobalUse, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look

__all__ = ["read_json", "read_media", "read_native", "read_text"]

_JSON_MAX = 64 << 20
_NODES_MAX = 2_000_000
# Their modules that hold layers, losses, optimizers and what else a configuration may name.
_KERAS = ("keras", "builtins", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_PATHS = frozenset({"vocabulary", "filepath", "file_path", "filename", "model_path", "path", "url"})
_SKOPS_CALLS = frozenset({"ReduceNode", "MethodNode", "OperatorFuncNode", "PartialNode"})
_SKOPS_NAMES = frozenset({"FunctionNode", "TypeNode"})
_SKOPS_PLAIN = frozenset({"ObjectNode", "DefaultDictNode", "OrderedDictNode", "ListNode", "DictNode", "TupleNode"})


def read_json(look: Look, view: memoryview) -> None:
    if len(view) > _JSON_MAX:
        look.unread(0, f"the document is larger than {_JSON_MAX >> 20} MiB")
        return
    try:
        found = json.loads(bytes(view))
    except (ValueError, RecursionError) as error:
        look.unread(0, f"the document cannot be read: {printable(str(error), 80)}")
        return
    look.part.kind = _kind(found)
    for count, node in enumerate(_objects(found)):
        if count > _NODES_MAX:
            look.unread(0, "the document holds more than can be looked at")
            return
        if "class_name" in node:
            _keras(look, node)
        if "__class__" in node and "__module__" in node and "__loader__" in node:
            _skops(look, node)
    look.span(0, len(view), "data")
    if look.part.kind == "xgboost":
        look.say("native", 0, "XGBoost's models are read by C++")


def _kind(found: Any) -> str:
    if isinstance(found, dict):
        if "learner" in found:
            return "xgboost"
        if "class_name" in found and "config" in found:
            return "keras, configuration"
        if "__loader__" in found:
            return "skops, schema"
    return "json"


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    pending = [found]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _keras(look: Look, node: dict[str, Any]) -> None:
    name, config = node.get("class_name"), node.get("config")
    module, registered = node.get("module"), node.get("registered_name")
    if name in ("Lambda", "__lambda__"):
        if name == "__lambda__" or _is_code(config.get("function") if isinstance(config, dict) else None):
            look.once("lambda", 0, "a Lambda layer holds marshalled code")
        else:
            look.once("lambda-name", 0, "a Lambda layer holds the name of a function")
    elif name == "function" and isinstance(config, str) and isinstance(module, str):
        look.use(_named(module, config, Use.REFERENCED))
    elif name in ("TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"):
        look.say("external", 0, f"{name} loads a model of another format")
    if isinstance(module, str) and isinstance(name, str) and name != "function" and not module.startswith(_KERAS):
        look.use(_named(module, name, Use.INSTANTIATED | Use.CALLED))
    elif isinstance(registered, str) and ">" in registered and module is None:
        look.say("custom-object", 0, f"{printable(registered, 80)} is a class of somebody's own")
    if isinstance(config, dict):
        for key in _PATHS & config.keys():
            if isinstance(config[key], str) and config[key]:
                look.say(
                    "external", 0, f'{printable(str(name), 40)} reads "{printable(config[key], 80)}", another file'
                )


def _is_code(function: Any) -> bool:
    """Keras 2 keeps a list that begins with the code, Keras 3 an object."""
    return isinstance(function, list) or (isinstance(function, dict) and function.get("class_name") == "__lambda__")


def _skops(look: Look, node: dict[str, Any]) -> None:
    module, name, loader = node["__module__"], node["__class__"], node["__loader__"]
    if not all(isinstance(each, str) for each in (module, name, loader)):
        return
    if loader in _SKOPS_CALLS:
        look.use(_named(module, name, Use.CALLED))
    elif loader in _SKOPS_NAMES:
        content = node.get("content")
        if isinstance(content, dict) and isinstance(content.get("module_path"), str):
            module, name = content["module_path"], str(content.get("function", name))
        look.use(_named(module, name, Use.REFERENCED))
    elif loader in _SKOPS_PLAIN and module != "builtins":
        look.use(_named(module, name, Use.INSTANTIATED))


def _named(module: str, name: str, use: Use) -> GlobalUse:
    return GlobalUse(module[:500], name[:500], 0, use, module[:500], name[:500])


_POINTER = b"version https://git-lfs.github.com/spec/"
_NATIVE = {"catboost": "CatBoost", "lightgbm": "LightGBM", "ubjson": "XGBoost"}


def read_native(look: Look, view: memoryview) -> None:
    """Numbers and trees, in a form that only the library's own C++ reads."""
    look.say("native", 0, f"{_NATIVE[look.part.kind]}'s models are read by C++")
    look.span(0, len(view), "data")
    if look.part.kind == "ubjson":
        look.part.kind = "xgboost"


def read_media(look: Look, view: memoryview) -> None:
    """Pictures and tables: no loader takes them for models. An archive may hang at their end."""
    look.span(0, len(view), "data")
    if ends_like_a_zip(view):
        look.say("polyglot", 0, "an archive hangs at the end")
        look.unread(0, "what hangs at the end was not read")


def read_text(look: Look, view: memoryview) -> None:
    look.span(0, len(view), "data")
    if bytes(view[: len(_POINTER)]) == _POINTER:
        look.unread(0, "this is a pointer of Git LFS, and the model itself is elsewhere: git lfs pull")
