"""ONNX: a model of scikit-learn's, run by onnxruntime; and what a session would read or run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
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
    from pathlib import Path

    from conftest import Keys

X = np.random.default_rng(0).normal(size=(50, 4)).astype("f4")
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


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
