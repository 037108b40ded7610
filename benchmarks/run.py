"""The speed and the memory of safeload, held against joblib and others in the same run.

    python benchmarks/run.py [--rounds 7] [--peers PYTHON] [--curves] [--json FILE] [--docs FILE] [--page FILE]
                             [SCENE ...]
    python benchmarks/run.py --quick --against benchmarks/recorded.json

Each scene is a thing that two or more do in turn, so that a busy machine slows all of them; what counts is the ratio of
the medians. `--peers` names an interpreter with `benchmarks/peers.txt` installed, and the same scikit-learn. `--docs`
writes the tables between the markers of a page, `--page` a chart. `--against` fails if a ratio, as the median of three
runs, is twice the one on record; `--record` writes that. With a table, the exit code says whether all bounds are met.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chart import page
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from curves import CURVES, curve
from measuring import OURS, machine
from report import Report, lines, markdown, put, to_json
from scenes import JOBLIB, QUICK, SCENES, Stage

import safeload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from measuring import Scene

_RUNS = 3  # of the quick form
_WORSE = 2.0


def keys(folder: Path) -> None:
    safeload.keygen(folder / "team")
    safeload.keygen(folder / "team", "x25519")
    key = ec.generate_private_key(ec.SECP256R1())  # what model-signing signs with
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "p256.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "p256.pem.pub").write_bytes(public)


def measure(stage: Stage, names: Iterable[str]) -> list[Scene]:
    found = []
    for name in names:
        scene, act = SCENES[name]
        act(stage, scene)
        found.append(replace(scene))
        print("\n".join(lines(scene)), flush=True)
    return found


def ratios(stage: Stage, names: Iterable[str] = QUICK) -> dict[str, float]:
    """Of the quick scenes against joblib, the median of some runs."""
    found: dict[str, list[float]] = {}
    for _ in range(_RUNS):
        for scene in measure(stage, names):
            found.setdefault(scene.name, []).append(scene.median(OURS) / scene.median(JOBLIB))
    return {name: round(statistics.median(each), 3) for name, each in found.items()}


def settled(stage: Stage, recorded: dict[str, float]) -> dict[str, float]:
    """The ratios; what is much worse is measured once more, since who shares the machine comes and goes."""
    found = ratios(stage)
    again = ratios(stage, _worse(found, recorded))
    return found | {name: min(found[name], ratio) for name, ratio in again.items()}


def compare(found: dict[str, float], recorded: dict[str, float]) -> int:
    worse = _worse(found, recorded)
    for name, ratio in found.items():
        print(f"{name:18} {ratio:6.3f} of joblib's time; on record {recorded[name]:6.3f}")
    for name in worse:
        print(f"{name} takes more than {_WORSE:g} times what is on record", file=sys.stderr)
    return 1 if worse else 0


def _worse(found: dict[str, float], recorded: dict[str, float]) -> list[str]:
    return [name for name, ratio in found.items() if ratio > _WORSE * recorded.get(name, ratio)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="all of them: " + ", ".join(SCENES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", default="", metavar="PYTHON")
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--quick", action="store_true")
    for name in ("--json", "--docs", "--page", "--against", "--record"):
        parser.add_argument(name, type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.scenes) - set(SCENES):
        parser.error(f"no such scene: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="safeload-bench-") as folder:
        keys(Path(folder))
        stage = Stage(Path(folder), options.rounds, options.peers)
        if options.quick:
            recorded = json.loads(options.against.read_text("utf-8")) if options.against else {}
            found = settled(stage, recorded)
            if options.record:
                options.record.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
            return compare(found, recorded) if options.against else 0
        report = Report(machine(), options.rounds, measure(stage, options.scenes or SCENES))
        for title, unit, make, sizes in CURVES if options.curves else ():
            report.curves.append({"title": title, "unit": unit, "points": curve(stage, make, sizes)})
    if options.json:
        options.json.write_text(to_json(report), "utf-8")
    if options.docs:
        put(options.docs, markdown(report))
    if options.page:
        options.page.write_text(page(report), "utf-8")
    return 0 if all(scene.is_met(bound) for scene in report.scenes for bound in scene.judged()) else 1


if __name__ == "__main__":
    sys.exit(main())
