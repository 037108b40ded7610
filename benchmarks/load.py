"""Loading, verified and checked, against plain `joblib.load` of the same object in the same run.

    python benchmarks/load.py [--rounds 9] [MODEL ...]

``encrypted`` is the array again, encrypted for one recipient. The two take turns, so that a busy machine slows both;
the ratio is that of the medians.
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


ENCRYPTED = "encrypted"
CASES = [*MODELS, ENCRYPTED]


def seconds(load: Callable[[], Any]) -> float:
    start = time.perf_counter()
    value = load()
    taken = time.perf_counter() - start
    del value
    return taken


def compare(name: str, folder: Path, rounds: int) -> None:
    value = MODELS["array" if name == ENCRYPTED else name]()
    plain, signed, key = folder / "m.joblib", folder / "m.safeload", folder / "bench"
    joblib.dump(value, plain)
    recipients = [key.with_suffix(".recipient")] if name == ENCRYPTED else None
    safeload.dump(value, signed, signer=key.with_suffix(".key"), recipients=recipients)
    trust, identity = str(key.with_suffix(".pub")), str(key.with_suffix(".identity"))
    theirs, ours = [], []
    for turn in range(rounds + 1):
        pair = (
            seconds(lambda: joblib.load(plain)),
            seconds(lambda: safeload.load(signed, trust=trust, identity=identity)),
        )
        if turn:  # the first warms both
            theirs.append(pair[0])
            ours.append(pair[1])
    left, right = statistics.median(theirs), statistics.median(ours)
    print(f"{name:12} joblib.load {left:8.4f} s   safeload.load {right:8.4f} s   ratio {right / left:5.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", choices=[*CASES, []])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        safeload.keygen(Path(folder) / "bench")
        safeload.keygen(Path(folder) / "bench", "x25519")
        for name in options.models or CASES:
            compare(name, Path(folder), options.rounds)


if __name__ == "__main__":
    main()
