"""The rows: a model of each system, trained on data that comes with scikit-learn, and how the system itself saves it.

Another row is another function and another line of `SYSTEMS`. A row whose codec this version does not have is left out.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.codecs import CODECS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SYSTEMS", "Subject", "System"]

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


@dataclass(frozen=True, slots=True)
class Subject:
    """`value` is what is saved, ``ask(loaded)`` what it answers.

    ``write(folder)`` saves it as its system does, and says where. `into` makes what takes the state in.
    """

    value: Any
    ask: Callable[[Any], Any]
    write: Callable[[Path], Path]
    into: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class System:
    """One row. Of the `codecs` the first that there is keeps it; `needs` are modules.

    `by_name`: `dump` is told the codec, which it would not choose by itself. `vouched`: to convert the system's own
    file takes trust in whoever made it."""

    name: str
    codecs: tuple[str, ...]
    needs: tuple[str, ...]
    make: Callable[[], Subject]
    by_name: bool = False
    vouched: bool = False

    @property
    def codec(self) -> str:
        """Empty where this version has none of them."""
        return next((name for name in self.codecs if name in CODECS), "")


def _split(name: str) -> tuple[Any, Any, Any]:
    """What is learned from, with its labels, and what is asked about."""
    from sklearn import datasets

    inputs, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    return inputs[::2], labels[::2], inputs[1::2]


def _estimator(model: Any, data: str, write: Callable[[Any, Path], Path]) -> Subject:
    inputs, labels, unseen = _split(data)
    model.fit(inputs, labels)
    verbs = [verb for verb in ("predict", "predict_proba") if hasattr(model, verb)]
    return Subject(model, lambda one: [getattr(one, verb)(unseen) for verb in verbs], partial(write, model))


def _by_joblib(value: Any, folder: Path) -> Path:
    import joblib

    joblib.dump(value, folder / "model.joblib", compress=3)
    return folder / "model.joblib"


def _by_pickle(value: Any, folder: Path) -> Path:
    (folder / "model.pkl").write_bytes(pickle.dumps(value))
    return folder / "model.pkl"


def _pickle() -> Subject:
    from sklearn.svm import SVC

    return _estimator(SVC(), "digits", _by_pickle)


def _joblib() -> Subject:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _estimator(HistGradientBoostingClassifier(max_iter=30, random_state=0), "breast_cancer", _by_joblib)


def _forest() -> Subject:
    from sklearn.ensemble import RandomForestClassifier

    return _estimator(RandomForestClassifier(random_state=0), "digits", _by_joblib)


def _pipeline() -> Subject:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return _estimator(make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)), "breast_cancer", _by_joblib)


def _array() -> Subject:
    import numpy as np

    inputs, _, _ = _split("digits")

    def write(folder: Path) -> Path:
        np.save(folder / "model.npy", inputs)
        return folder / "model.npy"

    return Subject(inputs, lambda one: one, write)


def _arrays() -> Subject:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    inputs, labels, unseen = _split("iris")
    model = LogisticRegression(max_iter=500).fit(inputs, labels)
    value = {"w": model.coef_.T, "b": model.intercept_}

    def write(folder: Path) -> Path:
        np.savez(folder / "model.npz", **value)
        return folder / "model.npz"

    return Subject(value, lambda one: unseen @ np.asarray(one["w"]) + np.asarray(one["b"]), write)


def _safetensors() -> Subject:
    from safetensors.numpy import save_file

    of_numpy = _arrays()

    def write(folder: Path) -> Path:
        save_file(of_numpy.value, folder / "model.safetensors")
        return folder / "model.safetensors"

    return Subject(of_numpy.value, of_numpy.ask, write)


def _booster(library: str, model: Any, own: Callable[[Any, Path], Path], ask: Callable[[Any, Any], Any]) -> Subject:
    """`own` saves in the library's format, which its codec takes; ``ask(model, data)`` also asks what comes of that."""
    inputs, labels, unseen = _split("breast_cancer")
    model.fit(inputs, labels)
    write = own if library in CODECS else _by_joblib
    return Subject(model, lambda one: ask(one, unseen), partial(write, model))


def _xgboost() -> Subject:
    import xgboost

    def own(model: Any, folder: Path) -> Path:
        model.save_model(folder / "model.ubj")
        return folder / "model.ubj"

    def ask(one: Any, data: Any) -> Any:
        return getattr(one, "get_booster", lambda: one)().inplace_predict(data)

    return _booster("xgboost", xgboost.XGBClassifier(n_estimators=30, random_state=0), own, ask)


def _lightgbm() -> Subject:
    import lightgbm

    def own(model: Any, folder: Path) -> Path:
        model.booster_.save_model(folder / "model.txt")
        return folder / "model.txt"

    def ask(one: Any, data: Any) -> Any:
        return getattr(one, "booster_", one).predict(data)

    return _booster("lightgbm", lightgbm.LGBMClassifier(n_estimators=30, random_state=0, verbose=-1), own, ask)


def _catboost() -> Subject:
    import catboost

    def own(model: Any, folder: Path) -> Path:
        model.save_model(str(folder / "model.cbm"))
        return folder / "model.cbm"

    def ask(one: Any, data: Any) -> Any:
        return one.predict(data, prediction_type="RawFormulaVal")

    model = catboost.CatBoostClassifier(iterations=30, random_seed=0, verbose=0, allow_writing_files=False)
    return _booster("catboost", model, own, ask)


def _skops() -> Subject:
    import skops.io
    from sklearn.ensemble import RandomForestClassifier

    def write(model: Any, folder: Path) -> Path:
        skops.io.dump(model, folder / "model.skops")
        return folder / "model.skops"

    return _estimator(RandomForestClassifier(30, random_state=0), "breast_cancer", write)


def _torch() -> Subject:
    import torch

    inputs, labels, unseen = (torch.from_numpy(each) for each in _split("iris"))
    torch.manual_seed(0)

    def network() -> Any:
        return torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3)).double()

    trained = network()
    optimizer = torch.optim.Adam(trained.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(trained(inputs), labels).backward()
        optimizer.step()

    def ask(state: Any) -> Any:
        asked = network()
        asked.load_state_dict(state)
        with torch.no_grad():
            return asked(unseen).numpy()

    def write(folder: Path) -> Path:
        torch.save(trained.state_dict(), folder / "model.pt")
        return folder / "model.pt"

    return Subject(trained.state_dict(), ask, write)


def _network() -> tuple[Any, Callable[[Any], Any]]:
    """A trained model of Keras, and how one is asked."""
    import keras

    inputs, labels, unseen = _split("iris")
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(0.01))
    model.fit(inputs, labels, epochs=20, verbose=0)
    return model, lambda one: one.predict(unseen, verbose=0)


def _keras(name: str) -> Subject:
    model, ask = _network()

    def write(folder: Path) -> Path:
        model.save(folder / name)
        return folder / name

    return Subject(model, ask, write)


def _keras_json() -> Subject:
    model, ask = _network()

    def write(folder: Path) -> Path:
        (folder / "model.json").write_text(model.to_json(), "utf-8")
        model.save_weights(folder / "model.weights.h5")
        return folder

    return Subject(model, ask, write)


def _tensorflow() -> Subject:
    import tensorflow as tf

    inputs, labels, unseen = _split("iris")
    inputs, unseen = tf.constant(inputs, tf.float32), tf.constant(unseen, tf.float32)

    class Linear(tf.Module):  # type: ignore[misc]  # of another environment
        def __init__(self) -> None:
            super().__init__()
            self.w, self.b = tf.Variable(tf.zeros([4, 3])), tf.Variable(tf.zeros([3]))

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])  # type: ignore[untyped-decorator]
        def __call__(self, data: Any) -> Any:
            return data @ self.w + self.b

    model = Linear()
    for _ in range(50):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, model(inputs)))
        for variable, gradient in zip((model.w, model.b), tape.gradient(loss, (model.w, model.b)), strict=True):
            variable.assign_sub(0.1 * gradient)

    def write(folder: Path) -> Path:
        tf.saved_model.save(model, str(folder / "model"))
        return folder / "model"

    return Subject(model, lambda one: one(unseen).numpy(), write)


def _pmml() -> Subject:
    from nyoka import skl_to_pmml
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs, labels, unseen = _split("iris")
    model = make_pipeline(StandardScaler(), RandomForestClassifier(30, random_state=0)).fit(inputs, labels)

    def ask(one: Any) -> list[int]:
        """Labels: of an evaluator they stand behind the probabilities."""
        if one is model:
            return [int(label) for label in model.predict(unseen)]
        return [int(answer[-1]) for answer in one.predict(unseen.tolist())]

    def write(folder: Path) -> Path:
        names = [f"x{number}" for number in range(inputs.shape[1])]
        skl_to_pmml(model, names, "target", str(folder / "model.pmml"))
        return folder / "model.pmml"

    return Subject(model, ask, write)


def _hickle() -> Subject:
    import hickle

    of_numpy = _arrays()

    def write(folder: Path) -> Path:
        hickle.dump(of_numpy.value, str(folder / "model.hkl"))
        return folder / "model.hkl"

    return Subject(of_numpy.value, of_numpy.ask, write)


def _onnx() -> Subject:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from sklearn.linear_model import LogisticRegression

    inputs, labels, unseen = _split("iris")
    fitted = LogisticRegression(max_iter=500).fit(inputs, labels)
    numbers = {"w": fitted.coef_.T.astype("f4"), "b": fitted.intercept_.astype("f4")}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"]),
    ]
    place = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in (("x", 4), ("y", 3))]
    kept = [numpy_helper.from_array(array, name) for name, array in numbers.items()]
    graph = helper.make_graph(nodes, "iris", place[:1], place[1:], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)

    def ask(one: Any) -> Any:
        session = one if hasattr(one, "run") else onnxruntime.InferenceSession(one.SerializeToString())
        return session.run(None, {"x": unseen.astype("f4")})

    def write(folder: Path) -> Path:
        onnx.save(model, folder / "model.onnx")
        return folder / "model.onnx"

    return Subject(model, ask, write)


_ROWS = (
    System("pickle", ("pickle", "joblib"), ("sklearn",), _pickle, by_name=True),
    System("joblib", ("joblib",), ("sklearn",), _joblib),
    System("scikit-learn forest", ("joblib",), ("sklearn",), _forest),
    System("scikit-learn pipeline", ("joblib",), ("sklearn",), _pipeline),
    System("XGBoost", ("xgboost", "joblib"), ("xgboost",), _xgboost, vouched=True),
    System("LightGBM", ("lightgbm", "joblib"), ("lightgbm",), _lightgbm, vouched=True),
    System("CatBoost", ("catboost", "joblib"), ("catboost",), _catboost, vouched=True),
    System("NumPy array", ("numpy",), ("numpy",), _array),
    System("NumPy dict of arrays", ("numpy",), ("numpy",), _arrays),
    System("PyTorch state dict", ("torch",), ("torch",), _torch),
    System("Keras `.keras`", ("keras",), ("keras",), lambda: _keras("model.keras")),
    System("Keras `.h5`", ("keras-h5",), ("keras", "h5py"), lambda: _keras("model.h5"), by_name=True),
    System("Keras JSON and weights", ("keras-json",), ("keras", "h5py"), _keras_json, by_name=True),
    System("TensorFlow SavedModel", ("tensorflow",), ("tensorflow",), _tensorflow),
    System("ONNX", ("onnx",), ("onnx", "onnxruntime"), _onnx),
    System("PMML", ("pmml",), ("nyoka", "pypmml"), _pmml, by_name=True),
    System("Hickle", ("hickle",), ("hickle",), _hickle, by_name=True),
    System("skops", ("skops",), ("skops",), _skops, by_name=True, vouched=True),
    System("safetensors", ("safetensors",), ("safetensors",), _safetensors, by_name=True),
)
SYSTEMS = tuple(system for system in _ROWS if system.codec)
