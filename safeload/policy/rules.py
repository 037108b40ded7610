"""What can be found in a model file: one rule each, with why it matters and what to do. Read by people, and offline.

``SL1`` executes code · ``SL2`` not in the policy · ``SL3`` malformed · ``SL4`` archives · ``SL5`` signatures · ``SL6``
what reads the model · ``SL7`` one format's own.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULES", "RULE_OF", "Rule", "Severity"]


class Severity(enum.IntEnum):
    """From the least to the worst."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """`why` it matters, and what to `do`, in whole sentences."""

    id: str
    title: str
    severity: Severity
    why: str
    do: str


_ASK = "Do not load the file. Ask whoever made it what this is for, and get the model from where it was trained."
_AGAIN = "Get the file again, and compare its checksum with the one that its maker publishes."
_REPACK = "Ask for an archive that was packed anew, by an ordinary tool."
_ALLOW = (
    "If the package is your own or you trust whoever made it, name it with --allow. Otherwise ask for the weights"
    " alone, as safetensors or as a state dict."
)

_TABLE = (
    Rule(
        "SL101", "Runs code while it is loaded", Severity.CRITICAL,
        "Whoever loads this file with pickle, joblib or torch runs what is named here, with the arguments that "
        "stand in the file, before any model exists.",
        _ASK,
    ),
    Rule(
        "SL102", "Names what runs code, reads files or opens connections", Severity.HIGH,
        "The name is imported while the file is loaded, and the object that is made keeps it: to be called when the "
        "model is used.",
        _ASK,
    ),
    Rule(
        "SL103", "Calls what was computed", Severity.HIGH,
        "Something is called that is no plain name but the result of another call, so nobody can tell what it is "
        "without running it. No pickler writes that.",
        _ASK,
    ),
    Rule(
        "SL104", "Hides a name", Severity.HIGH,
        "A name is put together while the file is loaded, or is no path of identifiers. Picklers write names "
        "plainly; this is how a name is kept from those who look for it.",
        _ASK,
    ),
    Rule(
        "SL105", "Uses the registry of extensions", Severity.HIGH,
        "Numbers stand for globals there, and what they stand for is decided where the file is loaded.",
        _ASK,
    ),
    Rule(
        "SL106", "Changes what it did not make", Severity.HIGH,
        "State or items are put into an object that was not made in this place, such as a class or a module: loading "
        "changes the process itself.",
        _ASK,
    ),
    Rule(
        "SL107", "Plants a method or an odd attribute", Severity.HIGH,
        "An attribute is named as Python's own hooks are. Set on an object, it is called later by whoever uses "
        "the model.",
        _ASK,
    ),
    Rule(
        "SL108", "Reads another file while it is loaded", Severity.HIGH,
        "Array wrappers of joblib below 0.10 name a file, by any path, which is read with the model.",
        "Ask for the model in one file, saved by a joblib of this decade.",
    ),
    Rule(
        "SL201", "Not in the policy", Severity.MEDIUM,
        "The file needs a package that no list holds. That is how a model looks that uses classes of somebody's "
        "own, and how one looks that was made to run their code. Nothing says that it is malicious.",
        _ALLOW,
    ),
    Rule(
        "SL202", "Left out of the policy on purpose", Severity.MEDIUM,
        "The library was reviewed name by name, and this name or this use of it is not among those that are safe "
        "for any arguments.",
        "Save the model again with joblib, without what the message names.",
    ),
    Rule(
        "SL301", "Something follows after the end", Severity.MEDIUM,
        "What one reader takes for the end, another reads on from. A second file may be hidden behind the first.",
        _AGAIN,
    ),
    Rule(
        "SL302", "Several pickles in a row", Severity.INFO,
        "pickle.load reads the first of them only; each was looked at.",
        "Nothing, if you know why.",
    ),
    Rule(
        "SL303", "Opcodes that no pickler writes", Severity.MEDIUM,
        "The stream overwrites, discards or crosses in a way in which unpicklers differ: it may show one thing to a "
        "scanner and another to a loader.",
        "Ask for the model to be saved again, with joblib or pickle.",
    ),
    Rule(
        "SL304", "Opcodes of a Python before 2.3", Severity.MEDIUM,
        "INST and OBJ call classes in a way that no pickler of this century writes.",
        "Ask for the model to be saved again.",
    ),
    Rule(
        "SL305", "A state that no library writes", Severity.MEDIUM,
        "An object gets attributes in a form that its library never gives it.",
        "Ask for the model to be saved again.",
    ),
    Rule(
        "SL306", "Needs a loader of its own", Severity.MEDIUM,
        "The stream refers to objects by numbers that only the program which wrote it can resolve.",
        "Find out which program wrote the file, and let that load it, in a sandbox.",
    ),
    Rule(
        "SL307", "Is a part of something larger", Severity.MEDIUM,
        "Buffers of this stream were stored elsewhere.",
        "Ask for the whole model.",
    ),
    Rule(
        "SL308", "Costs more than it should", Severity.MEDIUM,
        "The same bytes are used for many objects, or a number or key is larger than any model has: a small file "
        "that takes all memory or hours.",
        _AGAIN,
    ),
    Rule(
        "SL309", "An array of objects", Severity.INFO,
        "NumPy keeps such arrays as a pickle, and loads them with allow_pickle=True only. The pickle was looked at.",
        "Nothing, if nothing else was found.",
    ),
    Rule(
        "SL310", "One file, two formats", Severity.HIGH,
        "The bytes mean one thing to one program and another thing to another.",
        _ASK,
    ),
    Rule(
        "SL401", "A member's name is a trap", Severity.HIGH,
        "Unpacked, the member is written outside of the folder, or over another, or is no file at all.",
        "Unpack it nowhere. " + _REPACK,
    ),
    Rule(
        "SL402", "Directory and members disagree", Severity.MEDIUM,
        "Readers differ in which of the two they believe, and so see different archives.",
        _REPACK,
    ),
    Rule(
        "SL403", "Wrong size or checksum", Severity.MEDIUM,
        "The member is damaged, or was changed after it was packed. Some loaders do not look.",
        _AGAIN,
    ),
    Rule(
        "SL404", "Two members of one name", Severity.MEDIUM,
        "One reader takes the first, another the last.",
        _REPACK,
    ),
    Rule(
        "SL405", "Members share their bytes", Severity.HIGH,
        "No tool packs archives so; bombs are made so, and members that look different to different readers.",
        _ASK,
    ),
    Rule(
        "SL406", "Something is hidden in an archive", Severity.MEDIUM,
        "Bytes stand in the archive that its directory does not name. Other readers may find them.",
        _REPACK,
    ),
    Rule(
        "SL501", "No signature was checked", Severity.INFO,
        "The file is a signed artifact, and nobody said whose signatures count.",
        "Say so: --trust, with a trust store or a public key.",
    ),
    Rule(
        "SL502", "The signature does not hold", Severity.HIGH,
        "The file is not what somebody in the trust store signed.",
        "Do not load the file. Get it again from where it was made.",
    ),
    Rule(
        "SL503", "Nobody signed the artifact", Severity.MEDIUM,
        "It bears no signature at all.",
        "Ask for a signed one.",
    ),
    Rule(
        "SL601", "Native code reads the model", Severity.INFO,
        "The format is parsed by C or C++ that promises nothing about hostile bytes. Nothing is known against "
        "this file.",
        "Load it where a crash does no harm, if you do not know who made it.",
    ),
    Rule(
        "SL602", "A second opinion", Severity.INFO,
        "fickling, an analysis by other people, sees something that the policy does not account for. It calls much "
        "that is harmless unsafe, and decides nothing here.",
        "Read what it points at.",
    ),
    Rule(
        "SL701", "A Keras layer holds Python code", Severity.HIGH,
        "A Lambda layer keeps the bytecode of a function. Loaded with safe_mode=False, or by an old Keras, it runs.",
        "Ask for the model without Lambda layers. Never load it with safe_mode=False.",
    ),
    Rule(
        "SL702", "A Keras layer calls a function by name", Severity.MEDIUM,
        "A Lambda layer names a function, which whoever loads it has to supply.",
        "Look at that function before you supply it.",
    ),
    Rule(
        "SL703", "A Keras model needs a class or function of somebody's own", Severity.MEDIUM,
        "Whoever loads it has to supply that, and its code runs.",
        'Look at it, then: Policy.default().allow("package.Name", use=("new", "build", "reference", "call"))',
    ),
    Rule(
        "SL704", "Refers to another file", Severity.MEDIUM,
        "The model reads a file by the path that stands in it: on the machine that loads it.",
        "Ask for a model that holds all its parts.",
    ),
    Rule(
        "SL705", "A template reaches for Python's insides", Severity.HIGH,
        "Chat templates are Jinja, rendered where the model is used: this one asks for more than texts.",
        _ASK,
    ),
    Rule(
        "SL708", "A document type or entities", Severity.HIGH,
        "Entities of XML read other files, open connections, or grow without end; no PMML needs one.",
        _ASK,
    ),
    Rule(
        "SL709", "An extension", Severity.INFO,
        "PMML lets whoever wrote the file add elements of their own, which some evaluators act on.",
        "Find out whether the evaluator that you use knows it.",
    ),
    Rule(
        "SL710", "An operation of somebody's own", Severity.MEDIUM,
        "The model needs code that is not part of the format, from a library that whoever runs it has to load.",
        "Look at that library before you load it.",
    ),
    Rule(
        "SL711", "Weights outside of the model's folder", Severity.HIGH,
        "The path of a tensor's data leads out of the folder: whoever loads the model reads another file as weights.",
        _ASK,
    ),
    Rule(
        "SL712", "Weights in a file beside the model", Severity.INFO,
        "Large models of ONNX keep their weights so.",
        "Get both files from the same place.",
    ),
    Rule(
        "SL713", "A graph that runs code", Severity.HIGH,
        "The operation calls a function of the process that runs the graph.",
        _ASK,
    ),
    Rule(
        "SL714", "A graph that reads or writes files", Severity.MEDIUM,
        "The operation opens files by paths that stand in the graph, when the model is used.",
        "Find out which paths these are, or run the model where there is nothing to read.",
    ),
    Rule(
        "SL715", "A pickle within data", Severity.INFO,
        "Hickle keeps what it does not know as pickles. Each was looked at.",
        "Nothing, if nothing else was found.",
    ),
    Rule(
        "SL716", "An expression that is evaluated", Severity.CRITICAL,
        "torch.export.load hands these texts to sympy, which evaluates them as Python.",
        _ASK,
    ),
    Rule(
        "SL717", "TorchScript that reads or writes files", Severity.HIGH,
        "The code of the archive saves or loads files, by paths that stand in it; in __setstate__ it does so while the "
        "model is loaded.",
        _ASK,
    ),
    Rule(
        "SL718", "YAML that makes objects of Python", Severity.HIGH,
        "Its tags name what is imported and called by whoever reads it with an unsafe loader, as Keras below 2.6 did.",
        "Read it with yaml.safe_load, and see whether you need what that refuses.",
    ),
    Rule(
        "SL706", "Tensors share their bytes", Severity.MEDIUM,
        "The format forbids it.",
        _AGAIN,
    ),
    Rule(
        "SL707", "Bytes that belong to nothing", Severity.LOW,
        "The format forbids holes: something could be kept there.",
        _AGAIN,
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _TABLE})

# Kind of an observation -> rule. Globals are judged by what the policy says of them.
RULE_OF: Mapping[str, str] = MappingProxyType(
    {
        "after-stop": "SL301",
        "archive-checksum": "SL403",
        "archive-header": "SL402",
        "archive-hidden": "SL406",
        "archive-name": "SL401",
        "archive-overlap": "SL405",
        "archive-twins": "SL404",
        "array-in-frame": "SL303",
        "build-on-value": "SL106",
        "built-twice": "SL106",
        "bytes-shared": "SL308",
        "call-on-value": "SL103",
        "computed-name": "SL104",
        "custom-object": "SL703",
        "custom-operation": "SL710",
        "deep-key": "SL308",
        "dup": "SL303",
        "extension": "SL105",
        "external": "SL704",
        "expression": "SL716",
        "external-data": "SL712",
        "external-path": "SL711",
        "graph-code": "SL713",
        "graph-files": "SL714",
        "hidden-pickle": "SL715",
        "pmml-extension": "SL709",
        "xml-entities": "SL708",
        "yaml-object": "SL718",
        "external-array": "SL108",
        "fill-on-value": "SL106",
        "frame-crossed": "SL303",
        "hole": "SL707",
        "huge-integer": "SL308",
        "inst": "SL304",
        "lambda": "SL701",
        "lambda-name": "SL702",
        "memo-far": "SL308",
        "memo-gap": "SL303",
        "memo-overwritten": "SL303",
        "native": "SL601",
        "never-built": "SL303",
        "obj": "SL304",
        "object-array": "SL309",
        "odd-attribute": "SL107",
        "odd-name": "SL104",
        "odd-padding": "SL303",
        "odd-state": "SL305",
        "odd-text": "SL305",
        "odd-version": "SL305",
        "out-of-band": "SL307",
        "overlap": "SL706",
        "persistent-id": "SL306",
        "polyglot": "SL310",
        "proto-inside": "SL303",
        "several": "SL302",
        "script-files": "SL717",
        "signature": "SL502",
        "stack-at-stop": "SL303",
        "state-shared": "SL308",
        "template": "SL705",
        "thrown-away": "SL303",
        "unchecked": "SL501",
        "unfinished-object": "SL303",
        "unsigned": "SL503",
    }
)
