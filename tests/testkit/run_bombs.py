"""Load each bomb in a process of its own; print what was raised, and how many MiB and seconds it took, as JSON.

Seconds are of processor time, and beside them stands what a peer takes here: `pickle` in Python, for a list of
`_PEER` integers, which is a second on a machine like that of docs/performance.md.

python -m testkit.run_bombs
"""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import sys
import time

import numpy  # noqa: F401  # what every load needs is not the bombs' doing

import safeload
import safeload.engine.tables
from testkit.bombs import BOMBS

_SECONDS = 60  # of processor time; for whatever does not end
_PEER = 1_500_000
_AGAIN = 2


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _peer() -> float:
    stream = pickle.dumps([*range(_PEER)])
    start = time.process_time()
    pickle._loads(stream)  # type: ignore[attr-defined]
    return time.process_time() - start


def _load(data: bytes) -> tuple[str, int, float]:
    before, start, kind = _peak(), time.process_time(), "loaded"
    try:
        safeload.load_untrusted(io.BytesIO(data))
    except safeload.SafeloadError as error:
        kind = type(error).__name__
    return kind, (_peak() - before) >> 10, time.process_time() - start


def _in_a_child(data: bytes) -> tuple[str, int, float]:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        os.write(write, json.dumps(_load(data)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    kind, size, seconds = json.loads(text) if text else ("killed", -1, _SECONDS)
    return str(kind), int(size), float(seconds)


def main() -> None:
    safeload.load_untrusted(io.BytesIO(pickle.dumps(0)))
    peer, outcomes = _peer(), {}
    for name, make in BOMBS.items():
        data = make()
        outcomes[name] = _in_a_child(data)
        # What shares the processor slows some moments, of which the best is nearest to the truth.
        for _ in range(_AGAIN * (outcomes[name][2] > peer / 2)):
            outcomes[name] = min(outcomes[name], _in_a_child(data), key=lambda outcome: outcome[2])
        peer = max(peer, _peer()) if outcomes[name][2] > peer / 2 else peer
    json.dump({"peer": peer, "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()
