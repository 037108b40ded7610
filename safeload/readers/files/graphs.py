"""ONNX models and TensorFlow's SavedModels: which operations a graph has, and which other files it reads.

Sources: onnx/onnx.proto; tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, core/framework/graph.proto,
function.proto.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import StreamError
from safeload.readers.files.wire import Field, fields
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.readers.files.look import Look

__all__ = ["judge_operation", "read"]

_DEPTH_MAX = 64
_FIELDS_MAX = 20_000_000
_NAME_MAX = 4_096


class _Message(NamedTuple):
    """Which fields are messages that are looked into, and which are texts that matter."""

    inner: Mapping[int, str]
    texts: Mapping[int, str]


_ONNX: Mapping[str, _Message] = {
    "model": _Message({7: "graph", 8: "opset", 20: "training", 25: "function"}, {2: "producer"}),
    "training": _Message({1: "graph", 2: "graph"}, {}),
    "graph": _Message({1: "node", 5: "tensor", 15: "sparse"}, {}),
    "function": _Message({7: "node", 9: "opset", 11: "attribute"}, {}),
    "opset": _Message({}, {1: "domain"}),
    "node": _Message({5: "attribute"}, {4: "operation", 7: "domain"}),
    "attribute": _Message({5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"}, {}),
    "sparse": _Message({1: "tensor", 2: "tensor"}, {}),
    "tensor": _Message({13: "entry"}, {}),
    "entry": _Message({}, {1: "key", 2: "value"}),
}
_SAVED: Mapping[str, _Message] = {
    "model": _Message({2: "meta"}, {}),
    "meta": _Message({2: "graph"}, {}),
    "graph": _Message({1: "node", 2: "library"}, {}),
    "library": _Message({1: "function"}, {}),
    "function": _Message({3: "node"}, {}),
    "node": _Message({}, {1: "name", 2: "operation", 3: "input"}),
}
# The domains of onnx and of onnxruntime, whose operations are part of what reads the model.
_DOMAINS = re.compile(r"|ai\.onnx(?:\.ml|\.training|\.preview(?:\.training)?)?|com\.microsoft(?:\.\w+)*|pkg\.\S+")
# TensorFlow: what reads or writes files, or runs code of the process that loads the graph.
_CODE = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc", "RemoteCall", "XlaHostCompute", "GeneratePyFunc"})
_FILES = frozenset(
    {"ReadFile", "WriteFile", "MatchingFiles", "TextLineReader", "TextLineReaderV2", "WholeFileReader"}
    | {"WholeFileReaderV2", "TFRecordReader", "TFRecordReaderV2", "FixedLengthRecordReader", "LMDBReader", "CSVDataset"}
    | {"FixedLengthRecordReaderV2", "IdentityReader", "TextLineDataset", "TFRecordDataset", "FixedLengthRecordDataset"}
    | {"FixedLengthRecordDatasetV2", "SqlDataset", "ImmutableConst", "LoadAndRemapMatrix", "SaveDataset", "LoadDataset"}
    | {"CreateSummaryFileWriter", "CreateSummaryDbWriter", "WriteSummary", "WriteRawProtoSummary", "WriteGraphSummary"}
    | {"WriteScalarSummary", "ImportEvent", "SnapshotDataset", "SnapshotDatasetV2", "SaveDatasetV2", "DistributedSave"}
    | {"DebugIdentityV3", "DecodeProtoV2", "EncodeProto", "DebugIdentity", "DumpTensor", "PrintToFile"}
    | {"GenerateVocabRemapping", "Skipgram", "LMDBDataset", "ExperimentalLMDBDataset", "ExperimentalCSVDataset"}
    | {"CSVDatasetV2", "ExperimentalSqlDataset", "MatchingFilesDataset", "ExperimentalMatchingFilesDataset"}
    | {"TFRecordDatasetV2", "RecordInput", "CalibrationStatisticsSaver", "FileSystemSetConfiguration"}
    | {"SnapshotChunkDataset", "SnapshotDatasetReader", "ListSnapshotChunksDataset"}
    | {"DatasetToTFRecord", "InitializeTableFromTextFile", "AudioSummaryV2", "CacheDataset", "DebugIdentityV2"}
)


def read(look: Look, view: memoryview) -> None:
    """Which of the two it is, the first message in it says."""
    try:
        kind = kind_of_graph(view)
        if kind is None:
            look.unread(0, "this is of no format that is known here")
            return
        look.part.kind = kind
        if kind == "onnx":
            _Walk(look, view, _ONNX, _onnx).run()
        else:
            _saved_model(look, view)
    except StreamError as error:
        look.unread(error.offset, error.message)
        return
    look.span(0, len(view), "data")
    look.say("native", 0, "ONNX is read by C++" if kind == "onnx" else "SavedModels are read by C++")


def kind_of_graph(view: memoryview) -> str | None:
    """``onnx`` or ``savedmodel``, by the fields of the first message. Raises StreamError."""
    found = {field.number: field.is_bytes for field in fields(view, 0, len(view))}
    if found.keys() <= {1, 2} and found.get(2, False) and not found.get(1, False):
        return "savedmodel"
    if 7 in found and found[7] and found.keys() <= {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26} and not found.get(1, True):
        return "onnx"
    return None


def files_beside(look: Look, view: memoryview) -> frozenset[str]:
    """The files of numbers that a model of ONNX names. Raises StreamError."""
    found: set[str] = set()

    def judge(_: Look, message: str, texts: dict[str, str], at: int) -> None:
        if message == "entry" and texts.get("key") == "location":
            found.add(texts.get("value", ""))

    if kind_of_graph(view) == "onnx":
        _Walk(look, view, _ONNX, judge).run()
    return frozenset(found)


class _Walk:
    """From message to message, without recursion."""

    def __init__(
        self,
        look: Look,
        view: memoryview,
        messages: Mapping[str, _Message],
        judge: Callable[[Look, str, dict[str, str], int], None],
    ) -> None:
        self._look, self._view, self._messages, self._judge = look, view, messages, judge
        self._left = _FIELDS_MAX

    def run(self) -> None:
        pending = [("model", 0, len(self._view), 0)]
        while pending:
            name, start, end, depth = pending.pop()
            if depth > _DEPTH_MAX:
                raise StreamError("messages stand in one another deeper than in any model", offset=start)
            pending += self._message(name, start, end, depth)

    def _message(self, name: str, start: int, end: int, depth: int) -> list[tuple[str, int, int, int]]:
        message, texts, inner = self._messages[name], dict[str, str](), []
        for field in fields(self._view, start, end):
            self._left -= 1
            if self._left < 0:
                raise StreamError(f"more than {_FIELDS_MAX:,} fields", offset=start)
            if not field.is_bytes:
                continue
            if (
                name == "node"
                and field.number == 5
                and b"file://" in bytes(self._view[field.start : field.end][:_NAME_MAX])
            ):
                self._look.once("graph-files", field.start, "an operation is told to write to a file")
            if field.number in message.inner:
                inner.append((message.inner[field.number], field.start, field.end, depth + 1))
            elif field.number in message.texts:
                # Of inputs the first; of what can be there once, protobuf takes the last.
                what = message.texts[field.number]
                if what != "input" or what not in texts:
                    texts[what] = str(self._piece(field), "utf-8", "replace")
        if texts.get("operation") == "PrintV2" and re.search(b"file://", self._view[start:end]):
            self._look.once("graph-files", start, "an operation is told to write to a file")
        self._judge(self._look, name, texts, start)
        return inner

    def _piece(self, field: Field) -> bytes:
        return bytes(self._view[field.start : min(field.end, field.start + _NAME_MAX)])


def _onnx(look: Look, message: str, texts: dict[str, str], at: int) -> None:
    if message == "node" and not _DOMAINS.fullmatch(texts.get("domain", "")):
        operation = f"{texts.get('domain', '')}.{texts.get('operation', '')}"
        look.once("custom-operation", at, f"{printable(operation, 80)} is an operation of somebody's own")
    elif message == "entry" and texts.get("key") == "location":
        path = texts.get("value", "")
        leaves = path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/") or ":" in path[:3]
        shown = printable(path, 80)
        look.once(
            "external-path" if leaves else "external-data",
            at,
            f'weights are read from "{shown}", ' + ("outside of the model's folder" if leaves else "beside the model"),
        )


def _saved_model(look: Look, view: memoryview) -> None:
    """Every SavedModel has operations that save it, to where whoever saves says; to a path in the graph, none."""
    constants: set[str] = set()
    saved: dict[str, int] = {}

    def judge(look: Look, message: str, texts: dict[str, str], at: int) -> None:
        _tensorflow(look, message, texts, at)
        if texts.get("operation") == "Const":
            constants.add(texts.get("name", ""))
        elif texts.get("operation", "").startswith(("SaveV2", "SaveSlices", "Save")):
            saved.setdefault(texts.get("input", "").partition(":")[0], at)

    _Walk(look, view, _SAVED, judge).run()
    for name in sorted(constants & saved.keys()):
        look.once("graph-files", saved[name], "an operation saves to a path that stands in the graph")


def _tensorflow(look: Look, message: str, texts: dict[str, str], at: int) -> None:
    if message == "node":
        judge_operation(look, texts.get("operation", ""), at)


def judge_operation(look: Look, operation: str, at: int) -> None:
    """Of TensorFlow."""
    if operation in _CODE:
        look.once("graph-code", at, f"{operation} runs code of whoever loads the graph")
    elif operation in _FILES:
        look.once("graph-files", at, f"{operation} reads or writes files when the graph runs")
