"""The files that frameworks read: on a disk, where they take no memory; of what was encrypted, in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from testkit.frameworks import need

need("keras", "onnx", "onnxruntime", "skops", extra="keras,onnx,skops")
import keras
import onnx
import onnxruntime
import skops.io

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

_MARKER = np.frombuffer(b"weights that nobody is to see...", "f4")


def _network() -> Any:
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(4, use_bias=False)])
    model.set_weights([_MARKER.reshape(2, 4)])
    return model


def _graph() -> Any:
    helper = onnx.helper
    place = [helper.make_tensor_value_info(name, 1, [8]) for name in ("x", "y")]
    node = helper.make_node("Add", ["x", "w"], ["y"])
    made = helper.make_graph([node], "one", place[:1], place[1:], [onnx.numpy_helper.from_array(_MARKER, "w")])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


# Codec: what is saved, and what of the framework is given a path.
KINDS: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "keras": (_network, keras.saving, "load_model"),
    "onnx": (_graph, onnxruntime, "InferenceSession"),
    "skops": (lambda: {"w": _MARKER}, skops.io, "load"),
}


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Loads a file; gives those with the numbers in them that lie in the temporary folder when the framework reads."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    def load(codec: str, path: Path, **how: Any) -> list[Path]:
        _, module, name = KINDS[codec]
        real = getattr(module, name)
        found: list[Path] = []

        def asked(*given: Any, **named: Any) -> Any:
            files = [each for each in Path(tempfile.gettempdir()).rglob("*") if each.is_file()]
            found.extend(each for each in files if not each.is_symlink() and _MARKER.tobytes() in each.read_bytes())
            return real(*given, **named)

        monkeypatch.setattr(module, name, asked)
        safeload.load(path, **how)
        monkeypatch.setattr(module, name, real)
        assert [*Path(tempfile.gettempdir()).iterdir()] == []
        return found

    return load


@pytest.mark.parametrize("codec", KINDS)
def test_it_lies_on_the_disk_unless_it_was_encrypted(
    codec: str, tmp_path: Path, team: Keys, loading: Callable[..., list[Path]]
) -> None:
    private, public = safeload.keygen(tmp_path / "machine", "x25519").paths
    value = KINDS[codec][0]()
    safeload.dump(value, tmp_path / "open", signer=team.key, codec=codec)
    safeload.dump(value, tmp_path / "secret", signer=team.key, codec=codec, recipients=[public])
    assert loading(codec, tmp_path / "open", trust=team.pub) != []
    assert loading(codec, tmp_path / "secret", trust=team.pub, identity=private) == []


@pytest.mark.parametrize("codec", KINDS)
def test_a_disk_without_room_is_none(
    codec: str, tmp_path: Path, team: Keys, loading: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    safeload.dump(KINDS[codec][0](), tmp_path / "m", signer=team.key, codec=codec)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 0}))
    assert loading(codec, tmp_path / "m", trust=team.pub) == []
