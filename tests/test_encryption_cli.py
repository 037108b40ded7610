"""Encryption on the command line: a model for one machine, seen by an auditor, closed to everyone else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

from safeload.cli import main
from safeload.cli import ui as ui_module

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    joblib.dump({"a": np.arange(1000.0)}, "m.joblib")
    for words in (
        "keygen team",
        "keygen machine --for encryption",
        "keygen other --for encryption --type mlkem768-x25519",
    ):
        assert main(words.split()) == 0
    return tmp_path


def run(words: str) -> int:
    return main(words.split())


PACK = "pack m.joblib -o m.safeload --key team.key --recipient machine.recipient"
UNPACK = "unpack m.safeload --trust team.pub -o back.joblib"


def test_one_command_each_for_trainer_auditor_and_machine_and_nobody_else(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PACK) == 0
    assert run("verify m.safeload --trust team.pub") == 0
    assert "encrypted for" in capsys.readouterr().out
    assert run(f"{UNPACK} --identity machine.identity") == 0
    assert (desk / "back.joblib").read_bytes() == (desk / "m.joblib").read_bytes()
    capsys.readouterr()
    assert run(f"{UNPACK} --identity other.identity") == 1
    assert "safeload rewrap" in capsys.readouterr().err
    assert run(UNPACK) == 2
    assert "--identity machine.identity" in capsys.readouterr().err


def test_inspect_names_the_readers(capsys: pytest.CaptureFixture[str]) -> None:
    run(f"{PACK} --recipient other.recipient")
    capsys.readouterr()
    assert run("inspect m.safeload") == 0
    shown = capsys.readouterr().out
    assert run("inspect m.safeload --json") == 0
    stanzas = json.loads(capsys.readouterr().out)["encryption"]["recipients"]
    assert [stanza["type"] for stanza in stanzas] == ["x25519", "mlkem768-x25519"]
    for stanza in stanzas:
        assert stanza["keyid"] in shown


def test_rewrap_gives_the_file_to_somebody_else(capsys: pytest.CaptureFixture[str]) -> None:
    run(PACK)
    command = "rewrap m.safeload --key team.key --identity machine.identity"
    assert run(command) == 2
    assert "--recipient" in capsys.readouterr().err
    assert run(f"{command} --recipient other.recipient") == 0
    assert run(f"{UNPACK} --identity other.identity") == 0
    assert run(f"{UNPACK} --identity machine.identity") == 1
    assert run(f"{command} --recipient other.recipient") == 1


def test_verify_warns_of_a_file_that_opens_for_nobody_with_this_trust(capsys: pytest.CaptureFixture[str]) -> None:
    """As where whoever encrypted was revoked, and others have signed too."""
    run(PACK)
    run("keygen audit")
    assert run("sign m.safeload --key audit.key") == 0
    capsys.readouterr()
    assert run("verify m.safeload --trust team.pub") == 0
    assert "warning" not in capsys.readouterr().err
    assert run("verify m.safeload --trust audit.pub") == 0
    assert "with this trust it verifies, and opens for nobody" in capsys.readouterr().err


def test_convert_encrypts_too(desk: Path) -> None:
    assert run("convert m.joblib -o m.safeload --key team.key --recipient machine.recipient") == 0
    assert run(f"{UNPACK} --identity machine.identity") == 0
    assert joblib.load(desk / "back.joblib")["a"].sum() == np.arange(1000.0).sum()


def test_a_passphrase_comes_from_a_variable_or_a_prompt_and_never_from_an_argument(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = "pack m.joblib -o m.safeload --key team.key --encrypt-passphrase"
    assert run(pack) == 2
    assert "SAFELOAD_PASSPHRASE" in capsys.readouterr().err
    answers = _at_a_terminal(monkeypatch, "right", "right")
    assert run(pack) == 0
    assert answers == []
    answers += ["right"]
    assert run(UNPACK) == 0
    answers += ["wrong"]
    assert run(UNPACK) == 1
    monkeypatch.setenv("SAFELOAD_PASSPHRASE", "right")
    assert run(UNPACK) == 0
    monkeypatch.setenv("SAFELOAD_NEW_PASSPHRASE", "new")
    assert run("rewrap m.safeload --key team.key --trust team.pub --encrypt-passphrase") == 0
    assert run(UNPACK) == 1
    monkeypatch.setenv("SAFELOAD_PASSPHRASE", "new")
    assert run(UNPACK) == 0


def _at_a_terminal(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    left = list(answers)
    monkeypatch.setattr(ui_module, "can_ask", lambda: True)
    monkeypatch.setattr(ui_module, "ask_passphrase", lambda prompt: left.pop(0))
    return left


def test_no_secret_is_asked_for_before_the_signature_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELOAD_PASSPHRASE", "right")
    run("pack m.joblib -o m.safeload --key team.key --encrypt-passphrase")
    monkeypatch.delenv("SAFELOAD_PASSPHRASE")
    run("keygen stranger")
    _at_a_terminal(monkeypatch)  # whoever asks finds no answer
    assert run("unpack m.safeload --trust stranger.pub -o back.joblib") == 1


def test_an_encrypted_identity_is_unlocked_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = _at_a_terminal(monkeypatch, "lock", "lock")
    assert run("keygen locked --for encryption --passphrase") == 0
    assert run(f"{PACK} --recipient locked.recipient") == 0
    answers += ["lock"]
    assert run(f"{UNPACK} --identity locked.identity") == 0
    answers += ["lack"]
    assert run(f"{UNPACK} --identity locked.identity") == 2
    monkeypatch.undo()
    capsys.readouterr()


WRONG: dict[str, Any] = {
    "a signing type for encryption": ("keygen x --for encryption --type hmac", "not for encryption"),
    "an encryption type for signing": ("keygen x --type x25519", "not for signing"),
    "a name with its ending": ("keygen x.identity --for encryption", "without its ending"),
    "both ways": (f"{PACK} --encrypt-passphrase", "stands alone"),
    "a signer's key for a recipient": (
        "pack m.joblib -o m.safeload --key team.key --recipient team.pub",
        "one that signs",
    ),
    "a recipient for a signer": ("verify m.joblib --trust machine.recipient", "cannot sign"),
}


@pytest.mark.parametrize("case", WRONG)
def test_misuse_is_named(case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SAFELOAD_PASSPHRASE", "x")
    command, text = WRONG[case]
    assert run(command) == 2
    assert text in capsys.readouterr().err


def test_keygen_says_what_it_made(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("keygen third --for encryption --json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "x25519"
    assert document["files"] == ["third.identity", "third.recipient"]
    assert (desk / "third.identity").stat().st_mode & 0o777 == 0o600
    assert run("keygen third --for encryption") == 2
