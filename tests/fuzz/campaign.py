"""A campaign: load each mutant, use what comes out, count, and keep what is neither refused nor harmless."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import safeload
from fuzz.exercise import exercise
from fuzz.figures import Figures
from fuzz.loaders import LOADERS
from fuzz.mutate import Mutator
from fuzz.run import Death, Outcome, Runner
from fuzz.tokens import write
from testkit.estimators import same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fuzz.family import Family

__all__ = ["Campaign", "baseline"]

_TELL = 10_000


def baseline(families: Sequence[Family]) -> None:
    """Unchanged, every stream loads, and what it holds predicts the same to the last bit."""
    load = LOADERS["safeload"](families)
    for family in families:
        for writer, tree in family.trees.items():
            loaded = load(write(tree.tokens), family, writer)
            if family.data is not None and not same(
                family.answers(family.value, family.data), family.answers(loaded, family.data)
            ):
                raise AssertionError(f"{family.name}, {writer}: not the same")


class Campaign:
    """All mutants of one seed against one loader."""

    def __init__(self, families: Sequence[Family], seed: int, loader: str, out: Path) -> None:
        self._mutator = _mutator(families, seed, loader)
        self._load = LOADERS[loader](families)
        self._loader, self._seed, self._out = loader, seed, out
        self._scratch = ""

    def run(self, indices: range, jobs: int = 1) -> Figures:
        begun = time.monotonic()
        total = Figures(self._loader)
        gc.freeze()  # or each child would copy every page to look at it
        step = -(-len(indices) // jobs)
        shares = [indices[at : at + step] for at in range(0, len(indices), step)]
        with tempfile.TemporaryDirectory() as self._scratch, ThreadPoolExecutor(jobs) as pool:
            for figures in pool.map(self._share, shares):
                total.add(figures)
        total.seconds = time.monotonic() - begun
        return total

    def _share(self, indices: range) -> Figures:
        figures = Figures(self._loader)

        def died(death: Death) -> None:
            figures.deaths.append(death)
            figures.families[self._mutator[death.number].family.name, "death"] += 1
            self._keep(death.number, f"{death.signal} while {death.stage}, {'alone' if death.alone else 'not alone'}")

        for index, outcome in Runner(self._work, died).run(indices):
            figures.outcomes[outcome.kind] += 1
            kind = "accepted" if outcome.kind == "hungry" else outcome.kind
            figures.families[outcome.family, kind] += 1
            if outcome.kind in ("hungry", "loose error", "out of memory"):
                self._keep(index, f"{outcome.kind}: {outcome.note}")
            elif outcome.kind == "not made":
                print(f"{index} was not made: {outcome.note}", flush=True)  # noqa: T201
            if (index + 1) % _TELL == 0:
                print(f"{index + 1:,}: {len(figures.deaths)} deaths", flush=True)  # noqa: T201
        return figures

    def _work(self, index: int, stage: Callable[[str], None]) -> Outcome:
        os.chdir(self._scratch)  # for what a mutant might write
        try:
            mutant = self._mutator[index]
        except Exception as error:
            return Outcome("", "not made", f"{type(error).__name__}: {error}")
        name = mutant.family.name
        stage("loading")
        try:
            value = self._load(mutant.data, mutant.family, mutant.writer)
        except MemoryError:
            return Outcome(name, "out of memory")
        except safeload.SafeloadError as error:
            return Outcome(name, "refused", type(error).__name__)
        except Exception as error:
            kind = "loose error" if self._loader == "safeload" else "refused"
            return Outcome(name, kind, f"{type(error).__name__}: {error}")
        stage("using")
        hungry = exercise(value, mutant.family.data)
        return Outcome(name, "hungry" if hungry else "accepted", ", ".join(hungry))

    def _keep(self, index: int, what: str) -> None:
        mutant = self._mutator[index]
        file = self._out / f"{self._loader}-{self._seed}-{index}.bin"
        file.write_bytes(mutant.data)
        line = {"index": index, "what": what, "family": mutant.family.name, "writer": mutant.writer}
        with (self._out / "findings.txt").open("a") as notes:
            notes.write(json.dumps({**line, "steps": mutant.steps}) + "\n")


def _mutator(families: Sequence[Family], seed: int, loader: str) -> Any:
    if loader == "skops":
        from fuzz.skops_files import SkopsMutator

        return SkopsMutator(families, seed)
    return Mutator(families, seed)
