"""Opcodes a second of the analysis, on the stream of a text model of a million words and on a forest's.

python benchmarks/analysis.py
"""

from __future__ import annotations

import argparse
import io
import pickletools
import statistics
import time

import joblib
from models import MODELS

from safeload.engine.tables import WATCHED
from safeload.readers.joblib import analyse


def opcodes(data: bytes, holes: list[tuple[int, int]]) -> int:
    """How many opcodes stand between the raw arrays, counted by `pickletools`."""
    joined, at = bytearray(), 0
    for start, end in holes:
        joined += data[at:start]
        at = end
    return sum(1 for _ in pickletools.genops(bytes(joined + data[at:])))


def measure(name: str, rounds: int) -> None:
    file = io.BytesIO()
    joblib.dump(MODELS[name](), file)
    data = file.getvalue()
    stream = analyse(memoryview(data), watch=WATCHED)
    count = opcodes(data, [(array.end_of_build, array.end) for array in stream.every_array() if array.nested is None])
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        analyse(memoryview(data), watch=WATCHED)
        taken.append(time.perf_counter() - start)
    seconds = statistics.median(taken)
    print(
        f"{name:12} {count:>10,} opcodes in {seconds:7.4f} s   {count / seconds / 1e6:5.1f} million a second",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    for name in options.models or ("text", "forest", "boosting"):
        measure(name, options.rounds)


if __name__ == "__main__":
    main()
