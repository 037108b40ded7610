"""What is measured: who does what in turn, and what has to come out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
from measuring import OURS, Bound, Scene, turns, worker
from models import MODELS, arrays, trees

import safeload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Contenders = dict[str, Callable[[], float]]
    Act = Callable[["Stage", Scene], None]

__all__ = ["JOBLIB", "QUICK", "SCENES", "Stage"]

JOBLIB, BY_HAND, SKOPS, OMS = "joblib", "sha256 + joblib", "skops", "model-signing + joblib"
PEERS = (BY_HAND, SKOPS, OMS)
NUMPY = "numpy alone"
MB = 1_000_000
_SMALL_TIMES = 1_000


class Stage(NamedTuple):
    """Where it is done, how often, and the interpreter that has the peers; empty: without them."""

    folder: Path
    rounds: int
    peers: str

    @property
    def key(self) -> str:
        return str(self.folder / "team.key")

    @property
    def trust(self) -> str:
        return str(self.folder / "team.pub")

    @contextlib.contextmanager
    def model(self, make: Callable[[], Any], **options: Any) -> Iterator[tuple[Path, Path]]:
        """The model as joblib's file, in a folder of its own, and as ours."""
        folder = self.folder / "model"
        folder.mkdir()
        plain, ours = folder / "model.joblib", self.folder / "model.safeload"
        value = make()
        joblib.dump(value, plain, compress=("zlib", 3) if "compress" in options else 0)
        safeload.dump(value, ours, signer=self.key, **options)
        del value
        os.sync()  # what is written in the background is nobody's time
        try:
            yield plain, ours
        finally:
            plain.unlink()
            folder.rmdir()
            ours.unlink()


# --- loading ----------------------------------------------------------------------------------------------------------


def _load(stage: Stage, scene: Scene, make: Callable[[], Any], times: int = 1, **options: Any) -> None:
    identity = str(stage.folder / "team.identity") if "recipients" in options else None
    if identity:
        options["recipients"] = [str(stage.folder / "team.recipient")]
    with stage.model(make, **options) as (plain, ours), worker() as here:
        contenders: Contenders = {
            JOBLIB: partial(here, "joblib_load", path=str(plain), times=times),
            OURS: partial(here, "safeload_load", path=str(ours), trust=stage.trust, identity=identity, times=times),
        }
        with _peers(stage, plain) if any(bound.peer in PEERS for bound in scene.bounds) else _nobody() as others:
            scene.samples = turns(contenders | others, stage.rounds)


@contextlib.contextmanager
def _nobody() -> Iterator[Contenders]:
    yield {}


@contextlib.contextmanager
def _peers(stage: Stage, plain: Path) -> Iterator[Contenders]:
    """Those that others load the same model with, each from a file of its own, in an environment of their own."""
    if not stage.peers:
        yield {}
        return
    own, key, signature = (str(stage.folder / name) for name in ("model.skops", "p256.pem", "model.sig"))
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    with worker(stage.peers) as there:
        there("hold", path=str(plain))
        there("skops_dump", path=own)
        there("model_signing_sign", folder=str(plain.parent), signature=signature, key=key)
        os.sync()
        yield {
            BY_HAND: partial(there, "sha256_joblib_load", path=str(plain), digest=digest),
            SKOPS: partial(there, "skops_load", path=own),
            OMS: partial(there, "model_signing_load", path=str(plain), signature=signature, key=f"{key}.pub"),
        }
    Path(own).unlink()
    Path(signature).unlink()


# --- saving -----------------------------------------------------------------------------------------------------------


def _dump(stage: Stage, scene: Scene, make: Callable[[], Any]) -> None:
    source, path = stage.folder / "held.joblib", str(stage.folder / "dumped")
    joblib.dump(make(), source)
    with worker() as here:
        here("hold", path=str(source))
        os.sync()
        scene.samples = turns(
            {
                JOBLIB: partial(here, "joblib_dump", path=path),
                OURS: partial(here, "safeload_dump", path=path, signer=stage.key),
            },
            stage.rounds,
        )
    source.unlink()
    Path(path).unlink()


# --- memory -----------------------------------------------------------------------------------------------------------


def _peak(stage: Stage, scene: Scene, make: Callable[[], Any], first: Callable[[int], Any] = arrays) -> None:
    """Each time in a process of its own, divided by the size of the file. Something small comes `first`, and what is
    imported for it is in memory before."""
    small = stage.folder / "small"
    joblib.dump(first(1), f"{small}.joblib")
    safeload.dump(first(1), f"{small}.safeload", signer=stage.key)
    with stage.model(make) as (plain, ours):
        size = plain.stat().st_size

        def peak(deed: str, file: Path, **more: Any) -> float:
            with worker() as here:
                before = {"path": f"{small}{file.suffix}", **more}
                return here("peak", deed=deed, small=before, path=str(file), **more) / size

        scene.samples = turns(
            {
                JOBLIB: lambda: peak("joblib_load", plain),
                OURS: lambda: peak("safeload_load", ours, trust=stage.trust),
            },
            stage.rounds,
        )


def _forked(stage: Stage, scene: Scene, make: Callable[[], Any]) -> None:
    with stage.model(make) as (plain, ours):
        size = plain.stat().st_size

        def forked(file: Path, trust: str | None) -> float:
            with worker() as here:
                return here("forked", path=str(file), trust=trust) / size

        scene.samples = turns(
            {JOBLIB: lambda: forked(plain, None), OURS: lambda: forked(ours, stage.trust)}, stage.rounds
        )


# --- starting ---------------------------------------------------------------------------------------------------------


def _start(stage: Stage, scene: Scene, command: Callable[[str], list[str]]) -> None:
    with stage.model(MODELS["small"]) as (_, ours):
        contenders = {OURS: lambda: _seconds([sys.executable, *command(str(ours))])}
        if any(bound.peer for bound in scene.bounds):
            contenders[NUMPY] = lambda: _seconds([sys.executable, "-c", "import numpy"])
        scene.samples = turns(contenders, 2 * stage.rounds)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _verify(stage: Stage, scene: Scene) -> None:
    program = "import sys, safeload; safeload.verify(sys.argv[1], trust=sys.argv[2])"
    _start(stage, scene, lambda path: ["-c", program, path, stage.trust])


# --- the table --------------------------------------------------------------------------------------------------------


def _all(most: float) -> list[Bound]:
    """Within that of joblib, and faster than whoever else makes sure."""
    return [Bound(JOBLIB, "ratio", most), *(Bound(peer, "ratio", 1.0) for peer in PEERS)]


def _models() -> Iterator[tuple[Scene, Act]]:
    s = "seconds"
    for name, title in (
        ("forest", "RandomForestClassifier(300)"),
        ("boosting", "GradientBoostingClassifier(500)"),
        ("histograms", "HistGradientBoostingClassifier(200)"),
        ("text", "TfidfVectorizer, a million words"),
    ):
        make = MODELS[name]
        yield (
            Scene(f"load {name}", f"load {title}", s, _all(0.45 if name == "text" else 0.5)),
            partial(_load, make=make),
        )
        most = 0.5 if name == "text" else 1.1
        dumped = Scene(f"dump {name}", f"dump {title}, on the disk", s, [Bound(JOBLIB, "ratio", most)])
        yield dumped, partial(_dump, make=make)
    small = Scene("load small", "a thousand loads of a pipeline of 20 kB", s, [Bound(JOBLIB, "ratio", 2.0)])
    yield small, partial(_load, make=MODELS["small"], times=_SMALL_TIMES)


def _arrays() -> Iterator[tuple[Scene, Act]]:
    s, many, most = "seconds", partial(arrays, 400), partial(arrays, 4_000)
    yield Scene("load 400 MB", "load a dict of arrays, 400 MB", s, _all(0.8)), partial(_load, make=many)
    for name, title, bound, options in (
        ("sha256", "with SHA-256", 1.5, {"digest": "sha256"}),
        ("encrypted", "encrypted", 1.8, {"recipients": True}),
        ("zstd", "zstd, and zlib with joblib", 0.25, {"compress": ("zstd", 3)}),
    ):
        scene = Scene(f"load 400 MB {name}", f"the same, {title}", s, [Bound(JOBLIB, "ratio", bound)])
        yield scene, partial(_load, make=many, **options)
    dumped = Scene("dump 400 MB", "dump a dict of arrays, 400 MB, on the disk", s, [Bound(JOBLIB, "ratio", 1.1)])
    yield dumped, partial(_dump, make=many)
    large = Scene("load 4 GB", "load a dict of arrays, 4 GB", s, [Bound(JOBLIB, "ratio", 0.8)])
    yield large, partial(_load, make=most)


def _process() -> Iterator[tuple[Scene, Act]]:
    s, x, many = "seconds", "times the payload", partial(arrays, 400)
    peak = Scene("memory 400 MB", "most memory while 400 MB are loaded", x, [Bound("", "alone", 1.1)])
    yield peak, partial(_peak, make=many)
    peak = Scene("memory text", "most memory while the million words are loaded", x, [])
    yield peak, partial(_peak, make=MODELS["text"])
    peak = Scene("memory forest", "most memory while a forest of 100 MB is loaded", x, [Bound("", "alone", 1.1)])
    yield peak, partial(_peak, make=partial(trees, 100), first=trees)
    shared = Scene("fork", "1 GB loaded, then read by four forked processes", x, [Bound("", "alone", 1.15)])
    yield shared, partial(_forked, make=partial(arrays, 1_000))
    first = Scene("import", "`import safeload` in a new process", s, [Bound(NUMPY, "more", 0.15)])
    yield first, partial(_start, command=lambda path: ["-c", "import safeload"])
    yield Scene("verify", "a new process that verifies a small file", s, [Bound(NUMPY, "more", 0.15)]), _verify
    inspect = Scene("inspect", "`safeload inspect` of a small file", s, [Bound("", "alone", 0.3)])
    yield inspect, partial(_start, command=lambda path: ["-m", "safeload", "inspect", path])


SCENES: Mapping[str, tuple[Scene, Act]] = {
    scene.name: (scene, act) for each in (_models, _arrays, _process) for scene, act in each()
}
# Those whose ratios CI holds against the recorded ones: a minute in all.
QUICK = ("load forest", "load boosting", "load histograms", "load 400 MB", "load small")
