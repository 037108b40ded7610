"""The fuzzer of state: valid streams of real models with other values, in other order, put together otherwise.

    python tests/fuzz/state.py --mutants 200000 --seed 1 --jobs 2 --loader safeload --out findings

Each mutant is refused or harmless. Prints figures; what is neither is kept in the folder, as a file and a line of
``findings.txt``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # a pool of threads does not survive a fork
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from fuzz.campaign import Campaign, baseline  # noqa: E402
from fuzz.families import families  # noqa: E402
from fuzz.family import KINDS  # noqa: E402

__all__ = ["main"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--loader", choices=("safeload", "pickle", "skops"), default="safeload")
    parser.add_argument("--only", default="", help="families whose name contains this")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    return parser.parse_args()


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    found = families(options.only, kinds=tuple(options.kinds))
    print(f"{len(found)} families in {time.monotonic() - begun:.1f} s", flush=True)  # noqa: T201
    if options.loader == "safeload":
        baseline(found)
    campaign = Campaign(found, options.seed, options.loader, options.out.resolve())
    figures = campaign.run(range(options.first, options.first + options.mutants), options.jobs)
    print(figures.text(), flush=True)  # noqa: T201
    return 1 if figures.deaths else 0


if __name__ == "__main__":
    sys.exit(main())
