"""skops and safetensors: files of theirs, and objects kept by them; each through its own library, after our look."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import safeload
from safeload import Policy
from safeload.errors import CodecError, DisallowedGlobalError, SafeloadError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import through

need("skops", "safetensors", "torch", extra="skops,safetensors,torch")
import safetensors.numpy
import skops.io
import torch

if TYPE_CHECKING:
    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
X, Y = load_iris(return_X_y=True)
FILES = Path(__file__).parent.parent / "data" / "scan"


def test_an_estimator_goes_through_skops(team: Keys) -> None:
    model = RandomForestClassifier(5, random_state=0).fit(X, Y)
    assert np.array_equal(through(model, team, codec="skops").predict_proba(X), model.predict_proba(X))


def test_of_skops_the_version_of_scikit_learn_is_recorded_and_what_is_too_deep_is_said(team: Keys) -> None:
    manifest = safeload.dump(RandomForestClassifier(2).fit(X, Y), io.BytesIO(), signer=team.key, codec="skops")
    assert {"scikit-learn", "skops"} <= manifest.environment.distributions.keys()
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(CodecError, match="skops cannot keep a list"):
        safeload.dump(deep, io.BytesIO(), signer=team.key, codec="skops")


class Own:
    """A class of somebody's own."""

    def __init__(self) -> None:
        self.x = 1


def test_skops_gets_the_types_that_the_policy_allows(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "m.skops").write_bytes(skops.io.dumps(Own()))
    manifest = safeload.pack(tmp_path / "m.skops", tmp_path / "m.safeload", signer=team.key)
    assert [member.kind for member in manifest.members] == ["skops.file"]
    with pytest.raises(UnsafeFileError, match=r"frameworks\.test_others\.Own"):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)
    policy = Policy.default().allow(f"{__name__}.Own")
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub, policy=policy).x == 1


def test_a_file_of_skops_that_nobody_signed_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "m.skops").write_bytes(skops.io.dumps(RandomForestClassifier(2).fit(X, Y)))
    with pytest.raises(DisallowedGlobalError, match="skops checks no values"):
        safeload.load_untrusted(tmp_path / "m.skops")


def test_a_file_of_skops_is_converted_if_somebody_vouches_for_it(tmp_path: Path, team: Keys) -> None:
    model = RandomForestClassifier(2, random_state=0).fit(X, Y)
    (tmp_path / "m.skops").write_bytes(skops.io.dumps(model))
    policy = Policy.untrusted().allow("skops.io.load", use="call")
    manifest = safeload.convert(tmp_path / "m.skops", tmp_path / "m.safeload", signer=team.key, policy=policy)
    assert [member.kind for member in manifest.members] == ["joblib"]
    loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_call_in_a_schema_of_skops_is_refused(tmp_path: Path, team: Keys) -> None:
    node = {
        "__class__": "system", "__module__": "os", "__loader__": "ReduceNode", "__id__": 1,
        "reduce": {}, "content": {}, "protocol": 0, "_skops_version": "0.11",
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(node))
    path = signed(tmp_path / "m.safeload", team.key, [("m.skops", "skops.file", buffer.getvalue())])
    with pytest.raises(UnsafeFileError):
        safeload.load(path, trust=team.pub)


@pytest.mark.parametrize("of_torch", [False, True])
def test_tensors_go_through_safetensors(of_torch: bool, team: Keys) -> None:
    arrays = {"w": np.arange(6.0).reshape(2, 3), "b": np.zeros(3, "f4")}
    value = {key: torch.from_numpy(array) for key, array in arrays.items()} if of_torch else arrays
    loaded = through(value, team, codec="safetensors")
    assert {type(one) for one in loaded.values()} == {torch.Tensor if of_torch else np.ndarray}
    assert all(np.array_equal(np.asarray(loaded[key]), array) for key, array in arrays.items())
    with pytest.raises(CodecError):
        through({"a": 1}, team, codec="safetensors")


def written(header: Any, numbers: bytes = b"", *, of_torch: bool = False) -> bytes:
    """A file of safetensors, whatever its header says."""
    text = json.dumps({"__metadata__": {"format": "pt" if of_torch else "np"}, **header}).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def entry(dtype: str, shape: Any, start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


ONE = np.array([1.0, 2.0]).tobytes()


@pytest.mark.parametrize("of_torch", [False, True])
def test_tensors_that_begin_anywhere_are_read_and_writable(of_torch: bool, tmp_path: Path, team: Keys) -> None:
    header = {"a": entry("U8", [1], 0, 1), "b": entry("F64", [2], 1, 17), "c": entry("F32", [0, 3], 17, 17)}
    data = written(header, b"\x07" + ONE, of_torch=of_torch)
    loaded = safeload.load(signed(tmp_path / "m", team.key, [("m", "safetensors.file", data)]), trust=team.pub)
    assert [np.asarray(one).tolist() for one in loaded.values()] == [[7], [1.0, 2.0], []]
    loaded["b"][0] = 3
    assert loaded["b"].sum() == 5


@pytest.mark.parametrize("of_torch", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        ({"a": entry("F64", [2], 0, 16), "b": entry("F64", [1], 8, 16)}, ONE),
        ({"a": entry("F64", [3], 0, 24)}, ONE),
        ({"a": entry("F64", [-2], 0, 16)}, ONE),
        ({"a": entry("F64", [1], 0, 16)}, ONE),
        ({"a": entry("F64", [0, 1 << 62], 0, 0)}, b""),
        ({"a": entry("F64", [1] * 65, 0, 8)}, ONE[:8]),
        ({"a": entry("F4", [2], 0, 1)}, b"a"),
        ({"__metadata__": ["np"], "a": entry("U8", [1], 0, 1)}, b"a"),
        ({"a": ["F64", [1], [0, 8]]}, ONE[:8]),
        ({"a": entry("BOOL", [2], 0, 2)}, b"\x01\x02"),
    ],
    ids=["shared", "cut", "less than none", "longer", "huge", "deep", "unknown", "list", "odd", "half true"],
)
def test_a_header_that_says_too_much_is_refused(data: Any, of_torch: bool, tmp_path: Path, team: Keys) -> None:
    members = [("m", "safetensors.file", written(*data, of_torch=of_torch))]
    with pytest.raises(SafeloadError):
        safeload.load(signed(tmp_path / "m", team.key, members), trust=team.pub)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.skops", "model.onnx", "model.keras"])
def test_a_file_that_is_packed_comes_back_byte_for_byte_and_loads(name: str, tmp_path: Path, team: Keys) -> None:
    manifest = safeload.pack(FILES / name, tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind != "file"
    safeload.unpack(tmp_path / "m.safeload", tmp_path / name, trust=team.pub)
    assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes()
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub, environment="ignore") is not None


@pytest.mark.parametrize("kind", ["skops.file", "safetensors.file"])
def test_what_is_something_else_is_refused(kind: str, tmp_path: Path, team: Keys) -> None:
    good = {
        "skops.file": skops.io.dumps({"a": np.arange(1000)}),
        "safetensors.file": safetensors.numpy.save({"a": np.arange(1000)}),
    }[kind]
    for data in (b"", pickle.dumps(1), good[:-40], good + b"x" * 9, bytes(100)):
        path = signed(tmp_path / "m.safeload", team.key, [("m", kind, data)])
        with pytest.raises(SafeloadError):
            safeload.load(path, trust=team.pub)


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/files.md", tmp_path, team, monkeypatch)
