"""Load each bomb in a process of its own; print what was raised and how many MiB it took, as JSON.

python -m testkit.run_bombs
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys

import numpy  # noqa: F401  # what every load needs is not the bombs' doing

import safeload
import safeload.engine.tables
from testkit.bombs import BOMBS

_SECONDS = 60  # of processor time; for whatever does not end


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _load(data: bytes) -> tuple[str, int]:
    before = _peak()
    try:
        safeload.load_untrusted(io.BytesIO(data))
    except safeload.SafeloadError as error:
        return type(error).__name__, (_peak() - before) >> 10
    return "loaded", (_peak() - before) >> 10


def _in_a_child(name: str) -> tuple[str, int]:
    data = BOMBS[name]()
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
    kind, size = json.loads(text) if text else ("killed", -1)
    return str(kind), int(size)


def main() -> None:
    json.dump({name: _in_a_child(name) for name in BOMBS}, sys.stdout)


if __name__ == "__main__":
    main()
