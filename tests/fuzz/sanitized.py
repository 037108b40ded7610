"""Mutants that load, once more under a memory checker: reads out of bounds seldom crash.

    python tests/fuzz/sanitized.py --tool valgrind --per-family 2 --seed 1 --out sanitized

First come the unchanged models, in the same process: what the checker says of them, it would say of any use of these
libraries. Only what it says after that is printed. The libraries are as installed, not compiled for a checker:
valgrind sees every access to the heap, AddressSanitizer only those of libc's functions and misuse of the allocator.
"""

from __future__ import annotations

import argparse
import ctypes.util
import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import safeload  # noqa: E402
from fuzz.families import families  # noqa: E402
from fuzz.family import KINDS  # noqa: E402
from fuzz.loaders import LOADERS  # noqa: E402
from fuzz.mutate import Mutator  # noqa: E402
from fuzz.reports import new_reports  # noqa: E402
from fuzz.run import Outcome, Runner  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.family import Family

_REPLAY = Path(__file__).with_name("replay.py")
_VALGRIND = (
    "valgrind", "--tool=memcheck", "--error-limit=no", "--leak-check=no", "--num-callers=30", "--undef-value-errors=no",
)  # fmt: skip
_ASAN = "detect_leaks=0:allocator_may_return_null=1:halt_on_error=0:handle_segv=1"
_DEATHS_MAX = 50


def _cases(out: Path, seed: int, per_family: int, tries: int, found: list[Family]) -> int:
    """Write the unchanged models and the mutants that load; returns how many there are."""
    mutator, load = Mutator(found, seed), LOADERS["safeload"](found)
    stock = [(family.name, family.written["joblib"], family.data, family.signed) for family in found]

    def loads(index: int, stage: Callable[[str], None]) -> Outcome:
        mutant = mutator[index]
        try:
            load(mutant.data, mutant.family, mutant.writer)
        except (safeload.SafeloadError, MemoryError):
            return Outcome(mutant.family.name, "refused")
        return Outcome(mutant.family.name, "accepted")

    counts: Counter[str] = Counter()
    mutants: list[Any] = []
    for index, outcome in Runner(loads, lambda death: None).run(range(tries)):
        if outcome.kind == "accepted" and counts[outcome.family] < per_family:
            counts[outcome.family] += 1
            mutant = mutator[index]
            name = f"{index} of {mutant.family.name}: {'; '.join(mutant.steps)}"
            mutants.append((name, mutant.data, mutant.family.data, mutant.family.signed))
    for number, case in enumerate((*stock, *mutants)):
        (out / f"{number:05}.case").write_bytes(pickle.dumps((number >= len(stock), *case)))
    print(f"{len(stock)} unchanged models, {len(mutants)} mutants that load", flush=True)  # noqa: T201
    return len(stock) + len(mutants)


def _replay(out: Path, tool: str, count: int) -> Path:
    """Run all cases, going on behind one that ends the process."""
    log = out / f"{tool}.log"
    log.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1"}
    before: tuple[str, ...] = ()
    if tool == "valgrind":
        before = (*_VALGRIND, f"--log-file={out}/{tool}.part")
    else:
        library = ctypes.util.find_library("asan") or "libasan.so.8"
        thrower = ctypes.util.find_library("stdc++") or "libstdc++.so.6"  # else it does not find who throws in xgboost
        environment |= {"LD_PRELOAD": f"{library} {thrower}", "ASAN_OPTIONS": f"{_ASAN}:log_path={out}/{tool}.part"}
    first = 0
    for _ in range(_DEATHS_MAX):
        command = (*before, sys.executable, str(_REPLAY), str(out), str(log), str(first))
        result = subprocess.run(command, env=environment, check=False, capture_output=True)
        if result.returncode == 0:
            break
        last = int((out / "at").read_text())
        with log.open("a") as notes:
            notes.write(f"the process ended with {result.returncode} at case {last}\n")
            notes.write(result.stderr[-2_000:].decode("utf-8", "replace"))
        first = last + 1
        if first >= count:
            break
    return log


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", choices=("valgrind", "asan"), default="valgrind")
    parser.add_argument("--per-family", type=int, default=2)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path, default=Path("fuzz-sanitized"))
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    found = families(options.only, kinds=tuple(options.kinds))
    count = _cases(out, options.seed, options.per_family, options.tries, found)
    reports = new_reports(_replay(out, options.tool, count).read_text(errors="replace"))
    for report, cases in reports.items():
        print(f"{report}\n    {len(cases)} times, first at {cases[0]}")  # noqa: T201
    print(f"{len(reports)} new reports")  # noqa: T201
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
