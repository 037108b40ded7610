"""Run by sanitized.py under a memory checker: load each case and use it, and copy what the checker writes meanwhile.

replay.py FOLDER LOG FIRST
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import warnings
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import safeload  # noqa: E402
from fuzz.exercise import exercise  # noqa: E402
from fuzz.loaders import load_safely  # noqa: E402


def main() -> None:
    folder, log, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    sys.stdout = io.StringIO()  # a model may be told to be verbose
    parts: dict[Path, int] = {}
    with log.open("a") as notes:
        for file in sorted(folder.glob("*.case")):
            mutant, name, data, rows, signed = pickle.loads(file.read_bytes())
            if mutant and int(file.stem) < first:
                continue  # those that are unchanged come again in every process: they are what is compared with
            (folder / "at").write_text(str(int(file.stem)))
            notes.write(f"=== {'mutant' if mutant else 'unchanged'} {file.stem}: {name}\n")
            try:
                exercise(load_safely(data, signed=signed), rows)
            except (safeload.SafeloadError, MemoryError):
                notes.write("refused\n")
            for part in folder.glob("*.part*"):
                written = part.read_text(errors="replace")
                notes.write(written[parts.get(part, 0) :])
                parts[part] = len(written)
            notes.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
