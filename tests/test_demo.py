"""The demonstration keeps its promises on real data, and fails if one is broken."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import safeload
from safeload.cli.demo import steps
from safeload.cli.demo.bench import Bench, Loaded
from safeload.cli.demo.checks import CheckFailedError
from safeload.cli.demo.fresh import Found, load_in_a_fresh_process
from safeload.cli.demo.models import MODELS
from safeload.cli.demo.refusals import REFUSALS, Refusal, malicious_pickle, refused
from test_cli_desk import run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).parent.parent
LOADED = ("one bit of the payload", "one bit of the manifest", "signed by a stranger", "the signature cut off")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The demonstration up to the fresh process."""
    bench = Bench(tmp_path_factory.mktemp("demo"))
    for step in (steps.make_keys, steps.fit, steps.save, steps.verify):
        assert step(bench)
    return bench


@pytest.fixture
def _no_marker(bench: Bench) -> Iterator[None]:
    yield
    bench.marker.unlink(missing_ok=True)


def test_the_whole_of_it_succeeds_in_a_pipe_and_leaves_no_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "safeload", "demo"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert not list(tmp_path.iterdir())
    assert "\x1b" not in done.stdout
    assert str(tmp_path) not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert f"All {len(steps.STEPS) + len(REFUSALS)} checks passed" in done.stdout
    for title in [*(subject.title for subject in MODELS.values()), *(refusal.title for refusal in REFUSALS)]:
        assert title in done.stdout
    assert done.stdout.count("safeload: error: ") == len(REFUSALS)
    assert done.stdout.count("there is no MARKER") == 2


def test_a_folder_that_is_named_keeps_files_that_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "kept"
    outcome = run(capsys, f"demo --folder {folder}")
    assert outcome.code == 0, outcome
    assert f"safeload inspect {folder}/digits.safeload" in outcome.out
    assert run(capsys, f"verify {folder}/digits.safeload --trust {folder}/keys").code == 0
    assert run(capsys, f"verify {folder}/signed-call.safeload --trust {folder}/keys").code == 0, "it is signed by team"
    assert run(capsys, f"verify {folder}/stripped.safeload --trust {folder}/keys").code == 1
    shown = run(capsys, f"inspect {folder}/cancer.safeload").out
    assert "hyperparameters.logisticregression__max_iter = 1000" in shown
    assert "scikit-learn " in shown


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.title)
def test_each_bad_file_is_refused_for_the_reason_that_is_expected(refusal: Refusal, bench: Bench) -> None:
    assert type(refused(refusal, bench)) is refusal.expected


@pytest.mark.usefixtures("_no_marker")
def test_the_malicious_pickle_is_live(bench: Bench) -> None:
    pickle.loads(malicious_pickle(bench).read_bytes())
    assert bench.marker.exists(), "a refusal of something that does nothing would prove nothing"


@pytest.mark.usefixtures("_no_marker")
@pytest.mark.parametrize("refusal", REFUSALS[-2:], ids=lambda refusal: refusal.title)
@pytest.mark.parametrize("late", [False, True], ids=["not refused", "refused too late"])
def test_a_payload_that_runs_fails_the_check(
    refusal: Refusal, late: bool, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: object, **__: object) -> Any:
        pickle.loads(malicious_pickle(bench).read_bytes())
        if late:
            raise safeload.errors.DisallowedGlobalError("x", module="os", name="system", use="called", offset=0)

    monkeypatch.setattr(safeload, "convert", careless)
    monkeypatch.setattr(safeload.Artifact, "load", careless)
    with pytest.raises(CheckFailedError, match="the payload ran"):
        refused(refusal, bench)


def test_a_converted_file_that_appears_fails_the_check(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.signed("converted")
    monkeypatch.setattr(safeload, "convert", lambda *_, **__: path.write_bytes(b""))
    with pytest.raises(CheckFailedError, match="written and signed"):
        refused(REFUSALS[-1], bench)
    path.unlink()


def test_a_loader_that_refuses_nothing_fails_the_demonstration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(safeload, "load", lambda *_, **__: None)
    monkeypatch.setitem(steps.STEPS, "load in a fresh process", lambda bench: "left out")
    monkeypatch.setattr(Bench, "figures", lambda bench: [])
    outcome = run(capsys, "demo")
    assert outcome.code == 1
    assert outcome.out.count("  FAILED  ") == len(LOADED)
    assert "4 checks FAILED" in outcome.out
    assert all(title in outcome.out.rpartition("FAILED: ")[2].replace("\n", " ") for title in LOADED)


def test_a_step_that_fails_ends_the_demonstration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(bench: Bench) -> str:
        raise OSError(28, "no space left on device")

    monkeypatch.setitem(steps.STEPS, "fit", broken)
    outcome = run(capsys, "demo")
    assert outcome.code == 1
    assert "FAILED  fit\n" in outcome.out
    assert "no space left" in outcome.out
    assert "refused" not in outcome.out


@pytest.mark.parametrize("way", ["joblib", "safeload"])
def test_other_predictions_fail_the_check(way: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_bit_off(folder: Path) -> dict[str, Found]:
        same = {name: fitted.predictions for name, fitted in bench.fitted.items()}
        return {
            name: Found({"joblib": value, "safeload": value, way: "0"}, Loaded(0, 0)) for name, value in same.items()
        }

    monkeypatch.setattr(steps, "load_in_a_fresh_process", one_bit_off)
    with pytest.raises(CheckFailedError, match=f"cancer predicts otherwise after {way}.load"):
        steps.load(bench)


def test_a_fresh_process_that_breaks_fails_the_check_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"the fresh process ended with 1: .*cancer\.joblib"):
        load_in_a_fresh_process(tmp_path)


def test_a_manifest_without_hyperparameters_fails_the_check(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = safeload.dump
    monkeypatch.setattr(safeload, "dump", lambda *a, **k: dataclasses.replace(real(*a, **k), metadata={}))
    with pytest.raises(CheckFailedError, match="cancer: the manifest has no hyperparameters"):
        steps.save(bench)
