"""Loading, verified and checked, against plain `joblib.load` of the same object in the same run.

    python benchmarks/load.py [--rounds 9] [MODEL ...]

The two take turns, so that a busy machine slows both; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
from models import MODELS

import safeload

if TYPE_CHECKING:
    from collections.abc import Callable


def seconds(load: Callable[[], Any]) -> float:
    start = time.perf_counter()
    value = load()
    taken = time.perf_counter() - start
    del value
    return taken


def compare(name: str, folder: Path, rounds: int) -> None:
    value = MODELS[name]()
    plain, signed, key = folder / "m.joblib", folder / "m.safeload", folder / "bench"
    joblib.dump(value, plain)
    safeload.dump(value, signed, signer=key.with_suffix(".key"))
    trust = str(key.with_suffix(".pub"))
    theirs, ours = [], []
    for turn in range(rounds + 1):
        pair = seconds(lambda: joblib.load(plain)), seconds(lambda: safeload.load(signed, trust=trust))
        if turn:  # the first warms both
            theirs.append(pair[0])
            ours.append(pair[1])
    left, right = statistics.median(theirs), statistics.median(ours)
    print(f"{name:12} joblib.load {left:8.4f} s   safeload.load {right:8.4f} s   ratio {right / left:5.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", choices=[*MODELS, []])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        safeload.keygen(Path(folder) / "bench")
        for name in options.models or MODELS:
            compare(name, Path(folder), options.rounds)


if __name__ == "__main__":
    main()
