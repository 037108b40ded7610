"""What loading a booster takes: no more than its own library, or joblib, takes for the same model."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux' account of memory"),  # noqa: PTH110
    pytest.mark.filterwarnings("ignore"),
]
CHILD = """
import sys, joblib, numpy, sklearn, safeload, {name}
ours, trust, plain, own, how = sys.argv[1:]
def status(which):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(which)) * 1024
def load(path):
    if how == "safeload":
        return safeload.load(path, trust=trust)
    return joblib.load(path) if how == "joblib" else {own}
path = dict(safeload=ours, joblib=plain, own=own)[how]
load(path + ".small")  # imports what is needed
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
model = load(path)
print(status("VmHWM") - before)
"""


def _xgboost(trees: int) -> Any:
    import xgboost

    return xgboost.XGBRegressor(n_estimators=trees, max_depth=13, n_jobs=1)


def _lightgbm(trees: int) -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(n_estimators=trees, num_leaves=4_000, min_child_samples=2, verbose=-1, n_jobs=1)


def _catboost(trees: int) -> Any:
    import catboost

    return catboost.CatBoostRegressor(iterations=trees, depth=14, verbose=0, allow_writing_files=False, thread_count=1)


# How many trees, how they are saved by their library, and loaded.
KINDS: dict[str, tuple[Callable[[int], Any], int, Callable[[Any, str], Any], str]] = {
    "xgboost": (
        _xgboost,
        70,
        lambda model, path: model.save_model(f"{path}.ubj"),
        "xgboost.Booster(model_file=path + '.ubj')",
    ),
    "lightgbm": (
        _lightgbm,
        25,
        lambda model, path: model.booster_.save_model(path),
        "lightgbm.Booster(model_file=path)",
    ),
    "catboost": (_catboost, 70, lambda model, path: model.save_model(path), "catboost.CatBoost().load_model(path)"),
}


@pytest.mark.parametrize("name", KINDS)
def test_loading_takes_no_more_than_others_need_for_it(name: str, tmp_path: Path, team: Keys) -> None:
    make, trees, save, own = KINDS[name]
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(20_000, 8)).astype("f4"), rng.normal(size=20_000)
    for ending, number, rows in (("", trees, 20_000), (".small", 2, 100)):
        model = make(number).fit(inputs[:rows], targets[:rows])
        safeload.dump(model, tmp_path / f"ours{ending}", signer=team.key)
        joblib.dump(model, tmp_path / f"plain{ending}")
        save(model, str(tmp_path / f"own{ending}"))
    size = (tmp_path / "ours").stat().st_size
    assert size > 4 << 20
    child = CHILD.format(name=name, own=own)
    paths = [tmp_path / "ours", team.pub, tmp_path / "plain", tmp_path / "own"]
    taken = {}
    for how in ("safeload", "joblib", "own"):
        command = [sys.executable, "-c", child, *map(str, paths), how]
        taken[how] = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[-1])
    assert taken["safeload"] < max(1.3 * size, taken["joblib"] + 0.3 * size, taken["own"] + 0.3 * size), (size, taken)
