"""Files that the frameworks wrote are looked into, loaded by the framework, and signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError, UnsafeFileError
from testkit.frameworks import need

need("torch", "keras", "onnx", "onnxruntime", extra="torch,keras,onnx")
import keras
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
FILES = Path(__file__).parent.parent / "data" / "scan"
KINDS = {
    "weights.pt": "torch.tree",
    "legacy.pt": "torch.tree",
    "model.h5": "keras.archive",
    "model.keras": "keras.archive",
    "model.onnx": "onnx.model",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_a_framework_is_converted(name: str, tmp_path: Path, team: Keys) -> None:
    manifest = safeload.convert(FILES / name, tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == KINDS[name]
    loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    if name.endswith(".pt"):
        expected = torch.load(FILES / name, weights_only=True)
        assert list(loaded) == list(expected)
        assert all(torch.equal(loaded[key], tensor) for key, tensor in expected.items())


@pytest.mark.parametrize(
    "name",
    [
        "bad.pt",
        "bad-legacy.pt",
        "bad-module.pt",
        "bad-lambda.keras",
        "bad-lambda.h5",
        "bad.hkl",
        "bad-own.hkl",
        "bad-path.onnx",
        "bad-domain.onnx",
    ],
)
def test_what_scan_finds_is_not_converted(name: str, tmp_path: Path, team: Keys) -> None:
    with pytest.raises(UnsafeFileError):
        safeload.convert(FILES / name, tmp_path / "m.safeload", signer=team.key)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("allowed", [False, True])
def test_a_pickle_in_a_file_of_hickle_is_refused_with_what_to_do(allowed: bool) -> None:
    """To allow the class would not help, so nobody says that it would."""
    with pytest.raises(UnsafeFileError) as said:
        safeload.load_untrusted(FILES / "bad-own.hkl")
    policy = safeload.Policy.default()
    if allowed:
        name = str(said.value).split(": ")[2].split(" ")[0]
        with pytest.raises(UnsafeFileError) as said:
            safeload.load_untrusted(FILES / "bad-own.hkl", policy=policy.allow(name))
    assert "whatever the policy: safeload.dump keeps the object" in str(said.value.hint)


def test_a_pickled_model_of_keras_is_refused_with_what_to_do(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    joblib.dump(model, tmp_path / "m.joblib")
    with pytest.raises(DisallowedGlobalError) as said:
        safeload.load_untrusted(tmp_path / "m.joblib")
    assert 'model.save("model.keras")' in str(said.value.hint)


@pytest.mark.parametrize("holder", [lambda model: [model], lambda model: {"a": model}])
def test_models_of_keras_in_a_container_are_refused_when_they_are_saved(
    holder: Callable[[Any], Any], tmp_path: Path, team: Keys
) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(CodecError, match="holds a model of Keras") as said:
        safeload.dump(holder(model), tmp_path / "m.safeload", signer=team.key)
    assert "codec='keras'" in str(said.value.hint)


@pytest.mark.parametrize(
    "name", ["script.pt", "exported.pt2", "model.skops", "good.7z", "model.savedmodel", "model.weights.h5"]
)
def test_what_is_not_loaded_here_is_said(name: str, tmp_path: Path, team: Keys) -> None:
    with pytest.raises(SafeloadError):
        safeload.convert(FILES / name, tmp_path / "m.safeload", signer=team.key)


def test_a_checkpoint_of_pickled_tensors_goes_on_as_numbers(tmp_path: Path, team: Keys) -> None:
    state: dict[str, Any] = {"w": torch.rand(3, 4), "epoch": 3, "deep": [{"b": torch.ones(2).bfloat16()}]}
    torch.save(state, tmp_path / "m.pt")
    safeload.convert(tmp_path / "m.pt", tmp_path / "m.safeload", signer=team.key)
    loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert torch.equal(loaded["w"], state["w"])
    assert torch.equal(loaded["deep"][0]["b"], state["deep"][0]["b"])
    assert loaded["epoch"] == 3
    data = (tmp_path / "m.safeload").read_bytes()
    assert b"_rebuild_tensor" not in data
    assert np.frombuffer(state["w"].numpy().tobytes(), "u1").tobytes() in data
