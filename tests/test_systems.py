"""benchmarks/systems.py, which makes the table of the README: no tick without a deed, and no codec without a row."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from safeload.codecs import CODECS
from test_cli_desk import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "benchmarks" / "systems.py"
ALL = ["save", "load", "verify", "audit", "convert"]
QUICK = ("NumPy array", "pickle")


@pytest.fixture(scope="module")
def systems() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES"):  # which the script sets
            patch.setenv(name, os.environ.get(name, ""))
        yield importlib.import_module("systems")


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "--rounds", "1", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of `QUICK`, as JSON."""
    path = tmp_path_factory.mktemp("systems") / "rows.json"
    done = script("--json", path, *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


def rows_of(markdown: str) -> dict[str, list[str]]:
    """The cells of each row, by the name of the system."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return {first: rest for first, *rest in cells}


def test_every_codec_has_a_row(systems: Any) -> None:
    assert {system.codec for system in systems.SYSTEMS} == set(CODECS)


def test_the_table_of_the_readme_has_these_rows_and_no_others(systems: Any) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    how = "python benchmarks/systems.py --readme README.md writes the table"
    assert readme.count(systems.BEGIN) == readme.count(systems.END) == 1, how
    rows = rows_of(readme.partition(systems.BEGIN)[2].partition(systems.END)[0])
    assert list(rows) == [system.name for system in systems.SYSTEMS], how
    for system in systems.SYSTEMS:
        ticked = [name for name, cell in zip(ALL, rows[system.name], strict=False) if cell == "✓"]
        assert set(ticked) >= set(ALL), f"{system.name}: {how}"


def test_what_was_done_is_ticked_and_figures_stand_beside_it(systems: Any, measured: Path) -> None:
    rows = rows_of(systems.table(systems.read(measured)))
    assert set(rows) == set(QUICK)
    for name, (*ticks, size, dump, load) in rows.items():
        assert ticks == ["✓"] * len(ALL), name
        assert size.endswith("kB")
        assert 0 < float(dump) < 60
        assert 0 <= float(load) < 60


def test_what_was_not_done_has_no_tick_and_a_reason(systems: Any, tmp_path: Path) -> None:
    """A system whose own file starts a program, and whose model answers otherwise each time."""
    rows = importlib.import_module("systems_rows")
    answers = iter(range(100))

    def write(folder: Path) -> Path:
        (folder / "model.pkl").write_bytes(pickle.dumps(Call(f"touch {tmp_path}/MARKER")))
        return folder / "model.pkl"

    def make() -> Any:
        return rows.Subject({"a": 1}, lambda one: next(answers), write)

    row = systems.run(rows.System("evil", ("joblib",), (), make), 1)
    assert row["done"] == ["save", "verify"]
    assert set(row["why"]) == {"load", "audit", "convert"}
    assert row["why"]["load"] == "AssertionError: it answers otherwise than the model that was saved"
    assert "system" in row["why"]["audit"]
    assert row["why"]["convert"].startswith("DisallowedGlobalError: own/model.pkl: ")
    assert row["why"]
    assert not (tmp_path / "MARKER").exists()
    known = systems.SYSTEMS[0].name
    table = systems.table({known: row})
    assert rows_of(table)[known][:5] == ["✓", "-", "✓", "-", "-"]
    assert f"- {known}, convert: DisallowedGlobalError" in table


def test_a_model_that_another_codec_keeps_is_not_ticked_as_saved(systems: Any) -> None:
    rows = importlib.import_module("systems_rows")
    row = systems.run(rows.System("other", ("numpy",), (), lambda: rows.Subject([1], repr, lambda folder: folder)), 1)
    assert row["why"]["save"] == "AssertionError: it is kept by joblib, and the row is about numpy"


def test_a_row_without_its_framework_is_not_made(systems: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rows = importlib.import_module("systems_rows")
    absent = rows.System("absent", ("joblib",), ("no_such_module",), lambda: pytest.fail("it was made"))
    assert systems.measured([absent], {}, 1) == {}
    assert "absent: not run, no_such_module is not here" in capsys.readouterr().out


def test_a_row_runs_in_another_interpreter(systems: Any) -> None:
    rows = systems.in_another(sys.executable, ["NumPy array"], 1)
    assert rows["NumPy array"]["done"] == ALL


def test_the_table_is_put_between_its_marks_and_only_if_it_is_whole(
    systems: Any, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{systems.BEGIN}\nold\n{systems.END}\n\nafter\n", "utf-8")
    rows = systems.read(measured)
    with pytest.raises(SystemExit, match=r"not measured: joblib, .*ONNX"):
        systems.put_into(readme, rows)
    monkeypatch.setattr(systems, "SYSTEMS", [each for each in systems.SYSTEMS if each.name in QUICK])
    for _ in range(2):  # the second time over the first
        systems.put_into(readme, rows)
        text = readme.read_text("utf-8")
        assert text == f"before\n\n{systems.BEGIN}\n{systems.table(rows)}{systems.END}\n\nafter\n"
    readme.write_text("no marks", "utf-8")
    with pytest.raises(SystemExit, match="does not have"):
        systems.put_into(readme, rows)
    assert readme.read_text("utf-8") == "no marks"


def test_several_runs_become_one_table(measured: Path, tmp_path: Path) -> None:
    document = json.loads(measured.read_text("utf-8"))
    for number, name in enumerate(QUICK):
        part = {**document, "systems": {name: document["systems"][name]}}
        (tmp_path / f"{number}.json").write_text(json.dumps(part), "utf-8")
    done = script("--merge", tmp_path / "0.json", tmp_path / "1.json")
    assert done.returncode == 0, done.stderr
    assert list(rows_of(done.stdout)) == ["pickle", "NumPy array"]
