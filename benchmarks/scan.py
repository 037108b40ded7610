"""What it takes to look into a large file, a compressed one and many small ones, beside other scanners in the same run.

python benchmarks/scan.py [--peers FOLDER] [--rounds N]

`--peers` is where an environment of picklescan, modelscan, fickling and modelaudit is, or will be. Whole processes,
alternating; medians of seconds, and the most memory of any. A peer that refuses a file or cannot read it says so by its
exit code, which is shown.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pickle
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = ("picklescan", "modelscan", "fickling", "modelaudit", "typing_extensions")
COMMANDS = {
    "safeload": [sys.executable, "-m", "safeload", "scan"],
    "safeload, 2 processes": [sys.executable, "-m", "safeload", "scan", "--jobs", "2"],
    "picklescan": ["picklescan", "--path"],
    "modelscan": ["modelscan", "scan", "--path"],
    "fickling": ["fickling", "--check-safety"],
    "modelaudit": ["modelaudit", "scan"],
}
SECONDS_MAX = 300


def make(folder: Path, small: int) -> None:
    """In a process of its own: one that is started by a large one counts as large."""
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    arrays = {f"w{number}": rng.normal(size=(1_000, 2_500)) for number in range(10)}
    joblib.dump(arrays, folder / "large.joblib")
    joblib.dump(arrays, folder / "compressed.joblib", compress=3)
    forest = RandomForestClassifier(2, max_depth=3).fit(rng.random((100, 4)), rng.integers(0, 2, 100))
    many = folder / "many"
    many.mkdir()
    data = pickle.dumps(forest)
    for number in range(small):
        (many / f"m{number}.pkl").write_bytes(data)


def measure(command: list[str], path: Path) -> tuple[float, int, str]:
    """Seconds, MB, and how it ended."""
    start = time.perf_counter()
    with subprocess.Popen(
        [*command, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            seconds = time.perf_counter() - start
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return seconds, usage.ru_maxrss // 1_000, f"exit {child.returncode}"
            if seconds > SECONDS_MAX:
                os.killpg(child.pid, signal.SIGKILL)  # with whatever it started
                return seconds, 0, f"stopped after {SECONDS_MAX} s"
            time.sleep(0.002)


def commands(peers: Path | None) -> dict[str, list[str]]:
    if peers is None:
        return {name: command for name, command in COMMANDS.items() if name.startswith("safeload")}
    if not (peers / "bin").is_dir():
        subprocess.run([sys.executable, "-m", "venv", peers], check=True)
        subprocess.run([peers / "bin" / "pip", "install", "--quiet", *PEERS], check=True)
    return {
        name: command if name.startswith("safeload") else [str(peers / "bin" / command[0]), *command[1:]]
        for name, command in COMMANDS.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=10_000)
    options = parser.parse_args()
    tools = commands(options.peers)
    with tempfile.TemporaryDirectory() as folder:
        child = multiprocessing.get_context("spawn").Process(target=make, args=(Path(folder), options.small))
        child.start()
        child.join()
        cases = {
            "200 MB of arrays": "large.joblib",
            "the same, compress=3": "compressed.joblib",
            f"{options.small:,} forests of 4 kB": "many",
        }
        for what, name in cases.items():
            print(what, flush=True)
            path = Path(folder) / name
            found: dict[str, list[tuple[float, int, str]]] = {tool: [] for tool in tools}
            for _ in range(options.rounds):
                for tool, command in tools.items():
                    if not found[tool] or found[tool][0][0] < SECONDS_MAX:
                        found[tool].append(measure(command, path))
            for tool, runs in found.items():
                seconds = statistics.median(run[0] for run in runs)
                print(f"  {tool:22} {seconds:8.2f} s  {max(run[1] for run in runs):6,} MB  {runs[-1][2]}", flush=True)


if __name__ == "__main__":
    main()
