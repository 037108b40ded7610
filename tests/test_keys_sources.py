"""Keys that are no files: in an environment variable, behind a file descriptor, in memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import safeload
from safeload.errors import KeyFileError, KeyPassphraseError, KeyPermissionsError, SafeloadError
from safeload.keys import keygen, signer_from
from test_cli_desk import SESAME, lay, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEM = "SAFELOAD_KEY_PEM"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay(tmp_path, monkeypatch)


@pytest.fixture
def piped() -> Iterator[Callable[[bytes], int]]:
    """A pipe that holds some bytes, and then ends."""
    opened: list[int] = []

    def make(data: bytes) -> int:
        reading, writing = os.pipe()
        opened.append(reading)
        os.write(writing, data)
        os.close(writing)
        return reading

    yield make
    for descriptor in opened:
        os.close(descriptor)


def team() -> str:
    return safeload.TrustStore.from_file("team.pub").keys[0].keyid


def test_the_key_itself_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PEM, Path("team.key").read_text())
    safeload.dump([1], "n.safeload")
    assert safeload.load("n.safeload", trust="team.pub") == [1]


def test_an_hmac_key_may_stand_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = keygen("shared", "hmac")
    monkeypatch.setenv(PEM, Path("shared.hmac").read_text())
    assert signer_from(None).keyid == made.keyid


def test_two_variables_that_say_who_signs_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PEM, Path("team.key").read_text())
    monkeypatch.setenv("SAFELOAD_KEY", "stranger.key")
    with pytest.raises(KeyFileError, match="SAFELOAD_KEY and SAFELOAD_KEY_PEM are both set"):
        signer_from(None)
    assert signer_from("team.key").keyid == team(), "an argument comes before both"


def test_an_encrypted_key_in_the_environment_takes_the_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PEM, Path("locked.key").read_text())
    with pytest.raises(KeyPassphraseError, match="SAFELOAD_KEY_PEM is encrypted, and no passphrase was given"):
        signer_from(None)
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", SESAME)
    assert signer_from(None).sign(b"m")


def test_a_descriptor_gives_the_key_once_and_stays_open(piped: Callable[[bytes], int]) -> None:
    descriptor = piped(Path("team.key").read_bytes())
    assert safeload.Signer.from_fd(descriptor).keyid == team()
    with pytest.raises(KeyFileError, match=rf"file descriptor {descriptor} is empty"):
        safeload.Signer.from_fd(descriptor)


def test_bytes_are_a_key_too() -> None:
    assert safeload.Signer.from_bytes(Path("team.key").read_bytes()).keyid == team()
    assert safeload.Signer.from_bytes(Path("locked.key").read_bytes(), SESAME).sign(b"m")
    with pytest.raises(KeyPassphraseError, match=r"does not open vault:team"):
        safeload.Signer.from_bytes(Path("locked.key").read_bytes(), "guess", name="vault:team")


def test_the_path_of_a_pipe_leads_to_the_option_that_reads_one(piped: Callable[[bytes], int]) -> None:
    with pytest.raises(KeyFileError, match="is a named pipe, not a key file") as caught:
        safeload.Signer.from_file(f"/dev/fd/{piped(Path('team.key').read_bytes())}")
    assert "--key-fd" in caught.value.hint


def test_a_file_behind_a_descriptor_must_be_its_owners_alone() -> None:
    Path("team.key").chmod(0o644)
    with Path("team.key").open("rb") as file, pytest.raises(KeyPermissionsError, match=r"mode 0644"):
        safeload.Signer.from_fd(file.fileno())


def test_a_descriptor_is_bounded_and_never_waits_for_a_device(piped: Callable[[bytes], int]) -> None:
    with Path("large").open("w+b") as file:
        file.truncate(64 * 1024 + 1)
        with pytest.raises(KeyFileError, match="gives more than 64 KiB"):
            safeload.Signer.from_fd(file.fileno())
    with Path("/dev/zero").open("rb") as device, pytest.raises(KeyFileError, match="neither a file nor a pipe"):
        safeload.Signer.from_fd(device.fileno())
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with pytest.raises(KeyFileError, match="nothing to read yet"):
        safeload.Signer.from_fd(reading)
    os.close(reading)
    os.close(writing)
    with pytest.raises(KeyFileError, match="larger than 64 KiB"):
        safeload.Signer.from_bytes(bytes(64 * 1024 + 1))


@pytest.mark.parametrize("descriptor", [-1, 99_999, 1 << 70])
def test_a_descriptor_that_nobody_opened_is_a_key_file_error(descriptor: int) -> None:
    with pytest.raises(KeyFileError, match=f"cannot read file descriptor {descriptor}"):
        safeload.Signer.from_fd(descriptor)


DAMAGED = [
    pytest.param(lambda text: text.replace("-----END", "-----AND"), id="cut off"),
    pytest.param(lambda text: text.replace("\nM", "\n*M"), id="no base64"),
    pytest.param(lambda text: text.replace("\nM", "\nN"), id="no DER"),
    pytest.param(lambda text: text + text + text, id="thrice"),
    pytest.param(lambda text: text.replace("-----BEGIN PRIVATE KEY-----", "team.key"), id="no PEM"),
]


@pytest.mark.parametrize("damage", DAMAGED)
def test_no_message_holds_anything_of_the_key(
    damage: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, piped: Callable[[bytes], int]
) -> None:
    text = damage(Path("team.key").read_text())
    body = Path("team.key").read_text().splitlines()[1]
    monkeypatch.setenv(PEM, text)
    ways: list[Callable[[], object]] = [
        lambda: signer_from(None),
        lambda: safeload.Signer.from_fd(piped(text.encode())),
        lambda: safeload.Signer.from_bytes(text.encode()),
    ]
    for way in ways:
        with pytest.raises(SafeloadError) as caught:
            way()
        shown = io.StringIO()
        traceback.print_exception(caught.value, file=shown)
        said = shown.getvalue() + repr(vars(caught.value)) + caught.value.hint
        assert not any(body[at : at + 8] in said for at in range(len(body) - 8)), said


@pytest.mark.parametrize("name", ["team.key", "shared.hmac"])
def test_a_key_where_a_path_belongs_is_not_shown(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keygen("shared", "hmac")
    text = Path(name).read_text()
    monkeypatch.setenv("SAFELOAD_KEY", text)
    outcome = run(capsys, "sign m.safeload")
    assert outcome.code == 2
    assert "a key itself was given where the path of a key file belongs" in outcome.err
    assert "SAFELOAD_KEY_PEM" in outcome.err
    for way in (lambda: signer_from(text), lambda: safeload.verify("m.safeload", trust=text)):
        with pytest.raises(KeyFileError) as caught:
            way()
        assert text.splitlines()[1] not in outcome.err + "".join(traceback.format_exception(caught.value))


def test_a_path_where_a_key_belongs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PEM, "team.key")
    with pytest.raises(KeyFileError, match="SAFELOAD_KEY_PEM does not hold a key") as caught:
        signer_from(None)
    assert caught.value.hint.endswith("goes into SAFELOAD_KEY")


def test_the_command_line_takes_a_descriptor(piped: Callable[[bytes], int]) -> None:
    descriptor = piped(Path("stranger.key").read_bytes())
    command = [sys.executable, "-m", "safeload", "sign", "m.safeload", "--key-fd", str(descriptor)]
    done = subprocess.run(command, pass_fds=[descriptor], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    safeload.verify("m.safeload", trust="stranger.pub").close()


def test_the_command_line_takes_the_key_from_standard_input() -> None:
    command = [sys.executable, "-m", "safeload", "pack", "m.joblib", "-o", "n.safeload", "--key-fd", "0"]
    subprocess.run(command, input=Path("team.key").read_bytes(), capture_output=True, check=True)
    safeload.verify("n.safeload", trust="team.pub").close()


def test_a_locked_key_from_a_pipe_says_what_to_set(
    piped: Callable[[bytes], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"sign m.safeload --key-fd {piped(Path('locked.key').read_bytes())}"
    outcome = run(capsys, command)
    assert outcome.code == 2
    assert "is encrypted, and no passphrase was given" in outcome.err
    assert "hint: set SAFELOAD_KEY_PASSPHRASE" in outcome.err
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", SESAME)
    assert run(capsys, f"sign m.safeload --key-fd {piped(Path('locked.key').read_bytes())}").code == 0


def test_two_options_that_say_who_signs_are_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, "sign m.safeload --key team.key --key-fd 0")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--key and --key-fd both say who signs" in outcome.err
    assert run(capsys, "sign m.safeload --key-fd -1").code == 2
