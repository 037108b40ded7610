"""Keras in HDF5: whole models, architectures with weights beside them; and a model inside a Pipeline."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import safeload
from safeload import Policy
from safeload.errors import CodecError, DigestMismatchError, SafeloadError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.roundtrip import through

need("keras", extra="keras")
import h5py
import keras

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
X, CLASSES = load_iris(return_X_y=True)
X = X.astype("f4")
Y = keras.utils.to_categorical(CLASSES)
CODECS = ("keras-h5", "keras-json")
FILES = Path(__file__).parent.parent / "data" / "scan"
CALLED = ("new", "build", "reference", "call")


def sequential(*layers: Any) -> Any:
    first, last = keras.layers.Input((4,)), keras.layers.Dense(3, activation="softmax")
    return keras.Sequential([first, keras.layers.Dense(5, activation="relu"), *layers, last])


def trained(model: Any, optimizer: str = "adam", loss: Any = "categorical_crossentropy") -> Any:
    keras.utils.set_random_seed(0)
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.fit(X, Y, verbose=0, epochs=2, shuffle=False)
    return model


def graph() -> Any:
    first = keras.layers.Input((4,))
    one, two = keras.layers.Dense(3)(first), keras.layers.Dense(3)(first)
    return keras.Model(first, keras.layers.Dense(3)(keras.layers.Concatenate()([one, two])))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("make", "optimizer", "loss"),
    [
        (sequential, "adam", "categorical_crossentropy"),
        (lambda: sequential(keras.layers.BatchNormalization()), "sgd", "mse"),
        (graph, "rmsprop", keras.losses.MeanAbsoluteError()),
    ],
    ids=["layers", "with state", "a graph"],
)
def test_a_model_answers_as_it_did_and_trains_on(
    make: Callable[[], Any], optimizer: str, loss: Any, codec: str, team: Keys
) -> None:
    model = trained(make(), optimizer, loss)
    loaded = through(model, team, codec=codec)
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    losses = []
    for one in (model, loaded):
        keras.utils.set_random_seed(1)
        losses.append(one.fit(X, Y, verbose=0, epochs=1, shuffle=False).history["loss"])
    assert losses[0] == losses[1]


LOADS = """
import sys, numpy as np, safeload
model = safeload.load(sys.argv[1], trust=sys.argv[2])
np.save(sys.argv[4], model.predict(np.load(sys.argv[3]), verbose=0))
"""


@pytest.mark.parametrize("codec", CODECS)
def test_it_answers_the_same_in_another_process_and_for_keras_itself(codec: str, tmp_path: Path, team: Keys) -> None:
    model = trained(sequential())
    manifest = safeload.dump(model, tmp_path / "m.safeload", signer=team.key, codec=codec)
    assert manifest.environment.distributions["keras"] == keras.__version__
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("m.safeload", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", LOADS, paths[0], str(team.pub), *paths[1:]], check=True)
    assert np.array_equal(np.load(tmp_path / "y.npy"), model.predict(X, verbose=0))
    target = tmp_path / ("m.h5" if codec == "keras-h5" else "m")
    safeload.unpack(tmp_path / "m.safeload", target, trust=team.pub)
    if codec == "keras-h5":
        again = keras.saving.load_model(target)
    else:
        again = keras.models.model_from_json((target / "model.json").read_text("utf-8"))
        again.load_weights(target / "model.weights.h5")
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_folder_of_an_architecture_and_its_weights_is_packed_converted_and_loaded(tmp_path: Path, team: Keys) -> None:
    model, folder = trained(sequential()), tmp_path / "m"
    folder.mkdir()
    (folder / "net.json").write_text(model.to_json(), "utf-8")
    model.save_weights(folder / "net.weights.h5")
    for write in (safeload.pack, safeload.convert):
        write(folder, tmp_path / "m.safeload", signer=team.key)
        loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub, environment="ignore")
        assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "again", trust=team.pub)
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    (folder / "readme.txt").write_text("more")
    with pytest.raises(CodecError, match="none that is loaded here"):
        safeload.convert(folder, tmp_path / "n.safeload", signer=team.key)


def test_a_file_is_packed_converted_and_loaded(tmp_path: Path, team: Keys) -> None:
    model = trained(sequential())
    model.save(tmp_path / "m.h5")
    manifest = safeload.pack(tmp_path / "m.h5", tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == "keras-h5.file"
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "again.h5", trust=team.pub)
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "m.h5").read_bytes()
    safeload.convert(tmp_path / "m.h5", tmp_path / "n.safeload", signer=team.key)
    answers = model.predict(X, verbose=0)
    for path in ("m.safeload", "n.safeload"):
        loaded = safeload.load(tmp_path / path, trust=team.pub, environment="ignore")
        assert np.array_equal(loaded.predict(X, verbose=0), answers)
    assert np.array_equal(safeload.load_untrusted(tmp_path / "m.h5").predict(X, verbose=0), answers)


def test_weights_alone_are_no_model(tmp_path: Path, team: Keys) -> None:
    manifest = safeload.pack(FILES / "model.weights.h5", tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == "file"
    with pytest.raises(CodecError, match="hdf5 is a format that is not loaded here"):
        safeload.load_untrusted(FILES / "model.weights.h5")


@keras.saving.register_keras_serializable("mypkg")
class Fourfold(keras.layers.Layer):  # type: ignore[misc]  # keras is not there to mypy
    """A layer of somebody's own, which is registered."""

    def call(self, inputs: Any) -> Any:
        return inputs * 4


class Fivefold(keras.layers.Layer):  # type: ignore[misc]
    """One that is not registered."""

    def call(self, inputs: Any) -> Any:
        return inputs * 5


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("layer", [Fourfold, Fivefold])
def test_a_class_of_ones_own_loads_if_the_policy_names_it(layer: Any, codec: str, team: Keys) -> None:
    model = sequential(layer())
    with pytest.raises(UnsafeFileError, match=layer.__name__):
        through(model, team, codec=codec)
    path = "mypkg.Fourfold" if (layer, codec) == (Fourfold, "keras-h5") else f"{__name__}.{layer.__name__}"
    loaded = through(model, team, codec=codec, policy=Policy.default().allow(path, use=CALLED))
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("codec", CODECS)
def test_a_lambda_layer_is_refused_whatever_the_policy(codec: str, team: Keys) -> None:
    model = sequential(keras.layers.Lambda(lambda x: x * 2))
    for policy in (None, Policy.default().allow("keras.layers.Lambda", use=CALLED)):
        with pytest.raises(UnsafeFileError, match="a Lambda layer holds marshalled code") as caught:
            through(model, team, codec=codec, policy=policy)
        assert caught.value.rule == "SL701"


def in_config(change: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    def changed(file: Any) -> None:
        config = json.loads(file.attrs["model_config"])
        change(config["config"]["layers"][1])
        file.attrs["model_config"] = json.dumps(config)

    return changed


def in_training(change: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    def changed(file: Any) -> None:
        config = json.loads(file.attrs["training_config"])
        change(config)
        file.attrs["training_config"] = json.dumps(config)

    return changed


def relinked(name: str, link: Any) -> Callable[[Any], Any]:
    def changed(file: Any) -> None:
        del file[name]
        file[name] = link

    return changed


def outside(file: Any) -> None:
    names: list[str] = []
    file["model_weights"].visit(names.append)
    kernel = "model_weights/" + next(name for name in names if name.endswith("kernel"))
    del file[kernel]
    file.create_dataset(kernel, (4, 5), "f4", external=[("/etc/passwd", 0, 80)])


FUNCTION = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
HOSTILE: dict[str, Callable[[Any], Any]] = {
    "a function of os": in_config(lambda layer: layer["config"].update(activation=FUNCTION)),
    "a class of subprocess": in_config(lambda layer: layer.update(module="subprocess", class_name="Popen")),
    "a class that nobody knows": in_config(lambda layer: layer.update(class_name="Popen")),
    "a class that is registered": in_config(lambda layer: layer.update(class_name="mypkg>Fourfold", config={})),
    "a registered class behind one of Keras": in_config(
        lambda layer: layer.update(module="keras.layers", registered_name="mypkg>Fourfold", config={})
    ),
    "a Lambda by name": in_config(
        lambda layer: layer.update(class_name="Lambda", config={"function": "system", "function_type": "function"})
    ),
    "another model": in_config(lambda layer: layer.update(class_name="TFSMLayer", config={"filepath": "evil"})),
    "a file": in_config(lambda layer: layer.update(class_name="StringLookup", config={"vocabulary": "/etc/passwd"})),
    "an optimizer of somebody's": in_training(lambda all_: all_["optimizer_config"].update(class_name="mypkg>Own")),
    "a loss of os": in_training(lambda all_: all_.update(loss=FUNCTION)),
    "a configuration that is none": lambda file: file.attrs.update(model_config="{"),
    "a configuration of another kind": lambda file: file.attrs.update(model_config="[1, 2]"),
    "an external link": relinked("model_weights", h5py.ExternalLink("/etc/passwd", "/")),
    "a soft link": relinked("model_weights", h5py.SoftLink("/optimizer_weights")),
    "no weights": lambda file: file.__delitem__("model_weights"),
    "numbers of another file": outside,
    "a pickle": lambda file: file.create_dataset("x", data=np.void(b"\x80\x04cposix\nsystem\n\x8c\x04true\x85R.")),
}


def changed(change: Callable[[Any], Any], folder: Path) -> bytes:
    trained(sequential()).save(folder / "m.h5")
    buffer = io.BytesIO((folder / "m.h5").read_bytes())
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_what_leads_elsewhere_is_refused(name: str, team: Keys, tmp_path: Path) -> None:
    data = changed(HOSTILE[name], tmp_path)
    path = signed(tmp_path / "m.safeload", team.key, [("m.h5", "keras-h5.file", data)])
    with pytest.raises(SafeloadError):
        safeload.load(path, trust=team.pub)
    (tmp_path / "n.h5").write_bytes(data)
    with pytest.raises(SafeloadError):
        safeload.load_untrusted(tmp_path / "n.h5")


def test_a_model_that_was_not_changed_loads(team: Keys, tmp_path: Path) -> None:
    data = changed(lambda file: None, tmp_path)
    path = signed(tmp_path / "m.safeload", team.key, [("m.h5", "keras-h5.file", data)])
    assert safeload.load(path, trust=team.pub).count_params() > 0


@pytest.mark.parametrize("names", [("model.json",), ("model.weights.h5",), ("model.json", "model.json")])
def test_an_architecture_needs_its_weights(names: tuple[str, ...], team: Keys, tmp_path: Path) -> None:
    kinds = {"model.json": "keras-json.config", "model.weights.h5": "keras-json.weights"}
    members = [(f"{n}-{name}", kinds[name], (FILES / name).read_bytes()) for n, name in enumerate(names)]
    with pytest.raises(CodecError, match="not an architecture of Keras and its weights"):
        safeload.load(signed(tmp_path / "m.safeload", team.key, members), trust=team.pub)


@pytest.mark.parametrize(("config", "weights"), [("model.h5", "model.weights.h5"), ("model.json", "model.h5")])
def test_what_is_not_what_keras_writes_is_refused(config: str, weights: str, team: Keys, tmp_path: Path) -> None:
    kinds = ("keras-json.config", "keras-json.weights")
    members = [
        (f"{kind}", kind, (FILES / name).read_bytes()) for kind, name in zip(kinds, (config, weights), strict=True)
    ]
    with pytest.raises(SafeloadError):
        safeload.load(signed(tmp_path / "m.safeload", team.key, members), trust=team.pub)


def test_what_cannot_be_kept_says_so(team: Keys) -> None:
    for codec in CODECS:
        with pytest.raises(CodecError, match=r"takes a keras\.Model"):
            through([1], team, codec=codec)
    with pytest.raises(CodecError, match="this model has no weights yet"):
        through(keras.Sequential([keras.layers.Dense(3)]), team, codec="keras-json")


def test_one_changed_byte_is_refused_before_keras_sees_it(team: Keys, tmp_path: Path) -> None:
    safeload.dump(trained(sequential()), tmp_path / "m.safeload", signer=team.key, codec="keras-h5")
    data = bytearray((tmp_path / "m.safeload").read_bytes())
    data[data.index(b"model_config")] ^= 1
    (tmp_path / "m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


def test_nothing_is_left_in_the_temporary_folder(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for codec in CODECS:
        through(trained(sequential()), team, codec=codec)
    assert [*tmp_path.iterdir()] == []


def build(X: Any, y: Any) -> Any:  # noqa: N803  # as scikit-learn says
    model = sequential()
    model.compile("adam", "categorical_crossentropy")
    return model


def pipeline() -> Any:
    last = keras.wrappers.SKLearnClassifier(build, fit_kwargs={"verbose": 0, "epochs": 2})
    return make_pipeline(StandardScaler(), last).fit(X, CLASSES)


def test_a_pipeline_that_holds_a_model_says_what_to_do(team: Keys, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="this Pipeline holds a model of Keras in step 'sklearnclassifier'") as caught:
        safeload.dump(pipeline(), tmp_path / "m.safeload", signer=team.key)
    assert "keep the two apart" in str(caught.value.hint)
    assert [*tmp_path.iterdir()] == []


def test_the_two_are_kept_apart(team: Keys) -> None:
    whole = pipeline()
    before, net = through(whole[:-1], team), through(whole[-1].model_, team)
    answers = net.predict(before.transform(X), verbose=0)
    assert np.array_equal(whole[-1].classes_[answers.argmax(axis=1)], whole.predict(X))


def test_objects_without_a_model_are_kept_as_ever(team: Keys) -> None:
    scaler = StandardScaler().fit(X)
    assert np.array_equal(through(make_pipeline(scaler), team).transform(X), scaler.transform(X))
    with pytest.raises(CodecError, match="cannot be pickled"):
        through([lambda: 1], team)
