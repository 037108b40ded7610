"""What takes turns, and what came of it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["OURS", "Bound", "Scene", "Worker", "machine", "turns", "worker"]

OURS = "safeload"
_WORKER = Path(__file__).with_name("worker.py")
_LIBRARIES = ("safeload", "joblib", "numpy", "scikit-learn", "blake3", "cryptography")


class Worker:
    """A process of worker.py."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers

    def __call__(self, do: str, **arguments: Any) -> float:
        """What that gave. Raises RuntimeError with what the process says."""
        print(json.dumps({"do": do, **arguments}), file=self._orders, flush=True)
        answer = json.loads(self._answers.readline() or '{"error": "the process ended"}')
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return float(answer["found"])


@contextlib.contextmanager
def worker(python: str = sys.executable, processors: int = 0) -> Iterator[Worker]:
    """A process for this, on so many processors; 0 means all there are."""
    command = [python, str(_WORKER)]
    some = sorted(os.sched_getaffinity(0))[: processors or None]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, some),
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        yield Worker(process.stdin, process.stdout)


class Bound(NamedTuple):
    """What has to be at most `most`: a median of ours, divided by the median of `peer`, or less it, or by itself."""

    peer: str
    kind: Literal["ratio", "more", "alone"]
    most: float


@dataclass
class Scene:
    """One thing that several do in turn. `samples` are in `unit`, by who did it."""

    name: str
    what: str
    unit: str
    bounds: list[Bound]
    samples: dict[str, list[float]] = field(default_factory=dict)

    def median(self, who: str) -> float:
        return statistics.median(self.samples[who])

    def found(self, bound: Bound) -> float:
        ours = self.median(OURS)
        if bound.kind == "ratio":
            return ours / self.median(bound.peer)
        return ours - self.median(bound.peer) if bound.kind == "more" else ours

    def judged(self) -> list[Bound]:
        """The bounds of which there is something to say: not of who was not there."""
        return [bound for bound in self.bounds if not bound.peer or bound.peer in self.samples]

    def is_met(self, bound: Bound) -> bool:
        return self.found(bound) <= bound.most


def turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Samples of each, who take turns, so that a busy machine slows all of them. The first turn warms, and is none."""
    samples: dict[str, list[float]] = {who: [] for who in contenders}
    for turn in range(rounds + 1):
        for who, deed in contenders.items():
            found = deed()
            if turn:
                samples[who].append(found)
    return samples


def machine() -> dict[str, Any]:
    """On what it was measured."""
    processors, memory = (Path(f"/proc/{name}").read_text("utf-8").splitlines() for name in ("cpuinfo", "meminfo"))
    model = next((line.partition(":")[2].strip() for line in processors if line.startswith("model name")), "")
    return {
        "processor": model or platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory": next(int(line.split()[1]) * 1024 for line in memory if line.startswith("MemTotal")),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }
