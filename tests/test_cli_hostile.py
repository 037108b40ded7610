"""Text out of files cannot rewrite the terminal, take on colours, or break the layout."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
import unicodedata
from pathlib import Path

import pytest

import safeload
from safeload.cli import ui
from safeload.cli.claims import claims_document, claims_lines
from safeload.container.manifest import ModelInfo
from test_cli_desk import lay, run

ESC = "\x1b[31mred\x1b]8;;http://x\x07"
BIDI = "\u202edetsurt\u2066"
MARKUP = "[/nope][bold]"
HOSTILE = {"escape": ESC, "bidi": BIDI, "markup": MARKUP, "newline": "a\nsafeload: verified", "zero width": "a\u200bb"}


def hidden(text: str) -> list[str]:
    """What a terminal would obey, or not show."""
    return [char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_inspect_shows_hostile_metadata_escaped(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {text: text, "nested": {text: [text]}}
    safeload.pack("m.joblib", "h.safeload", signer="team.key", metadata=metadata)
    outcome = run(capsys, "inspect h.safeload")
    assert outcome.code == 0
    assert not hidden(outcome.out)
    assert "\nsafeload: verified" not in outcome.out
    assert MARKUP in outcome.out or text != MARKUP
    assert json.loads(run(capsys, "inspect h.safeload --json").out)["metadata"] == metadata


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("command", ["inspect {}", "verify {} --trust keys", "pack {} -o n --key team.key"])
def test_an_error_shows_a_hostile_file_name_escaped(
    text: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(capsys, command.format(shlex.quote(f"x{text}".replace("/", "|"))))
    assert outcome.code == 2
    assert not hidden(outcome.err)
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_result_shows_a_hostile_file_name_escaped(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"x{text}".replace("/", "|")
    Path(name).write_bytes(Path("m.safeload").read_bytes())
    for command in (
        "inspect {}",
        "verify {} --trust keys",
        "verify {} --trust keys --json",
        "sign {} --key stranger.key",
    ):
        outcome = run(capsys, command.format(shlex.quote(name)))
        assert outcome.code == 0, outcome
        assert not hidden(outcome.out + outcome.err)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_usage_error_shows_a_hostile_argument_escaped(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("{}", "pack --{}", "pack m.joblib -o n --key team.key --compress {}", "keygen a --type {}"):
        outcome = run(capsys, command.format(shlex.quote(text)))
        assert outcome.code == 2
        assert not hidden(outcome.err)


def test_hostile_names_of_globals_are_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Path("g.pkl").write_bytes(b"\x80\x04\x8c\x06os\x1b[1m\x8c\x06sy[/n]\x93.")
    for command in (
        "pack g.pkl -o g.safeload --key team.key",
        "inspect g.safeload",
        "convert g.pkl -o c --key team.key",
    ):
        outcome = run(capsys, command)
        assert not hidden(outcome.out + outcome.err)


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are Unicode there")
def test_a_file_name_that_is_no_unicode_is_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    name = "m\udcff.safeload"
    Path(name).write_bytes(Path("m.safeload").read_bytes())
    assert "m\\udcff.safeload: verified" in run(capsys, f"verify {name} --trust keys").out
    assert json.loads(run(capsys, f"verify {name} --trust keys --json").out)["files"][0]["file"] == name
    outcome = run(capsys, f"pack {name} -o n --key team.key")
    assert (outcome.code, "holds model" in outcome.out) == (0, True)
    assert "not valid UTF-8" in run(capsys, "pack m.joblib -o n --key team.key --metadata a=\udcff").err


def test_inspect_fits_80_columns_and_says_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {f"{'long' * 30}{index}": "x" * 300 for index in range(50)}
    safeload.pack("m.joblib", "l.safeload", signer="team.key", metadata=metadata)
    lines = run(capsys, "inspect l.safeload").out.splitlines()
    assert max(map(len, lines)) == 80
    assert any("... and 30 more; --json shows all" in line for line in lines)
    assert len(json.loads(run(capsys, "inspect l.safeload --json").out)["metadata"]) == 50


def test_what_a_file_says_of_its_model_is_shown_escaped() -> None:
    model = ModelInfo(name=f"churn{ESC}", version=3, expires=None)
    with safeload.inspect("m.safeload") as opened:
        opened.__dict__["claimed"] = dataclasses.replace(opened.claimed, model=model)
        (line,) = [line for line in claims_lines(opened) if line.startswith("model")]
        assert claims_document(opened)["model"] == {"name": model.name, "version": 3, "expires": None}
    assert line == "model        churn\\x1b[31mred\\x1b]8;;http://x\\x07, version 3"


def test_a_table_on_a_terminal_takes_no_markup_and_no_escapes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ui, "_on_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    ui.table(["model", "size"], [[MARKUP, ":smile:"], [ESC, BIDI]])
    ui.out(MARKUP + ESC, mark="  ok  ", color="green")
    shown = capsys.readouterr().out
    assert not hidden(shown)
    assert shown.count(MARKUP) == 2
    assert ":smile:" in shown
