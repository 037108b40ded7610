"""ONNX: a model of scikit-learn's, run by onnxruntime; and what a session would read or run."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import safeload
from safeload.errors import CodecError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.pages import run_page

need("onnx", "onnxruntime", extra="onnx")
import onnx
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

IRIS = load_iris()
X = IRIS.data.astype("f4")
Y = IRIS.target == 2


def regression(**weights: Any) -> Any:
    """A linear model as ONNX writes it, of a fitted one of scikit-learn's."""
    model = LogisticRegression().fit(X, Y)
    coefficients = onnx.numpy_helper.from_array(model.coef_.T.astype("f4"), "w")
    intercept = onnx.numpy_helper.from_array(model.intercept_.astype("f4"), "b")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])]
    place = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in (("x", 4), ("y", 1))]
    graph = helper.make_graph(nodes, "linear", place[:1], place[1:], [coefficients, intercept])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, **weights)


def through(value: Any, team: Keys) -> Any:
    file = io.BytesIO()
    manifest = safeload.dump(value, file, signer=team.key)
    assert [member.kind for member in manifest.members] == ["onnx.model"]
    assert manifest.environment.distributions["onnx"] == onnx.__version__
    file.seek(0)
    return safeload.load(file, trust=team.pub)


def test_a_session_answers_as_the_model_did(team: Keys) -> None:
    (answers,) = through(regression(), team).run(None, {"x": X})
    expected = LogisticRegression().fit(X, Y).decision_function(X)
    assert np.allclose(answers.ravel(), expected, atol=1e-5)


def external(model: Any, location: str) -> Any:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


@pytest.mark.parametrize("location", ["weights.bin", "../../etc/passwd", "/etc/passwd"])
def test_numbers_in_another_file_are_refused(location: str, team: Keys, tmp_path: Path) -> None:
    model = external(regression(), location)
    with pytest.raises(CodecError, match="in another file"):
        safeload.dump(model, io.BytesIO(), signer=team.key)
    data = model.SerializeToString()
    path = signed(tmp_path / "m.safeload", team.key, [("model.onnx", "onnx.model", data)])
    with pytest.raises(UnsafeFileError):
        safeload.load(path, trust=team.pub)


def in_two_files(folder: Path) -> Path:
    """A model whose numbers are in a file beside it, as exporters write those of PyTorch."""
    folder.mkdir()
    path = folder / "model.onnx"
    onnx.save_model(regression(), path, save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    assert sorted(each.name for each in folder.iterdir()) == ["model.onnx", "model.onnx.data"]
    return path


CHILD = """
import sys, numpy as np, safeload
session = safeload.load(sys.argv[1], trust=sys.argv[2])
np.save(sys.argv[4], session.run(None, {"x": np.load(sys.argv[3])})[0])
"""


@pytest.mark.parametrize("way", ["pack", "convert the folder", "convert the file"])
def test_a_model_in_two_files_answers_in_another_process(way: str, team: Keys, tmp_path: Path) -> None:
    path = in_two_files(tmp_path / "ox")
    source = path if way == "convert the file" else path.parent
    act = safeload.pack if way == "pack" else safeload.convert
    manifest = act(source, tmp_path / "m.safeload", signer=team.key)
    files = {"model.onnx": "onnx.model", "model.onnx.data": "onnx.data"}
    one = {"model.onnx": "onnx.model"}
    assert {member.name: member.kind for member in manifest.members} == (one if source == path else files)
    if way == "pack":
        safeload.unpack(tmp_path / "m.safeload", tmp_path / "again", trust=team.pub)
        assert {each.name: each.read_bytes() for each in (tmp_path / "again").iterdir()} == {
            each.name: each.read_bytes() for each in path.parent.iterdir()
        }
    shutil.rmtree(path.parent)
    np.save(tmp_path / "x.npy", X)
    arguments = [tmp_path / "m.safeload", team.pub, tmp_path / "x.npy", tmp_path / "y.npy"]
    subprocess.run([sys.executable, "-c", CHILD, *map(str, arguments)], check=True, timeout=300)
    (expected,) = through(regression(), team).run(None, {"x": X})
    assert np.array_equal(np.load(tmp_path / "y.npy"), expected)


def test_a_model_beside_other_files_is_a_session_too(team: Keys, tmp_path: Path) -> None:
    path = in_two_files(tmp_path / "ox")
    (path.parent / "readme.md").write_text("how to use it", "utf-8")
    safeload.pack(path.parent, tmp_path / "m.safeload", signer=team.key)
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub).run(None, {"x": X})
    (path.parent / "other.onnx").write_bytes(path.read_bytes())
    manifest = safeload.pack(path.parent, tmp_path / "m.safeload", signer=team.key)
    assert {member.kind for member in manifest.members} == {"tree"}


def _said(tensor: Any) -> dict[str, Any]:
    return {entry.key: entry for entry in tensor.external_data}


def _set(key: str, value: str) -> Callable[[Any, Any], None]:
    return lambda model, tensor: setattr(_said(tensor)[key], "value", value)


def _without_length(model: Any, tensor: Any) -> None:
    tensor.dims[:] = [2**32, 2**32]
    tensor.external_data.remove(_said(tensor)["length"])


def _again_and_again(model: Any, tensor: Any) -> None:
    for number in range(8):
        one = model.graph.initializer.add()
        one.CopyFrom(tensor)
        one.name = f"w{number}"


def _in_a_branch(model: Any, tensor: Any) -> None:
    branch = helper.make_graph([], "branch", [], [])
    branch.initializer.add().CopyFrom(_of_another_file(tensor))
    model.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch))


def _in_a_function(model: Any, tensor: Any) -> None:
    node = helper.make_node("Constant", [], ["k"], value=_of_another_file(tensor))
    model.functions.add(name="f", domain="").node.append(node)


def _of_another_file(tensor: Any) -> Any:
    other = TensorProto()
    other.CopyFrom(tensor)
    _said(other)["location"].value = "other.data"
    return other


# What a session must not be given: numbers from elsewhere, or from beyond.
FORGED: dict[str, Callable[[Any, Any], Any]] = {
    "elsewhere": _set("location", "../../etc/passwd"),
    "absolute": _set("location", "/etc/passwd"),
    "missing": _set("location", "other.data"),
    "beyond the end": _set("offset", "64"),
    "far beyond": _set("offset", str(2**59)),
    "negative": _set("offset", "-8"),
    "another length": _set("length", "4"),
    "another shape": lambda model, tensor: tensor.dims.__setitem__(0, 1_000_000),
    "overflow": _without_length,
    "twice": lambda model, tensor: tensor.external_data.add(key="location", value="/etc/passwd"),
    "texts": lambda model, tensor: setattr(tensor, "data_type", TensorProto.STRING),
    "again and again": _again_and_again,
    "in a branch": _in_a_branch,
    "a sparse tensor": lambda model, tensor: model.graph.sparse_initializer.add().values.CopyFrom(
        _of_another_file(tensor)
    ),
    "in a function": _in_a_function,
    "cut": lambda model, tensor: None,
}


@pytest.mark.parametrize("name", FORGED)
def test_numbers_from_elsewhere_or_beyond_are_refused(name: str, team: Keys, tmp_path: Path) -> None:
    path = in_two_files(tmp_path / "ox")
    numbers = path.with_name("model.onnx.data")
    model = onnx.load_model(path, load_external_data=False)
    FORGED[name](model, model.graph.initializer[0])
    path.write_bytes(model.SerializeToString())
    if name == "cut":
        numbers.write_bytes(numbers.read_bytes()[:-1])
    safeload.pack(path.parent, tmp_path / "m.safeload", signer=team.key)
    with pytest.raises((CodecError, UnsafeFileError)) as said:
        safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert "onnxruntime cannot" not in str(said.value)  # it was not asked
    for source in (path, path.parent):
        with pytest.raises((CodecError, UnsafeFileError)):
            safeload.convert(source, tmp_path / "n.safeload", signer=team.key)
    assert not (tmp_path / "n.safeload").exists()


@pytest.mark.parametrize("kind", ["a link", "a link above", "a pipe"])
def test_a_file_beside_that_is_none_is_refused(kind: str, team: Keys, tmp_path: Path) -> None:
    path = in_two_files(tmp_path / "ox")
    numbers = path.with_name("model.onnx.data")
    numbers.rename(tmp_path / "elsewhere")
    if kind == "a pipe":
        os.mkfifo(numbers)
    elif kind == "a link":
        numbers.symlink_to(tmp_path / "elsewhere")
    else:
        model = onnx.load_model(path, load_external_data=False)
        for tensor in model.graph.initializer:
            tensor.external_data[0].value = "there/elsewhere"
        path.write_bytes(model.SerializeToString())
        (path.parent / "there").symlink_to(tmp_path)
    with pytest.raises(CodecError, match="no file beside it"):
        safeload.load_untrusted(path)


def test_operations_of_somebodys_own_are_refused(team: Keys) -> None:
    model = regression()
    model.graph.node[0].domain = "evil"
    model.opset_import.append(helper.make_opsetid("evil", 1))
    with pytest.raises(UnsafeFileError):
        through(model, team)


@pytest.mark.parametrize("data", [b"", b"\x80\x02cos\nsystem\nU\x09touch MARK\x85R.", b"\x08\x09\xff" * 9])
def test_what_is_no_model_is_refused(data: bytes, team: Keys, tmp_path: Path) -> None:
    path = signed(tmp_path / "m.safeload", team.key, [("model.onnx", "onnx.model", data)])
    with pytest.raises((UnsafeFileError, CodecError)):
        safeload.load(path, trust=team.pub)


def test_a_model_that_does_not_run_is_said(team: Keys) -> None:
    model = regression()
    model.graph.node[0].op_type = "Relu"
    with pytest.raises(CodecError, match="onnxruntime cannot take this model"):
        through(model, team)


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/onnx.md", tmp_path, team, monkeypatch)
