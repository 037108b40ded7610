"""Every system whose models safeload keeps: what it did with one just now, and how long that took.

    python benchmarks/systems.py [--python MODULE=PYTHON]... [--json FILE] [--readme README.md] [SYSTEM ...]
    python benchmarks/systems.py --merge a.json b.json --readme README.md

A row is made from a model that is trained in this run. Each tick is something that just succeeded: *save* (dump),
*load* (and the same answers), *verify* (and a changed byte is refused), *audit* (`scan` reads the system's own file and
ours to the end and finds nothing), *convert* (the system's own file is converted, loaded, and gives the same answers).
Seconds are medians. What did not succeed is said below the table, and the exit code is 1 unless the row foresees it.

`--python torch=/path/to/python` runs rows that need torch in that interpreter, where this one has none. `--readme`
writes the table between `<!-- systems:begin -->` and `<!-- systems:end -->`; without it, the table is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from systems_checks import CHECKS, run
from systems_rows import SYSTEMS

from safeload.text import size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from systems_rows import System

BEGIN, END = "<!-- systems:begin -->", "<!-- systems:end -->"
HEADERS = ("system", *CHECKS, "file size", "dump s", "load s")
ROOT = Path(__file__).resolve().parent.parent
Rows = dict[str, dict[str, Any]]


def lacking(system: System) -> str:
    """The first module that the row needs, and that is not here; empty if all are."""
    return next((name for name in system.needs if importlib.util.find_spec(name) is None), "")


def measured(systems: Sequence[System], pythons: Mapping[str, str], rounds: int) -> Rows:
    """The rows of those systems that an interpreter is named for, or that run in this one."""
    rows: Rows = {}
    elsewhere: dict[str, list[str]] = {}
    for system in systems:
        module = lacking(system)
        python = next((pythons[name] for name in system.needs if module and name in pythons), None)
        if python:
            elsewhere.setdefault(python, []).append(system.name)
        elif module:
            print(f"{system.name}: not run, {module} is not here; --python {module}=PYTHON says where", flush=True)
        else:
            rows[system.name] = run(system, rounds)
            print(f"{system.name}: {' '.join(rows[system.name]['done']) or 'nothing'}", flush=True)
    for python, names in elsewhere.items():
        rows |= in_another(python, names, rounds)
    return rows


def in_another(python: str, names: list[str], rounds: int) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "rows.json"
        command = [python, __file__, "--json", str(found), "--rounds", str(rounds), *names]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment, check=False)  # its exit code is about its rows
        return read(found) if found.exists() else {}


def read(path: Path) -> Rows:
    rows: Rows = json.loads(path.read_text("utf-8"))["systems"]
    return rows


def table(rows: Rows) -> str:
    """Markdown, in the order of the systems; and below it what did not succeed."""
    lines = [f"| {' | '.join(HEADERS)} |", f"|---|{':-:|' * len(CHECKS)}---:|---:|---:|"]
    remarks = []
    for system in (each for each in SYSTEMS if each.name in rows):
        row = rows[system.name]
        ticks = ["✓" if check in row["done"] else "-" for check in CHECKS]
        figures = [size(row["size"]), f"{row['dump']:.3f}", f"{row['load']:.3f}"] if row["size"] else ["-"] * 3
        lines.append(f"| {' | '.join([system.name, *ticks, *figures])} |")
        remarks += [f"- {system.name}, {check}: {why}" for check, why in row["why"].items()]
    return "\n".join([*lines, *(["", *remarks] if remarks else [])]) + "\n"


def put_into(readme: Path, rows: Rows) -> None:
    """Between the two marks. A table without one of the rows would say that the system is not there."""
    if absent := [system.name for system in SYSTEMS if system.name not in rows]:
        raise SystemExit(f"not measured: {', '.join(absent)}; {readme} stays as it is")
    text = readme.read_text("utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{readme} does not have {BEGIN} and {END} once each")
    before, _, rest = text.partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{table(rows)}{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", choices=[*(each.name for each in SYSTEMS), []])
    parser.add_argument("--python", action="append", default=[], metavar="MODULE=PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--merge", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--readme", type=Path, metavar="FILE")
    options = parser.parse_args()
    chosen = [each for each in SYSTEMS if not options.systems or each.name in options.systems]
    rows: Rows = {}
    for path in options.merge:
        rows |= read(path)
    if not options.merge:
        rows = measured(chosen, dict(pair.split("=", 1) for pair in options.python), options.rounds)
    if options.json:
        found = {"systems": rows, "python": platform.python_version(), "machine": platform.machine()}
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    if options.readme:
        put_into(options.readme, rows)
    elif not options.json:
        print(table(rows))
    return 0 if not any(row["why"] for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
