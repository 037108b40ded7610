"""Bytes that were copied into trees are given back: a forest is in memory once, and a little."""

from __future__ import annotations

import io
import mmap
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)

import safeload
from safeload import pages
from safeload.container import source
from safeload.engine import turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

X, Y = load_breast_cancer(return_X_y=True)
MODELS: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(30, random_state=0),
    "numbers": lambda: ExtraTreesRegressor(30, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=30, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=30, random_state=0),
    "isolation": lambda: IsolationForest(n_estimators=30, random_state=0),
}
CHILD = """
import sys, pickle, numpy as np, joblib, safeload
path, trust, small, how = sys.argv[1:]
load = joblib.load if how == "joblib" else lambda path: safeload.load(path, trust=trust)
load(small)
def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
model = load(path)
print(status("VmHWM") - before)
x = np.random.default_rng(1).normal(size=(100, 6)).astype("f4")
np.save(path + ".npy", model.predict(x))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux' account of memory")  # noqa: PTH110
def test_a_forest_takes_its_size_and_little_more(tmp_path: Path, team: Keys) -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(20_000, 6)).astype("f4"), rng.normal(size=20_000)
    paths = {}
    for name, trees in (("small", 2), ("large", 45)):
        model = RandomForestRegressor(trees, random_state=0, max_samples=500 if name == "small" else None)
        model.fit(inputs, targets)
        safeload.dump(model, tmp_path / name, signer=team.key)
        paths[name] = tmp_path / name
    size = paths["large"].stat().st_size
    assert size > 64 << 20
    arguments = [paths["large"], team.pub, paths["small"], "safeload"]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, arguments)], capture_output=True, check=True, text=True
    )
    assert int(done.stdout) < 1.3 * size  # without, twice
    expected = model.predict(np.random.default_rng(1).normal(size=(100, 6)).astype("f4"))
    assert np.array_equal(np.load(f"{paths['large']}.npy"), expected)


@pytest.mark.parametrize("at_once", [1, 5_000, 1 << 30])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_made_is_the_same(
    name: str, at_once: int, tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros instead of bytes would be other trees."""
    model = MODELS[name]().fit(X, Y)
    safeload.dump(model, tmp_path / "m.safeload", signer=team.key)
    usual = pickle.dumps(safeload.load(tmp_path / "m.safeload", trust=team.pub))
    given: list[int] = []
    whole = pages.Pages.madvise

    class Pages(pages.Pages):
        def madvise(self, option: int, *place: int) -> None:
            if place:
                given.append(place[1])
            whole(self, option, *place)

    monkeypatch.setattr(source, "Pages", Pages)
    monkeypatch.setattr(source, "_SMALL", 1)
    monkeypatch.setattr(pages, "_WORTH", 0)
    monkeypatch.setattr(turns, "_BYTES_AT_ONCE", at_once)
    loads: list[Callable[[], Any]] = [
        lambda: safeload.load(tmp_path / "m.safeload", trust=team.pub),
        lambda: safeload.load_untrusted(_plain(model)),
    ]
    for load in loads:
        given.clear()
        loaded = load()
        assert pickle.dumps(loaded) == usual
        assert np.array_equal(loaded.predict(X), model.predict(X))
        # Trees of boosting are smaller than a page; those of histograms stay where they are.
        assert bool(given) == (name != "histograms" and (name, at_once) != ("boosting", 1)), given


def _plain(model: Any) -> io.BytesIO:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return file


def test_only_whole_pages_within_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_WORTH", 0)
    memory = source.allocate(3 << 20)
    memory[:] = b"\x01" * (3 << 20)
    view = memory[100:]
    give_back = pages.returner(view)
    assert give_back is not None
    give_back(0, 4_000)  # no whole page
    give_back(5_000, 5_000)
    assert memory[:20_000] == b"\x01" * 20_000
    give_back(10_000, 30_000)
    zeros = [at for at in range(len(view)) if not view[at]]
    page = mmap.PAGESIZE
    first, behind = -(-(10_100) // page) * page - 100, 30_100 // page * page - 100
    assert zeros == list(range(first, behind))


def test_memory_of_somebody_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_WORTH", 0)
    assert pages.returner(memoryview(bytearray(1 << 20))) is None
    assert pages.returner(memoryview(mmap.mmap(-1, 1 << 20))) is None
    monkeypatch.undo()
    assert pages.returner(source.allocate(2 << 20)) is None  # so little is not worth it
