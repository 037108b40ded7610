"""A path where a model is expected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import safeload
from safeload.errors import CodecError

if TYPE_CHECKING:
    from conftest import Keys

FILES = Path(__file__).parent / "data" / "scan"
OF_FILES = {
    "model.onnx": ("onnx", "onnx.model"),
    "model.pmml": ("pmml", "pmml.file"),
    "model.keras": ("keras", "keras.archive"),
    "model.h5": ("keras-h5", "keras-h5.file"),
    "weights.pt": ("torch", "torch.file"),
    "weights.safetensors": ("safetensors", "safetensors.file"),
    "model.skops": ("skops", "skops.file"),
}


@pytest.mark.parametrize("name", OF_FILES)
def test_a_file_of_a_codec_is_kept_as_it_is(name: str, tmp_path: Path, team: Keys) -> None:
    codec, kind = OF_FILES[name]
    for path in (FILES / name, str(FILES / name)):
        manifest = safeload.dump(path, tmp_path / "m.safeload", signer=team.key, codec=codec)
        assert [member.kind for member in manifest.members] == [kind]
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "again", trust=team.pub)
    assert (tmp_path / "again").read_bytes() == (FILES / name).read_bytes()


def test_a_folder_of_a_codec_is_kept_as_it_is(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes((FILES / "model.savedmodel").read_bytes())
    (tmp_path / "saved" / "variables").mkdir()
    manifest = safeload.dump(tmp_path / "saved", tmp_path / "m.safeload", signer=team.key, codec="tensorflow")
    assert {member.kind for member in manifest.members} == {"tensorflow.file", "tensorflow.empty"}


@pytest.mark.parametrize(("name", "codec"), [("model.onnx", "pmml"), ("weights.pt", "onnx"), ("good.pkl", "keras")])
def test_a_file_of_another_codec_is_refused(name: str, codec: str, tmp_path: Path, team: Keys) -> None:
    (tmp_path / "good.pkl").write_bytes(b"N.")
    path = tmp_path / name if name == "good.pkl" else FILES / name
    with pytest.raises(CodecError, match="is nothing that codec="):
        safeload.dump(path, tmp_path / "m.safeload", signer=team.key, codec=codec)
    assert not (tmp_path / "m.safeload").exists()


def test_a_path_without_a_codec_is_a_mistake(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)
    for path in ("model.onnx", FILES / "model.onnx", Path("no such file"), str(FILES)):
        with pytest.raises(CodecError, match="is a path, and no model"):
            safeload.dump(path, tmp_path / "m.safeload", signer=team.key)
    with pytest.raises(FileNotFoundError):
        safeload.dump("no such file", tmp_path / "m.safeload", signer=team.key, codec="onnx")
    assert not (tmp_path / "m.safeload").exists()


@pytest.mark.parametrize("text", ["", "a text", "no such file", "x" * 10_000, "a\0b", "\ud800"])
def test_a_text_is_kept_as_it_was(text: str, tmp_path: Path, team: Keys) -> None:
    safeload.dump(text, tmp_path / "m.safeload", signer=team.key)
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub) == text


def test_a_text_that_names_a_file_is_kept_on_request(tmp_path: Path, team: Keys) -> None:
    name = str(FILES / "model.onnx")
    for codec in ("joblib", "pickle"):
        safeload.dump(name, tmp_path / "m.safeload", signer=team.key, codec=codec)
        assert safeload.load(tmp_path / "m.safeload", trust=team.pub) == name


def test_an_array_of_a_file_is_loaded_from_there(tmp_path: Path, team: Keys) -> None:
    np.save(tmp_path / "a.npy", np.arange(5))
    safeload.dump(tmp_path / "a.npy", tmp_path / "m.safeload", signer=team.key, codec="numpy")
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub).tolist() == [0, 1, 2, 3, 4]


def test_a_file_that_is_converted_cannot_ask_for_another(tmp_path: Path, team: Keys) -> None:
    """A text in a file that nobody signed is a text."""
    import joblib

    joblib.dump(str(team.key), tmp_path / "m.joblib")
    safeload.convert(tmp_path / "m.joblib", tmp_path / "m.safeload", signer=team.key)
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub) == str(team.key)
