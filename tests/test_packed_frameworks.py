"""Files that the frameworks themselves wrote (testkit/framework_files.py), packed where none of them is installed."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import safeload
from safeload import Severity
from safeload.codecs.stated import stated_versions
from safeload.errors import EnvironmentMismatchError, MissingExtraError
from safeload.warn import EnvironmentWarning
from testkit.boosters import fitted

if TYPE_CHECKING:
    from conftest import Keys

FILES = Path(__file__).parent / "data" / "scan"
# File -> the modules that its codec needs, and the extra that brings them.
NEEDS: dict[str, tuple[list[str], str]] = {
    "model.keras": (["keras"], "keras"),
    "model.h5": (["keras"], "keras"),
    "model.json": (["keras"], "keras"),
    "data.hkl": (["h5py"], "scan"),
    "model.onnx": (["onnxruntime"], "onnx"),
    "model.pmml": (["pypmml"], "pmml"),
    "model.skops": (["skops"], "skops"),
    "model.savedmodel": (["tensorflow"], "tensorflow"),
    "weights.pt": (["torch"], "torch"),
    "legacy.pt": (["torch"], "torch"),
    "weights.safetensors": (["torch"], "torch"),
}
STATED: dict[str, tuple[str, str]] = {
    "model.keras": ("keras", "3.15.1"),
    "model.h5": ("keras", "3.15.1"),
    "data.hkl": ("hickle", "5.0.3"),
    "model.skops": ("skops", "0.16.0"),
    "model.savedmodel": ("tensorflow", "2.21.0"),
}
CHILD = """
import json, sys, warnings, safeload
warnings.simplefilter("ignore")
for path, modules in json.load(sys.stdin):
    sys.modules.update(dict.fromkeys(modules))
    try:
        safeload.load(path, trust=sys.argv[1], policy=safeload.Policy.default().allow("skops.io.load", use="call"))
        print(json.dumps(["loaded", "", ""]))
    except safeload.SafeloadError as error:
        print(json.dumps([type(error).__name__, getattr(error, "extra", ""), str(error.hint)]))
"""


def packed(name: str, folder: Path, team: Keys) -> Path:
    source = FILES / name
    if name.endswith(".savedmodel"):
        source = folder / f"{name} in a folder"
        source.mkdir()
        (source / "saved_model.pb").write_bytes((FILES / name).read_bytes())
        (source / "variables").mkdir()
    elif name.endswith(".json"):
        source = folder / f"{name} in a folder"
        source.mkdir()
        for part in ("model.json", "model.weights.h5"):
            (source / part).write_bytes((FILES / part).read_bytes())
    path = folder / f"{name}.safeload"
    safeload.pack(source, path, signer=team.key)
    return path


def without(cases: list[tuple[Path, list[str]]], team: Keys) -> list[list[str]]:
    """What a process says that has none of these modules."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(team.pub)],
        input=json.dumps([(str(path), modules) for path, modules in cases]),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_library_that_is_not_installed_is_said_with_its_extra(tmp_path: Path, team: Keys) -> None:
    cases = [(packed(name, tmp_path, team), modules) for name, (modules, _) in NEEDS.items()]
    said = dict(zip(NEEDS, without(cases, team), strict=True))
    assert {name: row[:2] for name, row in said.items()} == {
        name: ["MissingExtraError", extra] for name, (_, extra) in NEEDS.items()
    }
    assert all(f"safeload[{NEEDS[name][1]}]" in row[2] for name, row in said.items())


def test_a_library_that_saves_is_said_with_its_extra(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingExtraError) as said:
        safeload.dump({"a": np.ones(3)}, tmp_path / "m", signer=team.key, codec="safetensors")
    assert said.value.extra == "safetensors"


def test_a_model_without_its_numbers_is_packed_with_a_warning(tmp_path: Path, team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning, match=r"its numbers are in weights\.bin; pack the folder"):
        safeload.pack(FILES / "external.onnx", tmp_path / "m.safeload", signer=team.key)


def test_pack_says_whether_load_knows_a_folder(tmp_path: Path, team: Keys) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes((FILES / "external.onnx").read_bytes())
    (folder / "weights.bin").write_bytes(bytes(1_200))
    command = ["pack", folder, "-o", tmp_path / "m.safeload", "--key", team.key]
    done = subprocess.run(
        [sys.executable, "-m", "safeload", *map(str, command)], capture_output=True, text=True, check=True
    )
    assert "load knows it, and unpack gives it back" in done.stdout
    assert not done.stderr


def test_audit_looks_into_a_packed_file_of_torch(tmp_path: Path, team: Keys) -> None:
    """Whoever signed it may say that it holds weights."""
    for name in ("bad.pt", "bad-legacy.pt", "bad-module.pt"):
        manifest = safeload.pack(FILES / name, tmp_path / "m.safeload", signer=team.key)
        assert [member.kind for member in manifest.members] == ["torch.file"]
        report = safeload.scan(tmp_path / "m.safeload")
        assert max(finding.severity for finding in report.findings) >= Severity.MEDIUM, name


@pytest.mark.parametrize("name", STATED)
def test_the_version_that_a_file_states_is_in_the_manifest(name: str, tmp_path: Path, team: Keys) -> None:
    library, version = STATED[name]
    manifest = safeload.verify(packed(name, tmp_path, team), trust=team.pub).manifest
    assert dict(manifest.environment.distributions) == {library: version}


def test_a_version_that_is_another_is_said_before_anything_is_loaded(tmp_path: Path, team: Keys) -> None:
    old = tmp_path / "old.keras"
    with zipfile.ZipFile(FILES / "model.keras") as original, zipfile.ZipFile(old, "w") as copy:
        for name in original.namelist():
            copy.writestr(name, original.read(name).replace(b'"3.15.1"', b'"3.0.0"'))
    safeload.pack(old, tmp_path / "m.safeload", signer=team.key)
    with pytest.raises(EnvironmentMismatchError, match=r"keras 3\.0\.0, here"):
        safeload.load(tmp_path / "m.safeload", trust=team.pub, environment="exact")
    with (
        pytest.warns(EnvironmentWarning, match=r"keras 3\.0\.0, here"),
        contextlib.suppress(MissingExtraError),
    ):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_the_version_in_a_model_of_xgboost_is_the_one_that_wrote_it(form: str, tmp_path: Path, team: Keys) -> None:
    import xgboost

    booster = fitted("xgboost")["native"][0]
    (tmp_path / "model").write_bytes(booster.save_raw(form))
    manifest = safeload.pack(tmp_path / "model", tmp_path / "m.safeload", signer=team.key)
    assert dict(manifest.environment.distributions) == {"xgboost": xgboost.__version__}


def archive(member: str, text: bytes) -> memoryview:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(member, text)
    return memoryview(file.getvalue())


def deep(depth: int) -> memoryview:
    return memoryview(b'{"keras_version": ' + b"[" * depth)


HOSTILE: dict[str, tuple[str, str, memoryview]] = {
    "no archive": ("keras.archive", "m", memoryview(b"PK\3\4" + bytes(100))),
    "an escape sequence": ("keras.archive", "m", archive("metadata.json", b'{"keras_version": "3\x1b[2J"}')),
    "no number": ("keras.archive", "m", archive("metadata.json", b'{"keras_version": "latest"}')),
    "too long": ("keras.archive", "m", archive("metadata.json", b'{"keras_version": "%s"}' % (b"1" * 61))),
    "beyond what is read": ("keras.archive", "m", archive("metadata.json", b" " * (17 << 20) + b'"keras_version":"3"')),
    "another member": ("keras.archive", "m", archive("other.json", b'{"keras_version": "3.0.0"}')),
    "nested": ("keras-json.config", "m", deep(1_000_000)),
    "not ASCII": ("keras-json.config", "m", memoryview('{"keras_version": "3²"}'.encode())),
    "no HDF5": ("keras-h5.file", "m", memoryview(b"\x89HDF\r\n\x1a\n" + bytes(100))),
    "no graph": ("tensorflow.file", "saved_model.pb", memoryview(b"\xff" * 100)),
    "a graph cut off": ("tensorflow.file", "saved_model.pb", memoryview(b"\x12\xff\x01")),
    "another file of the folder": ("tensorflow.file", "variables/x", memoryview(b"\x12\x06\x0a\x04\x2a\x022.")),
    "a number too long": ("xgboost.model", "m", memoryview(b'{"version":[3000,0,0]}')),
    "four numbers": ("xgboost.model", "m", memoryview(b'{"version":[3,0,0,0]}')),
    "nothing": ("xgboost.model", "m", memoryview(b"")),
    "no kind that says one": ("file", "m", archive("metadata.json", b'{"keras_version": "3.0.0"}')),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_states_no_version_is_packed_without_one(name: str) -> None:
    assert stated_versions([HOSTILE[name]]) == {}
