"""Loading in a process that has seen nothing of the models, once by joblib and once by safeload."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safeload
from safeload.cli.demo.bench import Loaded
from safeload.cli.demo.checks import check
from safeload.cli.demo.models import MODELS, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Found", "load_in_a_fresh_process", "report"]

_START = """
import sys
sys.path.append(sys.argv[2])
from safeload.cli.demo.fresh import report
sys.stdout.write(report(sys.argv[1]))
"""
_ROUNDS = 3
_SECONDS_MOST = 120


@dataclass(frozen=True, slots=True)
class Found:
    """``predictions``: the fingerprint after loading by ``joblib`` and by ``safeload``."""

    predictions: dict[str, str]
    loaded: Loaded


def load_in_a_fresh_process(folder: Path) -> dict[str, Found]:
    """What that process finds, by model."""
    # -P: a file of the current folder must not be taken for a module.
    package = str(Path(safeload.__file__).parents[1])
    command = [sys.executable, "-P", "-c", _START, str(folder), package]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=_SECONDS_MOST
    )
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    check(done.returncode == 0, f"the fresh process ended with {done.returncode}: {last}")
    return {
        name: Found(found["predictions"], Loaded(**found["seconds"])) for name, found in json.loads(done.stdout).items()
    }


def report(folder: str) -> str:
    """The fresh process's side: JSON of the fingerprints, and of the best time of each way of loading."""
    return json.dumps({name: _of_one(Path(folder), name) for name in MODELS})


def _of_one(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    import joblib

    ways: dict[str, Callable[[], Any]] = {
        "joblib": lambda: joblib.load(folder / f"{name}.joblib"),
        "safeload": lambda: safeload.load(folder / f"{name}.safeload", trust=folder / "keys"),
    }
    unseen = MODELS[name].data().unseen
    # The first round also imports scikit-learn's modules, and is not timed.
    predictions = {way: fingerprint(load(), unseen) for way, load in ways.items()}
    rounds = [{way: _seconds(load) for way, load in ways.items()} for _ in range(_ROUNDS)]
    return {"predictions": predictions, "seconds": {way: min(each[way] for each in rounds) for way in ways}}


def _seconds(load: Callable[[], Any]) -> float:
    started = time.perf_counter()
    load()
    return time.perf_counter() - started
