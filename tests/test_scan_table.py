"""What a user would try first: sixteen files, and the exit code of the command for each."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import zipfile
from typing import TYPE_CHECKING, Any

import cloudpickle
import dill
import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from safeload.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Called:
    def __reduce__(self) -> Any:
        return os.system, ("touch MARK",)


def by_joblib(value: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, **options)
    return file.getvalue()


def by_numpy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.arange(3), b=np.ones(2))
    return file.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, data)
    return file.getvalue()


def forest() -> Any:
    return RandomForestClassifier(5, random_state=0).fit(np.arange(40).reshape(20, 2), [0, 1] * 10)


ROWS: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "a good forest": ("m.pkl", lambda: pickle.dumps(forest()), 0),
    "a good forest, compressed": ("m.joblib", lambda: by_joblib(forest(), compress=3), 0),
    "numbers": ("m.npy", lambda: by_numpy(np.arange(9)), 0),
    "several numbers": ("m.npz", npz, 0),
    "an empty file": ("m.pkl", bytes, 2),
    "a bad one, compressed": ("m.joblib", lambda: by_joblib(Called(), compress=3), 1),
    "a bad one in gzip": ("m.joblib.gz", lambda: gzip.compress(by_joblib(Called())), 1),
    "a bad one in xz": ("m.pkl.xz", lambda: lzma.compress(pickle.dumps(Called())), 1),
    "a bad one in bz2": ("m.pkl.bz2", lambda: bz2.compress(pickle.dumps(Called())), 1),
    "a call behind an array": ("m.joblib", lambda: by_joblib([np.arange(1000), Called()]), 1),
    "objects in numpy's form": ("m.npy", lambda: by_numpy(np.array([Called()])), 1),
    "objects in joblib's form": ("m.joblib", lambda: by_joblib(np.array([Called()])), 1),
    "a configuration in an archive": ("m.zip", lambda: zipped("config.dat", pickle.dumps(Called())), 1),
    "a file that is cut off": ("m.pkl", lambda: pickle.dumps(forest())[:-100], 2),
    "nothing that is known": ("m.pkl", lambda: random.Random(0).randbytes(5_000), 2),  # noqa: S311  # the same each time
    "a function by cloudpickle": ("m.pkl", lambda: cloudpickle.dumps(lambda x: x + 1), 1),
    "a function by dill": ("m.pkl", lambda: dill.dumps(lambda x: x + 1), 1),
    "a good forest by cloudpickle": ("m.pkl", lambda: cloudpickle.dumps(forest()), 0),
    # Its arrays are made by a call of what the file names: no tool can tell that from a bad one by its names.
    "a good forest by dill": ("m.pkl", lambda: dill.dumps(forest()), 1),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_exit_code_is_that_of_the_table(row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, make, code = ROWS[row]
    (tmp_path / name).write_bytes(make())
    monkeypatch.chdir(tmp_path)
    assert main(["scan", name]) == code
    assert not (tmp_path / "MARK").exists()
