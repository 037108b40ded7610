"""The command as a process: how it starts, what it imports, and how it ends when the world goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from test_cli_desk import lay

pytestmark = pytest.mark.once

CHECKOUT = Path(__file__).parent.parent
HEAVY = {"numpy", "scipy", "sklearn", "joblib", "pandas", "rich", "fickling"}
LIST_IMPORTS = """
import contextlib, io, json, sys
from safeload.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


def python(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **(env or {})}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, check=False, stdin=subprocess.DEVNULL
    )


def imported(*arguments: str) -> set[str]:
    done = python("-c", LIST_IMPORTS, *arguments)
    code, modules = json.loads(done.stdout)
    assert code == 0, done.stderr
    return set(modules)


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["inspect", "m.safeload"],
        ["inspect", "m.safeload", "--json"],
        ["verify", "m.safeload", "--trust", "keys"],
        ["unpack", "m.safeload", "--trust", "keys", "-o", "back"],
        ["pack", "m.joblib", "-o", "n.safeload", "--key", "team.key"],
        ["keygen", "new"],
        ["demo", "--help"],
        ["bench", "--help"],
    ],
    ids=" ".join,
)
def test_no_machine_learning_library_is_imported_without_need(command: list[str]) -> None:
    assert not imported(*command) & HEAVY


@pytest.mark.parametrize(
    "command", [["--help"], ["inspect", "m.safeload"], ["verify", "m.safeload", "--trust", "keys"]], ids=" ".join
)
def test_what_loads_nothing_brings_no_engine(command: list[str]) -> None:
    assert not {name for name in imported(*command) if name.startswith(("safeload.engine", "safeload.audit"))}


def test_to_verify_a_file_brings_no_engine_and_no_numpy() -> None:
    done = python("-c", "import safeload, sys; safeload.verify('m.safeload', trust='keys'); print(*sys.modules)")
    assert not [name for name in done.stdout.split() if name.startswith(("safeload.engine", "numpy"))]
    assert "safeload.artifact" in done.stdout


def test_a_command_imports_no_other_command() -> None:
    modules = imported("inspect", "m.safeload")
    assert "safeload.cli.inspect" in modules
    assert not modules & {"safeload.cli.verify", "safeload.cli.keygen", "safeload.cli.demo"}


def test_the_package_is_a_command() -> None:
    done = python("-m", "safeload", "verify", "bad.safeload", "--trust", "keys")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("safeload: error: bad.safeload: ")


def test_the_shell_completes_commands() -> None:
    asked = {"_SAFELOAD_COMPLETE": "bash_complete", "COMP_WORDS": "safeload un", "COMP_CWORD": "1"}
    assert python("-m", "safeload", env=asked).stdout == "plain,unpack\n"


@pytest.mark.parametrize("command", ["inspect m.safeload", "verify m.safeload --trust keys --json"])
def test_a_reader_that_goes_away_is_no_traceback(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "safeload", *command.split()],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_result_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "safeload", "inspect", "m.safeload"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"safeload: error: no space left on device\n"


def test_a_terminal_that_knows_a_few_letters_gets_escapes_for_the_others() -> None:
    Path("m.safeload").rename("\u2603.safeload")
    latin = {"PYTHONIOENCODING": "iso-8859-1"}
    done = python("-m", "safeload", "verify", "\u2603.safeload", "--trust", "keys", env=latin)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "\\u2603.safeload")
