"""Scan where other programs call it: policies in files, pre-commit, a GitHub Action; and a second opinion."""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import pytest
import yaml

import safeload
from testkit.estimators import fitted_estimators

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent


class Called:
    def __reduce__(self) -> Any:
        return os.system, ("touch MARK",)


OWN = b"\x80\x04\x8c\x05mypkg\x8c\x01C\x93)\x81."
CALLED = b"\x80\x04\x8c\x05mypkg\x8c\x04make\x93)R."


# --- a policy in a file -------------------------------------------------------------------------


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_a_policy_may_stand_in_a_file(tmp_path: Path) -> None:
    policy = safeload.Policy.read(write(tmp_path / "p.toml", 'allow = ["mypkg.C"]\nallow-call = ["mypkg.make"]\n'))
    assert safeload.scan(io.BytesIO(OWN), policy=policy).exit_code == 0
    assert safeload.scan(io.BytesIO(CALLED), policy=policy).exit_code == 0
    assert safeload.scan(io.BytesIO(CALLED)).exit_code == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("allows = []", "did you mean 'allow'"),
        ('base = "everything"', "base is one of"),
        ('allow = "mypkg.C"', "lists of names"),
        ('allow = ["os"]', "not a whole module"),
        ("allow = [", "Invalid|Unclosed"),
    ],
)
def test_a_policy_that_is_none_says_what_is_wrong(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        safeload.Policy.read(write(tmp_path / "p.toml", text))


def test_the_command_takes_a_policy_and_looks_for_none(tmp_path: Path) -> None:
    (tmp_path / "own.pkl").write_bytes(OWN)
    file = write(tmp_path / "safeload.toml", 'allow = ["mypkg.C"]')
    command = [sys.executable, "-m", "safeload", "scan", "own.pkl"]

    def code(*more: str, **env: str) -> int:
        options: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, **env}, "capture_output": True}
        return subprocess.run([*command, *more], timeout=60, check=False, **options).returncode

    assert code() == 1  # though a policy lies beside it
    assert code("--policy", str(file)) == 0
    assert code(SAFELOAD_POLICY=str(file)) == 0
    assert code("--policy", "missing.toml") == 2


# --- a second opinion ---------------------------------------------------------------------------


def test_a_second_opinion_is_given_and_decides_nothing() -> None:
    report = safeload.scan(io.BytesIO(pickle.dumps(Called())), second_opinion=True)
    assert [each.rule for each in report.findings] == ["SL101", "SL602"]
    assert "posix import system" in report.findings[1].text
    assert report.findings[1].severity is safeload.Severity.INFO


def test_what_fickling_makes_of_a_pickle_is_shown_beside_ours(tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Called()))
    command = [sys.executable, "-m", "safeload", "scan", "--explain", "bad.pkl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "posix.system is called with 'touch MARK'" in done.stdout
    assert "from posix import system" in done.stdout
    assert "system('touch MARK')" in done.stdout


def test_it_says_nothing_of_what_the_policy_accounts_for() -> None:
    for _, model, _ in list(fitted_estimators())[::60]:
        buffer = io.BytesIO()
        joblib.dump(model, buffer)
        buffer.seek(0)
        assert safeload.scan(buffer, second_opinion=True).findings == ()


@pytest.mark.parametrize("data", [pickle.dumps(list(range(3_000_000))), b"\x80\x04G\x00\x00."])
def test_where_there_is_none_it_says_so_or_nothing(data: bytes) -> None:
    report = safeload.scan(io.BytesIO(data), second_opinion=True)
    assert all("no second opinion" in each.text for each in report.findings if each.rule == "SL602")


# --- pre-commit and the action ------------------------------------------------------------------


def test_the_hook_takes_models_by_their_names_and_nothing_else() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    command = hook["entry"].split()
    assert command[0] in (ROOT / "pyproject.toml").read_text("utf-8").split("[project.scripts]")[1]
    matches: Callable[[str], Any] = re.compile(hook["files"]).search
    assert all(map(matches, ["a.pkl", "models/b.joblib", "c.safetensors", "d.pt2", "e.keras", "f.onnx"]))
    assert not any(map(matches, ["a.py", "README.md", "pkl", "a.pkl.txt"]))


@pytest.fixture
def action(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The second step of the action, with this Python's safeload in the place of the one that it installs."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    place = tmp_path / "temp" / "safeload" / "bin"
    place.mkdir(parents=True)
    (place / "safeload").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m safeload "$@"\n')
    (place / "safeload").chmod(0o755)

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        given = {"PATHS": "", "FAIL_ON": "medium", "SARIF": "out.sarif", "HTML": "", **inputs}
        env = {**os.environ, **given, "RUNNER_TEMP": str(tmp_path / "temp"), "GITHUB_OUTPUT": str(tmp_path / "output")}
        script = ["bash", "-euo", "pipefail", "-c", steps[1]["run"]]
        options: dict[str, Any] = {"cwd": tmp_path, "env": env, "capture_output": True, "text": True}
        return subprocess.run(script, timeout=120, check=False, **options)

    return run


def test_the_action_fails_for_a_bad_file_and_leaves_both_reports(action: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Called()))
    done = action(PATHS="bad.pkl\n", HTML="page.html")
    assert done.returncode == 1
    assert (tmp_path / "output").read_text() == "exit-code=1\n"
    assert "SL101" in (tmp_path / "out.sarif").read_text()
    assert "<html" in (tmp_path / "page.html").read_text()


def test_a_name_of_a_file_never_becomes_a_command_of_the_action(action: Any, tmp_path: Path) -> None:
    name = "$(touch MARK) --all; touch MARK.pkl"
    (tmp_path / name).write_bytes(pickle.dumps(1))
    assert action(PATHS=f"{name}\n").returncode == 0
    assert action(PATHS="--help\n").returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir() if "MARK" in path.name) == [name]


def test_no_input_of_the_action_stands_in_a_script() -> None:
    for step in yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]:
        assert "${{" not in step["run"]
