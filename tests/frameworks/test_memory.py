"""What loading takes: the model's size and little more, or what the framework takes by itself, where that is more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import safeload
from testkit.frameworks import need

need("keras", "onnx", "onnxruntime", "safetensors", "skops", extra="keras,onnx,safetensors,skops")
import keras
import onnx
import safetensors.numpy
import skops.io

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

ROWS, COLUMNS = 1_000, 40_000
SIZE = ROWS * COLUMNS * 4


def weights(columns: int) -> Any:
    return np.random.default_rng(0).normal(size=(ROWS, columns)).astype("f4")


def network(columns: int) -> Any:
    model = keras.Sequential([keras.layers.Input((ROWS,)), keras.layers.Dense(columns)])
    model.compile()
    return model


def deep_network(columns: int) -> Any:
    """Of as many weights, in layers as real ones have them."""
    width = ROWS if columns > 1 else 8
    layers = [keras.layers.Dense(width) for _ in range(COLUMNS // ROWS)]
    model = keras.Sequential([keras.layers.Input((width,)), *layers])
    model.compile()
    return model


def graph(columns: int) -> Any:
    helper, tensor = onnx.helper, onnx.TensorProto.FLOAT
    place = [helper.make_tensor_value_info(name, tensor, [None, n]) for name, n in (("x", ROWS), ("y", columns))]
    parameters = [onnx.numpy_helper.from_array(weights(columns), "w")]
    made = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "one", place[:1], place[1:], parameters)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def save_in_two(model: Any, path: str) -> None:
    Path(f"{path}.json").write_text(model.to_json(), "utf-8")
    model.save_weights(path)


_FROM_TWO = """
keras.models.model_from_json(open(path + ".json").read())
value.load_weights(path)
""".strip()
# Codec: what makes the model, how it is written without safeload, what reads that, and what is imported before.
KINDS: dict[str, tuple[Callable[[int], Any], Callable[[Any, str], Any], str, str]] = {
    "keras": (network, lambda model, path: model.save(path), "keras.saving.load_model(path)", "keras"),
    "keras-h5": (network, lambda model, path: model.save(path), "keras.saving.load_model(path)", "keras"),
    "keras-json": (network, save_in_two, _FROM_TWO, "keras"),
    "onnx": (graph, onnx.save, "onnxruntime.InferenceSession(path)", "onnxruntime"),
    "safetensors": (
        lambda columns: {"w": weights(columns)},
        safetensors.numpy.save_file,
        "safetensors.numpy.load_file(path)",
        "safetensors.numpy",
    ),
    "skops": (lambda columns: {"w": weights(columns)}, skops.io.dump, "skops.io.load(path)", "skops.io"),
}
_ENDINGS = {"keras-h5": "h5", "keras-json": "weights.h5"}  # by which Keras knows what to do
_LOADS = """
import sys, {imported}, safeload
path, trust = sys.argv[1:]
value = {how}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak(path: Path, team: Keys, imported: str, how: str) -> int:
    """The most memory of a process that loads `path`, in bytes."""
    command = [sys.executable, "-c", _LOADS.format(imported=imported, how=how), str(path), str(team.pub)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout.split()[-1]) * 1024


def taken(codec: str, tmp_path: Path, team: Keys, make: Callable[[int], Any]) -> tuple[int, int]:
    """How much more we, and the framework itself, take for a large model than for a small one."""
    _, write, read, imported = KINDS[codec]
    found = []
    for name, how in (("ours", "safeload.load(path, trust=trust)"), ("theirs", read)):
        peaks = []
        for columns in (1, COLUMNS):
            path, model = tmp_path / f"{name}-{columns}.{_ENDINGS.get(codec, codec)}", make(columns)
            if name == "ours":
                safeload.dump(model, path, signer=team.key, codec=codec)
            else:
                write(model, str(path))
            peaks.append(peak(path, team, imported, how))
            path.unlink()
        found.append(peaks[1] - peaks[0])
    return found[0], found[1]


@pytest.mark.parametrize("codec", KINDS)
def test_loading_takes_no_more_than_the_framework_itself_or_the_model(codec: str, tmp_path: Path, team: Keys) -> None:
    ours, theirs = taken(codec, tmp_path, team, KINDS[codec][0])
    assert ours < max(1.3 * SIZE, theirs + 0.1 * SIZE)


def test_an_archive_of_keras_takes_less_than_keras_itself_which_reads_all_weights_at_once(
    tmp_path: Path, team: Keys
) -> None:
    ours, theirs = taken("keras", tmp_path, team, deep_network)
    assert ours < theirs - 0.5 * SIZE
