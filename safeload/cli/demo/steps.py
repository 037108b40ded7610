"""The part of the demo that must succeed, in order. Each step says in a few words what it did, or raises."""

from __future__ import annotations

import time
from importlib import metadata
from typing import TYPE_CHECKING

import safeload
from safeload.cli.demo.bench import Fitted
from safeload.cli.demo.checks import check
from safeload.cli.demo.fresh import load_in_a_fresh_process
from safeload.cli.demo.models import MODELS, fingerprint
from safeload.cli.wording import duration
from safeload.keys import short, trust_add

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.cli.demo.bench import Bench

__all__ = ["STEPS"]

_LEAST_ACCURACY = 0.5


def make_keys(bench: Bench) -> str:
    team = safeload.keygen(bench.folder / "team")
    stranger = safeload.keygen(bench.folder / "stranger")
    trust_add(bench.folder / "team.pub", bench.trust)
    check(team.keyid != stranger.keyid, "two new keys are the same key")
    return f"team.key signs; keys/ trusts team.pub, {short(team.keyid)}"


def fit(bench: Bench) -> str:
    started = time.perf_counter()
    for name, subject in MODELS.items():
        data = subject.data()
        model = subject.model().fit(data.known, data.known_labels)
        accuracy = model.score(data.unseen, data.unseen_labels)
        check(accuracy > _LEAST_ACCURACY, f"{name} has learned nothing: accuracy {accuracy:.2f}")
        bench.fitted[name] = Fitted(model, accuracy, fingerprint(model, data.unseen))
    return f"{len(bench.fitted)} pipelines in {duration(time.perf_counter() - started)}"


def save(bench: Bench) -> str:
    import joblib

    version = metadata.version("scikit-learn")
    for name, fitted in bench.fitted.items():
        joblib.dump(fitted.model, bench.plain(name))
        manifest = safeload.dump(fitted.model, bench.signed(name), signer=bench.key)
        recorded = manifest.environment.distributions.get("scikit-learn")
        check(recorded == version, f"{name}: the manifest says scikit-learn {recorded}, not {version}")
        check(manifest.metadata.get("hyperparameters"), f"{name}: the manifest has no hyperparameters")
    return f"with hyperparameters and versions (scikit-learn {version})"


def verify(bench: Bench) -> str:
    started = time.perf_counter()
    for name in bench.fitted:
        with safeload.verify(bench.signed(name), trust=bench.trust) as artifact:
            check([key.name for key in artifact.signers] == ["team"], f"{name} is not signed by team")
    return f"signed by team, every byte is as it was: {duration(time.perf_counter() - started)}"


def load(bench: Bench) -> str:
    found = load_in_a_fresh_process(bench.folder)
    for name, fitted in bench.fitted.items():
        for way, predictions in found[name].predictions.items():
            check(predictions == fitted.predictions, f"{name} predicts otherwise after {way}.load")
        bench.loaded[name] = found[name].loaded
    return "predictions are bitwise the same"


STEPS: dict[str, Callable[[Bench], str]] = {
    "keys": make_keys,
    "fit": fit,
    "save and sign": save,
    "verify": verify,
    "load in a fresh process": load,
}
