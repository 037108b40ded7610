"""JSON: Keras' configurations, skops' schemas, XGBoost's models, what torch.export evaluates.

Sources: keras/src/saving/serialization_lib.py, skops/io/_general.py, https://xgboost.readthedocs.io (model schema).
"""

from __future__ import annotations

import builtins
import json
import re
from typing import TYPE_CHECKING, Any

from safeload.readers.files.templates import look_into_template
from safeload.readers.files.texts import read_text
from safeload.readers.files.yamls import say_target
from safeload.readers.observations import GlobalUse, Use
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look

__all__ = ["objects_in", "read_json"]

_JSON_MAX = 64 << 20
# What no document begins with: a word in brackets, as text has it, or a template.
_TEXT = re.compile(rb"\s*(?:\{\s*[^\s\"}]|\[\s*[^\s\"\[\]{\d\-tfnNI])")
_NODES_MAX = 2_000_000
# What sympy is given by torch.export.load: it evaluates Python. Numbers, symbols, and functions of sizes.
_EXPRESSION = re.compile(
    r"(?:\s|[-+*/%(),.<>=!&|~]|\d+|'\w{1,40}'|True|False|(?:integer|positive|nonnegative|real)(?==)|[A-Za-z]{1,2}\d{1,6}\b"
    r"|(?:Symbol|Integer|Float|Rational|Add|Mul|Pow|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv|Max|Min|floor|ceiling|Eq|Ne|Lt"
    r"|Le|Gt|Ge|And|Or|Not|Where|ModularIndexing|TrueToInt|IntTrueDiv|FloatTrueDiv|ToFloat|TruncToInt|RoundToInt)(?=\())*"
)
# What torch.export evaluates, what Hydra calls, and the templates of tokenizer_config.json.
_TEXTS = frozenset({"expr_str", "_target_", "chat_template", "template"})
# Their modules that hold layers, losses, optimizers and what else a configuration may name.
_KERAS = ("keras", "builtins", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_PATHS = frozenset({"vocabulary", "filepath", "file_path", "filename", "model_path", "path", "url"})
_SKOPS_CALLS = frozenset({"ReduceNode", "MethodNode", "OperatorFuncNode", "PartialNode"})
_SKOPS_NAMES = frozenset({"FunctionNode", "TypeNode"})
# Made of numbers, of numpy's and scipy's own classes.
_SKOPS_NUMBERS = frozenset(
    {"NdArrayNode", "MaskedArrayNode", "RandomStateNode", "RandomGeneratorNode", "SparseMatrixNode", "DTypeNode"}
    | {"BitGeneratorNode", "JsonNode", "SliceNode", "TreeNode", "LossNode"}
)
# Classes of scikit-learn that are no objects of Python's own: a function beside them makes them, in pickles as well.
_CYTHON = frozenset({"sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree", "sklearn.metrics._dist_metrics"})


def read_json(look: Look, view: memoryview) -> None:
    if len(view) > _JSON_MAX:
        look.unread(0, f"the document is larger than {_JSON_MAX >> 20} MiB")
        return
    try:
        found = json.loads(bytes(view))
    except (ValueError, RecursionError) as error:
        if _TEXT.match(view):
            read_text(look, view)
            look.part.kind = "text"
        else:
            look.unread(0, f"the document cannot be read: {printable(str(error), 80)}")
        return
    look.part.kind = _kind(found)
    for count, node in enumerate(objects_in(found)):
        if count > _NODES_MAX:
            look.unread(0, "the document holds more than can be looked at")
            return
        _node(look, node)
    look.span(0, len(view), "data")
    if look.part.kind == "xgboost":
        look.say("native", 0, "XGBoost's models are read by C++")


def _node(look: Look, node: dict[str, Any]) -> None:
    """What each of the formats would do with it; which of them it is of, whoever loads it says."""
    if "class_name" in node:
        _keras(look, node)
    _identifiers(look, node)
    if "__class__" in node and "__module__" in node and "__loader__" in node:
        _skops(look, node)
    texts = {key: node[key] for key in sorted(_TEXTS & node.keys()) if isinstance(node[key], str)}
    for key, text in texts.items():
        if key == "_target_":
            say_target(look, text[:200], 0)
        elif key != "expr_str":
            look_into_template(look, key, text, 0)
        elif not _EXPRESSION.fullmatch(text):
            look.once("expression", 0, f'torch.export evaluates "{printable(text, 120)}"')


_SAID = frozenset({"class_name", "config", "registered_name"})  # by `_keras`; elsewhere they are names of outputs
_REGISTERED = re.compile(r"([A-Za-z_][\w.]{0,200})>([A-Za-z_]\w{0,200})")


def _kind(found: Any) -> str:
    if isinstance(found, dict):
        if "learner" in found:
            return "xgboost"
        if "class_name" in found and "config" in found:
            return "keras, configuration"
        if "__loader__" in found:
            return "skops, schema"
    return "json"


def objects_in(found: Any) -> Iterator[dict[str, Any]]:
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
    module = node.get("module")
    # Keras joins module and name: "keras" and "layers.Lambda" are that class.
    last = name.rpartition(".")[2] if isinstance(name, str) else ""
    if last in ("Lambda", "__lambda__"):
        if last == "__lambda__" or _is_code(config.get("function") if isinstance(config, dict) else None):
            look.once("lambda", 0, "a Lambda layer holds marshalled code")
        else:
            look.once("lambda-name", 0, "a Lambda layer holds the name of a function")
    elif name == "function" and isinstance(config, str) and isinstance(module, str):
        # Keras says builtins of functions of its own, too.
        if module != "builtins" or hasattr(builtins, config):
            look.use(_named(module, config, Use.REFERENCED))
    elif last in ("TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"):
        look.say("external", 0, f"{last} loads a model of another format")
    named = False
    if isinstance(module, str) and isinstance(name, str) and name != "function" and not _is_of_keras(module):
        named = True
        look.use(_named(module, name, Use.INSTANTIATED | Use.CALLED))
    package, _, own = (_registered(node) or "").partition(">")
    if own and not (named and own == name):
        _own(look, package, own)
    if isinstance(config, dict):
        for key in sorted(_PATHS & config.keys()):
            if isinstance(config[key], str) and config[key]:
                look.say(
                    "external", 0, f'{printable(str(name), 40)} reads "{printable(config[key], 80)}", another file'
                )


def _registered(node: dict[str, Any]) -> str | None:
    """Under which name Keras looks among the classes that were registered, before it looks at the module."""
    name = node["class_name"]
    # HDF5 and Keras 2 have the second only; of a function, the name is all that is in the configuration.
    for each in (node.get("registered_name"), name, node.get("config")):
        if isinstance(each, str) and ">" in each:
            return each
    return None


def _identifiers(look: Look, node: dict[str, Any]) -> None:
    """Texts that Keras takes for the names of what was registered: of losses, metrics, activations and others."""
    pending = [node[key] for key in node if not ("class_name" in node and key in _SAID)]
    while pending:
        value = pending.pop()
        if isinstance(value, list):  # a list of metrics for each output
            pending += value
        elif isinstance(value, str) and (match := _REGISTERED.fullmatch(value)):
            _own(look, match[1], match[2])


def _own(look: Look, package: str, name: str) -> None:
    used = _named(package, name, Use.INSTANTIATED | Use.CALLED)  # a policy speaks of it by these two
    look.say(
        "custom-object", 0, f"{printable(f'{package}>{name}', 80)} is a class or function of somebody's own", used=used
    )


def _is_of_keras(module: str) -> bool:
    return any(module == known or module.startswith(f"{known}.") for known in _KERAS)


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
    elif loader in _SKOPS_NUMBERS and module.partition(".")[0] in ("builtins", "numpy", "scipy", "sklearn"):
        return
    elif loader == "ObjectNode" and module in _CYTHON:
        look.use(_named(module, name, Use.REFERENCED))
        look.use(_named(module, "newObj", Use.CALLED))
    elif module != "builtins" or name in ("eval", "exec", "compile", "open", "getattr", "map", "filter", "type"):
        look.use(_named(module, name, Use.INSTANTIATED))  # whatever skops calls it


def _named(module: str, name: str, use: Use) -> GlobalUse:
    return GlobalUse(module[:500], name[:500], 0, use, module[:500], name[:500])
