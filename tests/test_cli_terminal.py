"""What happens only where somebody sits at a terminal: here a pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import safeload
from test_cli_desk import SESAME, lay

if TYPE_CHECKING:
    from collections.abc import Iterator

pty = pytest.importorskip("pty")

CHECKOUT = Path(__file__).parent.parent
# Opening it makes the terminal the one that getpass asks at, and that Ctrl-C comes from.
START = """
import os, signal, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in the background
from safeload.cli import main
sys.exit(main(sys.argv[1:]))
"""
PATIENCE = 30.0


class Terminal:
    """A command at a terminal; its stdout goes elsewhere, to see that no prompt gets there."""

    def __init__(self, command: str) -> None:
        self.end, terminal = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *command.split()],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1"},
        )
        os.close(terminal)

    def expect(self, text: str) -> None:
        until = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.end], [], [], max(0, until - time.monotonic()))
            assert ready, self.seen
            self._read()

    def _read(self) -> bool:
        try:
            piece = os.read(self.end, 4096)
        except OSError:  # the other end is closed
            return False
        self.seen += piece.decode()
        return bool(piece)

    def send(self, text: str) -> None:
        self.seen = ""
        os.write(self.end, text.encode())

    def finish(self) -> tuple[int, str]:
        """The exit code and what was written to stdout."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        while self._read():
            pass
        return self.process.returncode, out.decode()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.end)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)


def start(terminals: list[Terminal], command: str) -> Terminal:
    terminals.append(Terminal(command))
    return terminals[-1]


def test_keygen_asks_twice_and_shows_nothing(terminals: list[Terminal]) -> None:
    terminal = start(terminals, "keygen new --passphrase")
    terminal.expect("passphrase for new.key: ")
    terminal.send("hunter2\n")
    terminal.expect("the same again: ")
    terminal.send("hunter2\n")
    code, out = terminal.finish()
    assert code == 0
    assert "wrote new.key" in out
    assert "passphrase" not in out
    assert "hunter2" not in terminal.seen
    assert safeload.Signer.from_file("new.key", "hunter2")
    with pytest.raises(safeload.errors.KeyPassphraseError):
        safeload.Signer.from_file("new.key")


@pytest.mark.parametrize(("again", "complaint"), [("other\n", "the two passphrases differ"), ("\n", "differ")])
def test_keygen_writes_nothing_for_two_different_answers(again: str, complaint: str, terminals: list[Terminal]) -> None:
    terminal = start(terminals, "keygen new --passphrase")
    terminal.expect("passphrase for new.key: ")
    terminal.send("one\n")
    terminal.expect("again: ")
    terminal.send(again)
    code, out = terminal.finish()
    assert (code, out) == (2, "")
    assert complaint in terminal.seen
    assert not Path("new.key").exists()


def test_an_encrypted_key_is_asked_for_once(terminals: list[Terminal]) -> None:
    terminal = start(terminals, "sign m.safeload --key locked.key")
    terminal.expect("passphrase of locked.key: ")
    terminal.send(f"{SESAME}\n")
    code, out = terminal.finish()
    assert code == 0
    assert "signed by" in out
    assert safeload.verify("m.safeload", trust="locked.pub")


def test_a_wrong_passphrase_is_an_error(terminals: list[Terminal]) -> None:
    terminal = start(terminals, "sign m.safeload --key locked.key")
    terminal.expect("passphrase of locked.key: ")
    terminal.send("guess\n")
    assert terminal.finish() == (2, "")
    assert "the passphrase does not open locked.key" in terminal.seen
    assert "Traceback" not in terminal.seen


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_an_interrupt_at_the_prompt_is_130_without_traceback(key: str, terminals: list[Terminal]) -> None:
    terminal = start(terminals, "keygen new --passphrase")
    terminal.expect("passphrase for new.key: ")
    terminal.send(key)
    assert terminal.finish() == (130, "")
    assert "Traceback" not in terminal.seen
    assert not Path("new.key").exists()


def test_progress_goes_to_the_terminal_and_the_result_elsewhere(terminals: list[Terminal], tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for number in range(20):
        (tmp_path / "models" / f"m{number}.pkl").write_bytes(b"\x80\x04K\x01.")
    terminal = start(terminals, "scan models")
    terminal.expect("20/20")
    code, out = terminal.finish()
    assert code == 0
    assert out == "20 files: 20 without a finding\n"
