"""A desk with keys and files on it, for the tests of the command line; and the table of exit codes."""

from __future__ import annotations

import functools
import os
import pickle
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import joblib
import numpy as np
import pytest

import safeload
from safeload import errors
from safeload.cli import main
from safeload.cli.exits import exit_code, worst
from safeload.keys import trust_add

SESAME = "sesame"
MODEL = {"weights": [0.5, 1.5], "classes": ("no", "yes")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str


class Call:
    """Pickled, it is a call of os.system."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self._command,)


def run(capsys: pytest.CaptureFixture[str], command: str) -> Outcome:
    """Run a command, written as for a shell, in this process."""
    capsys.readouterr()
    code = main(shlex.split(command))
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err)


def lay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `folder` the current one, with

    team.key team.pub keys/ stranger.key stranger.pub locked.key (its passphrase is SESAME) m.joblib m.safeload
    stranger.safeload (signed by stranger) bad.safeload (a byte changed) evil.pkl (touches MARKER) notes.txt X.npy
    """
    monkeypatch.chdir(folder)
    for name, (data, mode) in _files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    return folder


@functools.cache
def _files() -> dict[str, tuple[bytes, int]]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _make(folder)
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode) for path in paths}


def _make(folder: Path) -> None:
    for name in ("team", "stranger"):
        safeload.keygen(folder / name)
    safeload.keygen(folder / "locked", passphrase=SESAME)
    trust_add(folder / "team.pub", folder / "keys")
    joblib.dump(MODEL, folder / "m.joblib")
    safeload.pack(folder / "m.joblib", folder / "m.safeload", signer=folder / "team.key")
    safeload.pack(folder / "m.joblib", folder / "stranger.safeload", signer=folder / "stranger.key")
    with safeload.inspect(folder / "m.safeload") as opened:
        offset = opened.layout.prelude.payload_off
    data = bytearray((folder / "m.safeload").read_bytes())
    data[offset + 1] ^= 1
    (folder / "bad.safeload").write_bytes(data)
    (folder / "evil.pkl").write_bytes(pickle.dumps(Call("touch MARKER")))
    (folder / "notes.txt").write_text("hello\n", encoding="utf-8")
    np.save(folder / "X.npy", np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotAnArtifactError("not-an-artifact", "x"), 2),
        (errors.FormatError("truncated", "x"), 1),
        (errors.LimitError("expansion", "x"), 1),
        (errors.UnsupportedError("major", "x"), 1),
        (errors.UnsignedError("x"), 1),
        (errors.UntrustedSignerError("x", keyids=[]), 1),
        (errors.AlreadySignedError("x"), 1),
        (errors.NoTrustError("x"), 2),
        (errors.NoSignerError("x"), 2),
        (errors.KeyFileError("x"), 2),
        (errors.KeyPassphraseError("x"), 2),
        (errors.PolicyError("x"), 1),
        (errors.CodecError("x"), 1),
        (errors.DecryptionError("x"), 1),
        (errors.MissingExtraError("x", extra="lz4"), 2),
        (FileNotFoundError(2, "x", "y"), 2),
        (MemoryError(), 2),
        (click.UsageError("x"), 2),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_one_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_a_defect_of_safeload_has_none_and_keeps_its_traceback() -> None:
    assert exit_code(AssertionError()) is None


def test_one_refusal_outweighs_files_without_a_verdict() -> None:
    assert [worst([0, 0]), worst([0, 2]), worst([2, 1, 2]), worst([])] == [0, 2, 1, 0]
