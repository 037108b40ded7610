"""Keras: models of every way of building them, trained, saved, loaded, trained on; and what Keras would run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import safeload
from safeload import Policy
from safeload.errors import CodecError, DigestMismatchError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import through

need("keras", extra="keras")
import keras

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
IRIS = load_iris()
X = IRIS.data.astype("f4")
Y = (IRIS.target == 2).astype("f4")[:, None]


def sequential() -> Any:
    layers = [keras.layers.Dense(3, activation="relu"), keras.layers.BatchNormalization()]
    return keras.Sequential([keras.layers.Input((4,)), *layers, keras.layers.Dense(1, activation="sigmoid")])


def functional() -> Any:
    first = keras.layers.Input((4,))
    one, two = keras.layers.Dense(3)(first), keras.layers.Dense(3)(first)
    return keras.Model(first, keras.layers.Dense(1)(keras.layers.Concatenate()([one, two])))


def recurrent() -> Any:
    first = keras.layers.Input((4,))
    cells = keras.layers.GRU(5)(keras.layers.Reshape((4, 1))(first))
    return keras.Model(first, keras.layers.Dense(1)(cells))


MODELS: dict[str, Callable[[], Any]] = {"layers": sequential, "a graph": functional, "recurrent": recurrent}


def trained(build: Callable[[], Any]) -> Any:
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(X, Y, verbose=0, epochs=2, shuffle=False)
    return model


@pytest.mark.parametrize("name", MODELS)
def test_a_model_answers_as_it_did_and_trains_on(name: str, team: Keys) -> None:
    model = trained(MODELS[name])
    loaded = through(model, team)
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


def test_it_answers_the_same_in_another_process(tmp_path: Path, team: Keys) -> None:
    model = trained(sequential)
    manifest = safeload.dump(model, tmp_path / "m.safeload", "zstd", signer=team.key)
    assert [member.kind for member in manifest.members] == ["keras.archive"]
    assert manifest.environment.distributions["keras"] == keras.__version__
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("m.safeload", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", LOADS, paths[0], str(team.pub), *paths[1:]], check=True)
    assert np.array_equal(np.load(tmp_path / "y.npy"), model.predict(X, verbose=0))


@keras.saving.register_keras_serializable("mypkg")
class Triple(keras.layers.Layer):  # type: ignore[misc]  # keras is not there to mypy
    """A layer of somebody's own."""

    def call(self, inputs: Any) -> Any:
        return inputs * 3


class Plain(keras.layers.Layer):  # type: ignore[misc]
    """One that is not registered."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


@pytest.mark.parametrize(("layer", "path"), [(Triple, f"{__name__}.Triple"), (Plain, f"{__name__}.Plain")])
def test_a_class_of_ones_own_loads_if_the_policy_names_it(layer: Any, path: str, team: Keys) -> None:
    model = keras.Sequential([keras.layers.Input((4,)), layer()])
    with pytest.raises(UnsafeFileError):
        through(model, team)
    policy = Policy.default().allow(path, use=("new", "build", "reference", "call"))
    assert np.array_equal(through(model, team, policy=policy).predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("codec", ["keras", "keras-h5", "keras-json"])
def test_what_a_policy_has_to_name_is_said_when_the_model_is_saved(codec: str, team: Keys, tmp_path: Path) -> None:
    def warned(*layers: Any, **options: Any) -> str:
        model = keras.Sequential([keras.layers.Input((4,)), *layers])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", safeload.PolicyWarning)
            safeload.dump(model, tmp_path / "m.safeload", signer=team.key, codec=codec)
        return "".join(str(each.message) for each in caught if each.category is safeload.PolicyWarning)

    assert warned(keras.layers.Dense(2, activation="relu")) == ""
    assert ("mypkg>Triple" if codec == "keras-h5" else f"--allow-call {__name__}.Triple") in warned(Triple())
    assert "loading this will be refused: " in warned(keras.layers.Lambda(lambda x: x))
    assert "unregistered is a function of somebody's own" in warned(keras.layers.Dense(2, activation=unregistered))


@keras.saving.register_keras_serializable("mypkg")  # type: ignore[untyped-decorator]
def registered(*values: Any) -> Any:
    """A loss, a metric or an activation."""
    return values[0] if len(values) == 1 else keras.ops.mean((values[0] - values[1]) ** 4)


def unregistered(*values: Any) -> Any:
    return registered(*values)


def _with(loss: Any = "mse", metric: Any = "mae", activation: Any = None) -> Any:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation=activation)])
    model.compile("adam", loss, metrics=[metric])
    return model


# An architecture has no loss and no metric, and into HDF5 Keras writes names that it does not look for again.
_PLACES = [("keras", place) for place in ("loss", "metric", "activation")] + [
    ("keras-h5", "activation"),
    ("keras-json", "activation"),
]


@pytest.mark.parametrize(("codec", "place"), _PLACES)
@pytest.mark.parametrize("function", [registered, unregistered])
def test_a_function_of_ones_own_loads_if_the_policy_names_it(
    codec: str, function: Any, place: str, team: Keys, tmp_path: Path
) -> None:
    safeload.dump(_with(**{place: function}), tmp_path / "m", signer=team.key, codec=codec)
    with pytest.raises(UnsafeFileError, match=function.__name__):
        safeload.load(tmp_path / "m", trust=team.pub)
    package = "mypkg" if function is registered else __name__
    policy = Policy.default().allow(f"{package}.{function.__name__}", use=("new", "build", "reference", "call"))
    loaded = safeload.load(tmp_path / "m", trust=team.pub, policy=policy)
    if place == "activation":
        assert loaded.layers[-1].activation is function
    else:
        loaded.fit(X, X[:, :1], verbose=0)
        if place == "loss":
            assert loaded.loss is function
        else:  # Keras names a result by the function that gives it
            assert function.__name__ in loaded.evaluate(X, X[:, :1], verbose=0, return_dict=True)


NAMED = {
    "loss": "mypkg>registered",
    "loss of an output": {"name": "mypkg>registered"},
    "metrics": ["mypkg>registered"],
    "metrics of outputs": [["mae"], ["mypkg>registered"]],
    "metrics of an output": {"vocabulary": ["mypkg>registered"], "config": "mae"},
    "activation": "mypkg>registered",
}


@pytest.mark.parametrize("where", NAMED)
def test_a_function_that_is_named_by_a_text_alone_is_named_too(where: str, team: Keys, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        if where == "activation":
            layer(config, -1)["config"]["activation"] = NAMED[where]
        else:
            config["compile_config"][where.partition(" ")[0]] = NAMED[where]

    path = archive(team, tmp_path, change, _with)
    with pytest.raises(UnsafeFileError, match="mypkg>registered is a class or function of somebody's own"):
        safeload.load(path, trust=team.pub)


def test_a_class_that_is_registered_under_no_module_is_named_as_it_is_registered(team: Keys, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        layer(config).update(module=None, class_name="Triple", config={}, registered_name="mypkg>Triple")

    path = archive(team, tmp_path, change, lambda: keras.Sequential([keras.layers.Input((4,)), keras.layers.ReLU()]))
    with pytest.raises(UnsafeFileError, match="mypkg>Triple is a class or function of somebody's own"):
        safeload.load(path, trust=team.pub)
    policy = Policy.default().allow("mypkg.Triple", use=("new", "build", "reference", "call"))
    loaded = safeload.load(path, trust=team.pub, policy=policy)
    assert np.array_equal(loaded.predict(X, verbose=0), 3 * X)


def archive(
    team: Keys, tmp_path: Path, change: Callable[[dict[str, Any]], Any], build: Callable[[], Any] = sequential
) -> Path:
    """A model whose configuration is changed before it is signed."""
    build().save(tmp_path / "m.keras")
    buffer = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return signed(tmp_path / "m.safeload", team.key, [("model.keras", "keras.archive", buffer.getvalue())])


def layer(config: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = config["config"]["layers"][number]
    return found


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a function of os": lambda c: layer(c)["config"].update(
        activation={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    ),
    "a class of subprocess": lambda c: layer(c).update(
        module="subprocess", class_name="Popen", registered_name="Popen"
    ),
    "another model": lambda c: layer(c).update(
        module="keras.layers", class_name="TFSMLayer", config={"filepath": "evil"}, registered_name=None
    ),
    "a file": lambda c: layer(c).update(
        module="keras.layers", class_name="StringLookup", config={"vocabulary": "/etc/passwd"}, registered_name=None
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_configuration_that_leads_elsewhere_is_refused(name: str, team: Keys, tmp_path: Path) -> None:
    with pytest.raises(UnsafeFileError):
        safeload.load(archive(team, tmp_path, CHANGES[name]), trust=team.pub)


def test_a_configuration_that_was_not_changed_loads(team: Keys, tmp_path: Path) -> None:
    assert safeload.load(archive(team, tmp_path, lambda config: None), trust=team.pub).count_params() > 0


def test_a_lambda_layer_is_refused_whatever_the_policy(team: Keys) -> None:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    for policy in (None, Policy.default().allow("keras.layers.Lambda")):
        with pytest.raises(UnsafeFileError, match="a Lambda layer holds marshalled code") as caught:
            through(model, team, policy=policy)
        assert caught.value.rule == "SL701"


@pytest.mark.parametrize("kind", ["h5", "pickle", "cut off", "empty"])
def test_what_is_no_archive_is_refused(kind: str, team: Keys, tmp_path: Path) -> None:
    sequential().save(tmp_path / "m.h5")
    sequential().save(tmp_path / "m.keras")
    data = {
        "h5": (tmp_path / "m.h5").read_bytes(),
        "pickle": b"\x80\x02cos\nsystem\nU\x09touch MARK\x85R.",
        "cut off": (tmp_path / "m.keras").read_bytes()[:-200],
        "empty": b"",
    }[kind]
    path = signed(tmp_path / "m.safeload", team.key, [("model.keras", "keras.archive", data)])
    with pytest.raises((UnsafeFileError, CodecError)):
        safeload.load(path, trust=team.pub)


def test_one_changed_byte_is_refused_before_keras_sees_it(team: Keys, tmp_path: Path) -> None:
    safeload.dump(trained(sequential), tmp_path / "m.safeload", signer=team.key)
    data = bytearray((tmp_path / "m.safeload").read_bytes())
    data[data.index(b"config.json")] ^= 1
    (tmp_path / "m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


def test_nothing_is_left_in_the_temporary_folder(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    through(trained(sequential), team)
    assert [*tmp_path.iterdir()] == []


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/keras.md", tmp_path, team, monkeypatch)
