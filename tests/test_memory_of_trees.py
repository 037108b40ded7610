"""Bytes that were copied into trees are given back: a forest is in memory once, and a little."""

from __future__ import annotations

import functools
import io
import mmap
import os
import pickle
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial import cKDTree
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.neighbors import BallTree, KDTree, KNeighborsClassifier

import safeload
from safeload import pages
from safeload.container import source
from safeload.engine import turns
from testkit.estimators import composed, fitted_estimators

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

pytestmark = pytest.mark.once

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
            if option == mmap.MADV_DONTNEED:
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
        assert bool(given) == (name != "histograms"), given  # whose nodes stay where they are


@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 40_000)), min_size=1, max_size=40), st.integers(0, 9_000)
)
@settings(max_examples=60, deadline=None)
def test_pages_of_what_was_given_back_are_zeros_and_no_byte_beside_it_is(
    stretches: list[tuple[int, int]], before: int
) -> None:
    """Where one stretch follows another, the page that both are in goes too: a huge page stays for one of its pages."""
    whole = source.allocate(pages._WORTH + before)
    whole[:] = b"\1" * len(whole)
    view, at, runs = whole[before:], 0, [[0, 0]]
    give_back = pages.returner(view)
    assert give_back is not None
    for gap, length in stretches:
        start, at = at + gap, at + gap + length
        give_back(start, at)
        if gap:
            runs.append([start, at])
        runs[-1][1] = at
    expected = np.ones(len(whole), "u1")
    for start, end in runs:
        first = -(-(before + start) // mmap.PAGESIZE) * mmap.PAGESIZE
        expected[first : max(first, (before + end) // mmap.PAGESIZE * mmap.PAGESIZE)] = 0
    assert np.array_equal(np.frombuffer(whole, "u1"), expected)


@pytest.fixture
def everything_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_SMALL", 1)
    monkeypatch.setattr(pages, "_WORTH", 0)
    monkeypatch.setattr(turns, "_BYTES_AT_ONCE", 5_000)


@functools.cache
def _several() -> dict[str, list[Any]]:
    """Objects that repeat, and whose parts are where they were read."""
    rng = np.random.default_rng(0)
    points = [rng.normal(size=(300, 4)) for _ in range(8)]
    found: dict[str, list[Any]] = {
        f"{form} matrices": [sparse.random(60, 60, density=0.3, format=form, random_state=i) for i in range(8)]
        for form in ("csr", "csc", "coo", "bsr")
    }
    found["dia matrices"] = [sparse.diags([some[:, 0], some[1:, 1]], [0, 1], format="dia") for some in points]
    found["k-d trees"] = [KDTree(some) for some in points]
    found["ball trees"] = [BallTree(some) for some in points]
    found["k-d trees of scipy"] = [cKDTree(some) for some in points]
    labels = np.arange(300) % 3
    for algorithm in ("kd_tree", "ball_tree", "brute"):
        found[f"neighbours, {algorithm}"] = [KNeighborsClassifier(algorithm=algorithm).fit(p, labels) for p in points]
    found["neighbours of matrices"] = [KNeighborsClassifier().fit(one, labels[:60]) for one in found["csr matrices"]]
    bag = BaggingClassifier(KNeighborsClassifier(algorithm="kd_tree"), n_estimators=8, random_state=0)
    found["a bag of neighbours"] = [bag.fit(points[0], labels)]
    found["arrays"] = [{"a": some, "b": some[:2]} for some in points]
    found["masked arrays"] = [np.ma.masked_less(some, 0) for some in points]
    found["generators"] = [np.random.RandomState(seed) for seed in range(8)]
    return found


@pytest.mark.parametrize("name", list(_several()))
def test_what_stays_where_it_was_read_is_not_given_back(name: str, request: pytest.FixtureRequest) -> None:
    files = [_plain(_several()[name], protocol).getvalue() for protocol in (2, 4, 5)]
    usual = [_content(safeload.load_untrusted(io.BytesIO(data))) for data in files]
    request.getfixturevalue("everything_given_back")
    for data, expected in zip(files, usual, strict=True):
        assert _content(safeload.load_untrusted(io.BytesIO(data))) == expected


def _content(value: Any) -> bytes:
    """Trees of scipy write down where they are in memory."""
    if isinstance(value, list) and isinstance(value[0], cKDTree):
        return pickle.dumps([(one.data, one.indices, one.query(one.data[::7], 5)) for one in value])
    return pickle.dumps(value)


@pytest.mark.filterwarnings("ignore")
def test_no_model_lacks_what_was_given_back(request: pytest.FixtureRequest) -> None:
    """Eight of each, so that their form is learnt."""
    models = {name: model for name, model, _ in chain(fitted_estimators(), composed())}
    files = {name: _plain([model, *(_copy(model) for _ in range(7))]).getvalue() for name, model in models.items()}
    usual = {name: pickle.dumps(safeload.load_untrusted(io.BytesIO(data))) for name, data in files.items()}
    request.getfixturevalue("everything_given_back")
    for name, data in files.items():
        assert pickle.dumps(safeload.load_untrusted(io.BytesIO(data))) == usual[name], name


def _copy(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # made here


def test_memory_that_is_locked_stays(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``mlockall`` has it: the system does not take pages back."""

    class Locked(pages.Pages):
        def madvise(self, option: int, *place: int) -> None:
            if option == mmap.MADV_DONTNEED:
                raise OSError(22, "Invalid argument")

    monkeypatch.setattr(source, "Pages", Locked)
    monkeypatch.setattr(source, "_SMALL", 1)
    monkeypatch.setattr(pages, "_WORTH", 0)
    model = MODELS["forest"]().fit(X, Y)
    safeload.dump(model, tmp_path / "m.safeload", signer=team.key)
    assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub).predict(X), model.predict(X))


def _plain(model: Any, protocol: int | None = None) -> io.BytesIO:
    file = io.BytesIO()
    joblib.dump(model, file, protocol=protocol)
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
