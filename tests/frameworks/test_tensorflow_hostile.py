"""TensorFlow: graphs that do more than compute, files of others, variables that are not where the index says."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from safeload import Policy
from safeload.errors import CodecError, SafeloadError, UnsafeFileError
from testkit.checkpoints import index_of, masked
from testkit.frameworks import need
from testkit.members import signed
from testkit.saved_models import changed, files_of, honest, loaded

need("tensorflow", extra="tensorflow")
import tensorflow as tf
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
INDEX, DATA = "variables/variables.index", "variables/variables.data-00000-of-00001"


def module(function: Callable[..., Any], *signature: Any) -> Any:
    model = tf.Module()
    model.w = tf.Variable([1.0, 2.0])
    model.names = tf.Variable(["a", "bc"])
    model.f = tf.function(function, input_signature=signature or [tf.TensorSpec((2,), tf.float32)], autograph=False)
    return model


def does(operation: str) -> Callable[..., Any]:
    """A function that also does what is said."""

    def run(x: Any) -> Any:
        raw = tf.raw_ops
        done = {
            "calls Python": lambda: tf.py_function(lambda v: v, [x], tf.float32),
            "calls Python at once": lambda: tf.numpy_function(lambda v: v, [x], tf.float32),
            "reads a file": lambda: tf.io.read_file("/etc/passwd"),
            "writes a file": lambda: tf.io.write_file("mark", "x"),
            "lists files": lambda: tf.io.matching_files("/etc/*"),
            "prints into a file": lambda: tf.print(x, output_stream="file:///mark"),
            "saves variables": lambda: raw.SaveV2(
                prefix="mark",
                tensor_names=["x"],
                shape_and_slices=[""],
                tensors=[x],
            ),
            "restores variables": lambda: raw.RestoreV2(
                prefix="mark",
                tensor_names=["x"],
                shape_and_slices=[""],
                dtypes=[tf.float32],
            ),
            "reads lines": lambda: tf.data.TextLineDataset("/etc/passwd").reduce("", lambda a, b: a + b),
            "maps a file": lambda: raw.ImmutableConst(dtype=tf.uint8, shape=[4], memory_region_name="/etc/passwd"),
            "hands out memory": lambda: raw.Empty(shape=[1000], dtype=tf.float32),
            "makes objects of bytes": lambda: tf.io.parse_tensor("x", tf.float32),
            "ends the process": lambda: raw.Abort(error_msg="x"),
        }[operation]()
        with tf.control_dependencies([each for each in [done] if hasattr(each, "op")]):
            return tf.identity(x)

    return run


OPERATIONS = [
    "calls Python", "calls Python at once", "reads a file", "writes a file", "lists files", "prints into a file",
    "saves variables", "restores variables", "reads lines", "maps a file", "hands out memory",
    "makes objects of bytes", "ends the process",
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_graph_that_does_more_than_compute_is_refused(operation: str, team: Keys, tmp_path: Path) -> None:
    files = files_of(module(does(operation)))
    members = [(name, "tensorflow.file", data) for name, data in sorted(files.items())]
    path = signed(tmp_path / "m.safeload", team.key, members)
    for policy in (None, Policy.default().allow("tensorflow.py_function", use=("call",))):
        with pytest.raises(UnsafeFileError) as caught:
            safeload.load(path, trust=team.pub, policy=policy)
        assert caught.value.rule in ("SL710", "SL713", "SL714")
        assert caught.value.member == "saved_model.pb"


def test_an_honest_graph_is_not() -> None:
    assert loaded(files_of(honest())).f(tf.constant([2.0, 3.0])).numpy().tolist() == [2.0, 6.0]


def function(meta: Any, part: str = "__inference_") -> Any:
    return next(each for each in meta.graph_def.library.function if part in each.signature.name)


def nodes(meta: Any, operation: str) -> list[Any]:
    found = [node for each in meta.graph_def.library.function for node in each.node_def if node.op == operation]
    return found + [node for node in meta.graph_def.node if node.op == operation]


def with_constant(meta: Any, **fields: Any) -> None:
    tensor = nodes(meta, "Const")[0].attr["value"].tensor
    for name, value in fields.items():
        if name == "dims":
            del tensor.tensor_shape.dim[:]
            for size in value:
                tensor.tensor_shape.dim.add(size=size)
        else:
            setattr(tensor, name, value)


def saver_as_a_part(meta: Any) -> None:
    """The function that saves, as one that whoever loads may call."""
    name = function(meta, "traced_save").signature.name
    meta.object_graph_def.concrete_functions[name].CopyFrom(
        next(iter(meta.object_graph_def.concrete_functions.values()))
    )


def saver_called(meta: Any) -> None:
    saver = function(meta, "traced_restore").signature.name
    node = meta.graph_def.library.function[0].node_def.add(name="x", op="StatefulPartitionedCall")
    node.attr["f"].func.name = saver


def swapped(meta: Any) -> None:
    function(meta, "traced_save").attr["api_implements"].s = b"x"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "an operation of somebody's own": lambda meta: setattr(nodes(meta, "Mul")[0], "op", "MyOwn>Mul"),
    "an operation of the graph itself": lambda meta: setattr(meta.graph_def.node[0], "op", "ReadFile"),
    "a function that saves, shown": saver_as_a_part,
    "a function that restores, called": saver_called,
    "a function that saves, in place of another": swapped,
    "a function with the name of an operation": lambda meta: setattr(
        meta.graph_def.library.function.add().signature, "name", "ReadFile"
    ),
    "two functions of one name": lambda meta: meta.graph_def.library.function.add().CopyFrom(function(meta)),
    "a call of an operation": lambda meta: setattr(nodes(meta, "Mul")[0].attr["f"].func, "name", "ReadFile"),
    "a call in a list": lambda meta: nodes(meta, "Mul")[0].attr["f"].list.func.add(name="ReadFile"),
    "a constant that is a resource": lambda meta: with_constant(meta, dtype=20),
    "a constant that is a variant": lambda meta: with_constant(meta, dtype=21),
    "a constant of two types": lambda meta: with_constant(meta, dtype=9),
    "a constant without end": lambda meta: with_constant(meta, dims=[1 << 30, 1 << 20]),
    "a constant of less than nothing": lambda meta: with_constant(meta, dims=[-5]),
    "a gradient of another": lambda meta: setattr(nodes(meta, "Mul")[0].attr["_gradient_op_type"], "s", b"EagerPyFunc"),
    "an attribute that the caller gives": lambda meta: setattr(nodes(meta, "Mul")[0].attr["T"], "placeholder", "x"),
    "a registered class": lambda meta: setattr(meta.object_graph_def.nodes[0], "registered_name", "Custom.Own"),
    "a registered saver": lambda meta: setattr(meta.object_graph_def.nodes[0], "registered_saver", "Custom.Own"),
    "a part that is Python's": lambda meta: setattr(
        meta.object_graph_def.nodes[0].children[0], "local_name", "__class__"
    ),
    "a part of a variable": lambda meta: next(
        node for node in meta.object_graph_def.nodes if node.HasField("variable")
    ).children.add(node_id=0, local_name="_handle"),
    "a part that TensorFlow calls": lambda meta: setattr(
        meta.object_graph_def.nodes[0].children[0], "local_name", "_restore_from_tensors"
    ),
    "an object that is not there": lambda meta: setattr(meta.object_graph_def.nodes[0].children[0], "node_id", 999),
    "an asset that is not there": lambda meta: meta.asset_file_def.add(filename="words.txt"),
    "an asset elsewhere": lambda meta: meta.asset_file_def.add(filename="/etc/passwd"),
    "an asset outside": lambda meta: meta.asset_file_def.add(filename="../variables/variables.index"),
    "no objects": lambda meta: meta.ClearField("object_graph_def"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_graph_that_was_changed_is_refused(name: str) -> None:
    files = files_of(honest())
    assert changed(files, lambda meta: None)["saved_model.pb"]
    with pytest.raises((UnsafeFileError, CodecError)) as caught:
        loaded(changed(files, CHANGES[name]))
    assert "TensorFlow cannot load" not in str(caught.value)


def words(folder: Path) -> dict[str, bytes]:
    (folder / "words.txt").write_text("a\nb\n")
    lines, numbers = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    table = tf.lookup.TextFileInitializer(str(folder / "words.txt"), tf.string, lines, tf.int64, numbers)
    model = tf.Module()
    model.table = tf.lookup.StaticHashTable(table, -1)
    model.path = tf.constant("/etc/passwd")
    model.f = tf.function(
        lambda x: (model.table.lookup(x), tf.identity(model.path)),
        input_signature=[tf.TensorSpec((1,), tf.string)],
        autograph=False,
    )
    return files_of(model)


def bound_to_a_text(meta: Any) -> None:
    """The path of the table, from a constant of the model."""
    objects = meta.object_graph_def
    asset = next(number for number, node in enumerate(objects.nodes) if node.HasField("asset"))
    text = next(number for number, node in enumerate(objects.nodes) if node.HasField("constant"))
    for each in objects.concrete_functions.values():
        for place, number in enumerate(each.bound_inputs):
            if number == asset:
                each.bound_inputs[place] = text


def reads_its_constant(meta: Any) -> None:
    function = next(
        each for each in meta.graph_def.library.function for node in each.node_def
        if node.op == "InitializeTableFromTextFileV2"
    )  # fmt: skip
    constant = function.node_def.add(name="evil", op="Const")
    constant.attr["dtype"].type = 7
    constant.attr["value"].tensor.dtype = 7
    constant.attr["value"].tensor.string_val.append(b"/etc/passwd")
    next(node for node in function.node_def if node.op.startswith("Initialize")).input[1] = "evil:output:0"


def exported(folder: Path) -> dict[str, bytes]:
    model = tf.Module()
    model.one = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
    model.two = tf.lookup.experimental.MutableHashTable(tf.int64, tf.string, "")
    model.one.insert(tf.constant(["a"]), tf.constant([7], tf.int64))
    model.f = tf.function(lambda: model.one.export(), input_signature=[], autograph=False)
    return files_of(model)


def one_table_for_the_other(meta: Any) -> None:
    objects = meta.object_graph_def
    for each in objects.concrete_functions.values():
        for place, number in enumerate(each.bound_inputs):
            if number in (1, 2):
                each.bound_inputs[place] = 3 - number


def table_of_other_types(meta: Any) -> None:
    for node in nodes(meta, "MutableHashTableV2"):
        node.attr["value_dtype"].type, node.attr["key_dtype"].type = 9, 9


@pytest.mark.parametrize("change", [one_table_for_the_other, table_of_other_types])
def test_a_table_is_exported_as_what_it_is(change: Callable[[Any], Any], tmp_path: Path) -> None:
    """The process would end."""
    files = exported(tmp_path)
    assert [each.numpy().tolist() for each in loaded(files).f()] == [[b"a"], [7]]
    with pytest.raises(UnsafeFileError, match="a table that is not known"):
        loaded(changed(files, change))


def loops(meta: Any) -> None:
    """In what fills the table."""
    function = next(
        each for each in meta.graph_def.library.function for node in each.node_def if node.op == "HashTableV2"
    )
    function.node_def.add(name="x", op="StatelessWhile")


def multiplies(meta: Any) -> None:
    function = next(
        each for each in meta.graph_def.library.function for node in each.node_def
        if node.op == "InitializeTableFromTextFileV2"
    )  # fmt: skip
    function.node_def.add(name="x", op="Fill")


@pytest.mark.parametrize("change", [loops, multiplies])
def test_what_loading_runs_makes_tables_and_nothing_else(change: Callable[[Any], Any], tmp_path: Path) -> None:
    files = words(tmp_path)
    with pytest.raises(UnsafeFileError, match="would run"):
        loaded(changed(files, change))


def path_of_the_asset(meta: Any) -> None:
    node = next(node for node in meta.object_graph_def.nodes if node.HasField("asset"))
    node.children.add(node_id=0, local_name="_path")


@pytest.mark.parametrize("change", [bound_to_a_text, reads_its_constant, path_of_the_asset])
def test_a_table_is_filled_from_no_file_but_the_models_own(change: Callable[[Any], Any], tmp_path: Path) -> None:
    files = words(tmp_path)
    assert loaded(files).f(tf.constant(["b"]))[0].numpy().tolist() == [1]
    with pytest.raises(UnsafeFileError):
        loaded(changed(files, change))


NAMES = [
    "../evil", "/etc/passwd", "assets/../../evil", "assets//x", "assets/", "variables/variables.data-00000-of-00002",
    "variables/x", "saved_model.pbtxt", "saved_model.cpb", "checkpoint", "assets\\..\\x", "Variables/variables.index",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_members_are_files_that_a_saved_model_has(name: str) -> None:
    with pytest.raises(CodecError):
        loaded({**files_of(honest()), name: b"x"})


@pytest.mark.parametrize("name", [INDEX, DATA, "saved_model.pb"])
def test_what_is_missing_or_cut_off_is_refused(name: str) -> None:
    files = files_of(honest())
    for data in (files[name][:-9], files[name][: len(files[name]) // 2], b"", None):
        others = {key: value for key, value in files.items() if key != name}
        with pytest.raises(SafeloadError):
            loaded(others if data is None else {**others, name: data})


def entries() -> dict[bytes, BundleEntryProto]:
    """Of a bundle that is one of numbers, of texts, and of objects."""
    data = files_of(honest())[DATA]
    reader = {}
    with_names = {b"w": (1, [2], 8), b"names": (7, [2], 9)}
    at = 0
    for key, (dtype, dims, size) in with_names.items():
        entry = BundleEntryProto(dtype=dtype, offset=at, size=size, crc32c=masked(data[at : at + size]))
        for dim in dims:
            entry.shape.dim.add(size=dim)
        reader[key] = entry
        at += size
    return reader


FORGED: dict[str, Callable[[dict[bytes, BundleEntryProto]], Any]] = {
    "behind the end": lambda found: setattr(found[b"w"], "offset", 1 << 40),
    "before the beginning": lambda found: setattr(found[b"w"], "offset", -8),
    "of another size": lambda found: setattr(found[b"w"], "size", 1 << 40),
    "of less than nothing": lambda found: setattr(found[b"w"].shape.dim[0], "size", -2),
    "larger than there are numbers": lambda found: found[b"w"].shape.dim.add(size=1 << 62),
    "of more texts than bytes": lambda found: setattr(found[b"names"].shape.dim[0], "size", 1 << 39),
    "of no type": lambda found: setattr(found[b"w"], "dtype", 99),
    "a resource": lambda found: setattr(found[b"w"], "dtype", 20),
    "a variant": lambda found: setattr(found[b"w"], "dtype", 21),
    "in a file that is not there": lambda found: setattr(found[b"w"], "shard_id", 7),
    "in slices": lambda found: found[b"w"].slices.add(),
    "where another is": lambda found: found.update({b"x": found[b"w"]}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_variable_that_is_not_where_the_index_says_is_refused(name: str) -> None:
    files, found = files_of(honest()), entries()
    FORGED[name](found)
    header = BundleHeaderProto(num_shards=1)
    index = index_of([(b"", header.SerializeToString()), *sorted((k, e.SerializeToString()) for k, e in found.items())])
    with pytest.raises(UnsafeFileError, match="cannot be read to its end"):
        loaded({**files, INDEX: index})


MUTATES = """
import random, sys
import tensorflow as tf
from safeload.errors import SafeloadError
from testkit.saved_models import files_of, honest, loaded

files, outcomes = files_of(honest()), {True: 0, False: 0}
rng = random.Random(int(sys.argv[1]))
for name in ("variables/variables.index", "variables/variables.data-00000-of-00001", "saved_model.pb"):
    for _ in range(int(sys.argv[2])):
        data = bytearray(files[name])
        for _ in range(rng.choice([1, 1, 2])):
            at = rng.randrange(len(data))
            data[at : at + rng.choice([0, 1, 1, 1, 3])] = rng.randbytes(rng.choice([0, 1, 1, 1, 3]))
        try:
            model = loaded({**files, name: bytes(data)})
            outcomes[True] += 1
        except SafeloadError:
            outcomes[False] += 1
print(outcomes[True], outcomes[False])
"""


def test_files_that_were_changed_load_or_are_refused_and_crash_nothing(tmp_path: Path) -> None:
    """6,000 graphs, changed field by field, gave three ways to end or to hold the process: each is refused above."""
    command = [sys.executable, "-W", "ignore", "-c", MUTATES]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, "0", "60"], capture_output=True, check=True, text=True, env=environment)
    loads, refused = map(int, done.stdout.split())
    assert loads > 0
    assert refused > 100


def test_what_is_read_lazily_is_not_left_to_the_variables(tmp_path: Path) -> None:
    """The folder is gone when the object is there."""
    model = loaded(files_of(honest()))
    assert np.array_equal(model.w, [1.0, 2.0])
    assert model.names.numpy().tolist() == [b"a", b"bc"]
