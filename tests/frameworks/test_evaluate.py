"""Models of frameworks beside plain files of them: what pickle can keep is measured, and what it cannot says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import safeload
from testkit.frameworks import need

need("keras", "onnx", "onnxruntime", "skops", "torch", extra="keras,onnx,skops,torch")
import keras
import torch
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys
    from safeload import Evaluation

pytestmark = pytest.mark.filterwarnings("ignore")
X, Y = load_iris(return_X_y=True)
X = X.astype("f4")


def fitted() -> LogisticRegression:
    return LogisticRegression(max_iter=500).fit(X, Y)


def measured(value: Any, folder: Path, team: Keys, *data: Any, **options: Any) -> Evaluation:
    codec = options.pop("codec", None)
    safeload.dump(value, folder / "m.safeload", signer=team.key, codec=codec)
    return safeload.evaluate(folder / "m.safeload", *data, trust=team.pub, repeats=1, **options)


def as_onnx(model: LogisticRegression) -> Any:
    """The probabilities of a fitted model, as ONNX writes them."""
    numbers = [
        numpy_helper.from_array(model.coef_.T.astype("f4"), "w"),
        numpy_helper.from_array(model.intercept_.astype("f4"), "b"),
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"]),
    ]
    place = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in (("x", 4), ("y", 3))]
    graph = helper.make_graph(nodes, "iris", place[:1], place[1:], numbers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_a_session_cannot_be_pickled_and_its_rows_say_so(tmp_path: Path, team: Keys) -> None:
    model = fitted()
    found = measured(as_onnx(model), tmp_path, team, X, Y)
    assert (found.codec, found.measure, found.score) == ("onnx", "accuracy", model.score(X, Y))
    assert found["safeload"].same
    for name in ("joblib", "pickle"):
        assert "InferenceSession" in found[name].reason
        assert f"{name}: not possible: " in str(found)


def test_a_model_of_keras_answers_alike_beside_all(
    tmp_path: Path, team: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(0.1))
    model.fit(X, Y, epochs=20, verbose=0)
    found = measured(model, tmp_path, team, X, Y)
    expected = float(np.mean(model.predict(X, verbose=0).argmax(axis=1) == Y))
    assert (found.codec, found.measure, found.score) == ("keras", "accuracy", expected)
    assert [row.same for row in found.rows] == [True] * 3
    assert capsys.readouterr().out == ""


def test_a_state_of_torch_is_asked_by_a_function(tmp_path: Path, team: Keys) -> None:
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 3)

    def predict(state: Any, data: Any) -> Any:
        network.load_state_dict(state)
        return network(torch.from_numpy(data)).detach().numpy()

    found = measured(network, tmp_path, team, X, Y, predict=predict)
    assert (found.codec, found.measure) == ("torch", "accuracy")
    assert [row.same for row in found.rows] == [True] * 3
    assert "does not predict" in measured(network, tmp_path, team, X).notes[-1]


def test_an_estimator_that_skops_keeps_is_measured(tmp_path: Path, team: Keys) -> None:
    model = fitted()
    found = measured(model, tmp_path, team, X, Y, codec="skops")
    assert (found.codec, found.score) == ("skops", model.score(X, Y))
    assert [row.same for row in found.rows] == [True] * 3
