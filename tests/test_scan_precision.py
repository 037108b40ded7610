"""Honest models have no finding that counts, whatever they were saved with."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from testkit.boosters import LIBRARIES, fitted
from testkit.estimators import composed, fitted_estimators, plain_objects
from testkit.frames import objects

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

ESTIMATORS = {name: estimator for name, estimator, _ in (*fitted_estimators(), *composed())}
PLAIN = dict(plain_objects())
COMPRESSIONS: list[Any] = [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 0), ("lzma", 0), ("lz4", 3)]


def clean(data: bytes, severity: safeload.Severity = safeload.Severity.LOW) -> safeload.FileReport:
    report = safeload.scan(io.BytesIO(data))
    (file,) = report.files
    assert [each for each in file.findings if each.severity >= severity] == []
    assert file.unread == ()
    assert report.exit_code == 0
    return file


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_no_estimator_has_a_finding_by_pickle(protocol: int) -> None:
    for estimator in ESTIMATORS.values():
        assert clean(pickle.dumps(estimator, protocol)).findings == ()


@pytest.mark.parametrize("compress", COMPRESSIONS, ids=str)
def test_no_estimator_has_a_finding_by_joblib(compress: Any) -> None:
    every = 1 if compress in (0, 3) else 10  # what is inside is the same
    for estimator in list(ESTIMATORS.values())[::every]:
        buffer = io.BytesIO()
        joblib.dump(estimator, buffer, compress=compress)
        assert clean(buffer.getvalue()).findings == ()


def test_no_plain_object_has_a_finding() -> None:
    for value in (*PLAIN.values(), *objects().values()):
        for protocol in (2, 5):
            clean(pickle.dumps(value, protocol))
            buffer = io.BytesIO()
            joblib.dump(value, buffer, protocol=protocol)
            clean(buffer.getvalue())


@pytest.mark.filterwarnings("ignore:.*booster=gblinear:UserWarning")
@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_boosters_are_said_to_be_read_by_native_code_and_nothing_more(library: str) -> None:
    for model, _ in fitted(library).values():
        file = clean(pickle.dumps(model))
        assert {each.rule for each in file.findings} <= {"SL601"}


def test_models_in_the_boosters_own_formats_are_known(tmp_path: Path) -> None:
    import catboost
    import lightgbm
    import xgboost

    inputs = np.random.default_rng(0).normal(size=(60, 3))
    target = (inputs[:, 0] > 0).astype(int)
    trees = xgboost.XGBClassifier(n_estimators=2).fit(inputs, target)
    for ending in ("json", "ubj"):
        trees.save_model(tmp_path / f"x.{ending}")
    light = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(inputs, target)
    light.booster_.save_model(tmp_path / "l.txt")
    cat = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False).fit(inputs, target)
    cat.save_model(tmp_path / "c.cbm")
    report = safeload.scan(tmp_path)
    assert report.exit_code == 0
    kinds = {file.file.rpartition("/")[2]: file.kind for file in report.files}
    assert kinds == {"x.json": "xgboost", "x.ubj": "xgboost", "l.txt": "lightgbm", "c.cbm": "catboost"}
    assert {finding.rule for finding in report.findings} == {"SL601"}


def test_arrays_of_numpy_have_no_finding() -> None:
    rng = np.random.default_rng(0)
    arrays = [
        rng.normal(size=(3, 4)),
        np.array(["a", "bcd"]),
        np.zeros((0, 3)),
        np.array(5),
        np.zeros(4, "M8[s]"),
    ]
    arrays += [np.zeros(3, [("a", "f4"), ("b", "i2", (2, 3))]), np.asfortranarray(rng.normal(size=(3, 4)))]
    arrays += [np.arange(3, dtype=">i4"), np.zeros(2, "S5"), np.zeros(2, "V7"), np.zeros(3, "?"), np.zeros(2, "c16")]
    for array in arrays:
        buffer = io.BytesIO()
        np.save(buffer, array)
        assert clean(buffer.getvalue()).kind == "npy"
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, *arrays)
        assert clean(buffer.getvalue()).kind == "npz"


def test_an_array_of_harmless_objects_is_no_finding_that_counts() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([1, "a", None, (1, 2)], dtype=object))
    assert {each.rule for each in clean(buffer.getvalue()).findings} == {"SL309"}


def test_several_harmless_pickles_in_a_row_are_no_finding_that_counts() -> None:
    file = clean(pickle.dumps(1) + pickle.dumps([2]) + pickle.dumps({"a": np.arange(3)}))
    assert {each.rule for each in file.findings} == {"SL302"}


def safetensors(tensors: dict[str, np.ndarray[Any, Any]]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values())


def test_safetensors_have_no_finding() -> None:
    file = clean(safetensors({"a": np.ones((2, 3)), "b": np.zeros(5)}))
    assert file.kind == "safetensors"
    assert file.findings == ()


def test_an_ordinary_archive_has_no_finding() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        archive.writestr("folder/readme.md", "# a model\n")
        archive.writestr("folder/config.json", '{"hidden": 5}')
        archive.writestr("model.pkl", pickle.dumps(ESTIMATORS.get("Ridge", 1)))
    assert clean(buffer.getvalue()).findings == ()


def test_a_signed_artifact_is_looked_into(team: Keys, tmp_path: Path) -> None:
    path = tmp_path / "m.safeload"
    safeload.dump([1, np.arange(3)], path, signer=team.key, compress=3)
    report = safeload.scan(path)
    assert [each.rule for each in report.findings] == ["SL501"]
    assert report.exit_code == 0
    assert safeload.scan(path, trust=team.pub).findings == ()
    assert [part.kind for part in report.files[0].parts] == ["safeload", "joblib"]
