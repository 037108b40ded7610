"""A crash while saving leaves the old file or the new one, never half, whichever step it comes at."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import safeload
from safeload.container.atomic import syncing

if TYPE_CHECKING:
    from conftest import Keys

pytestmark = pytest.mark.once

# Dies with SIGKILL's suddenness before the N-th system call that changes a file.
CRASH = """
import os, sys, pathlib
import safeload
target, key, step, how = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
count = 0
def dying(function):
    def call(*args, **kwargs):
        global count
        count += 1
        if count == step:
            os._exit(9)
        return function(*args, **kwargs)
    return call
for name in ("open", "pwrite", "fsync", "rename", "replace", "fchmod", "close", "copy_file_range"):
    setattr(os, name, dying(getattr(os, name)))
pathlib.Path.replace = dying(pathlib.Path.replace)
if how == "dump":
    safeload.dump(["new"] * 1000, target, "zlib", signer=key)
else:
    safeload.sign(target, signer=key)
print("done", count)
"""


def _run(target: Path, key: Path, step: int, how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CRASH, str(target), str(key), str(step), how]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("how", ["dump", "sign"])
def test_a_crash_at_any_step_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, team: Keys, stranger: Keys, how: str
) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump(["old"], target, signer=team.key)
    old = target.read_bytes()
    key = team.key if how == "dump" else stranger.key
    outcomes = []
    for step in range(1, 200):
        target.write_bytes(old)
        result = _run(target, key, step, how)
        assert result.returncode in (0, 9), result.stderr
        outcomes.append(target.read_bytes() == old)
        with safeload.verify(target, trust=team.pub) as artifact:
            assert artifact.load() in (["old"], ["new"] * 1000)
        if result.returncode == 0:
            break
    assert outcomes[0]
    assert not outcomes[-1]
    assert len(outcomes) > 5


def test_an_error_while_saving_leaves_the_old_file_and_no_other(tmp_path: Path, team: Keys) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump(["old"], target, signer=team.key)
    with pytest.raises(safeload.errors.CodecError):
        safeload.dump([b"x" * 5_000_000, lambda: 0], target, signer=team.key)
    assert safeload.load(target, trust=team.pub) == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["m.safeload"]


def test_a_symbolic_link_stays_one_and_its_file_is_replaced(tmp_path: Path, team: Keys) -> None:
    real, link = tmp_path / "real.safeload", tmp_path / "link.safeload"
    safeload.dump(["old"], real, signer=team.key)
    link.symlink_to(real)
    safeload.dump(["new"], link, signer=team.key)
    assert link.is_symlink()
    assert safeload.load(real, trust=team.pub) == ["new"]


def test_the_permissions_of_the_old_file_stay(tmp_path: Path, team: Keys) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump(["old"], target, signer=team.key)
    target.chmod(0o640)
    safeload.dump(["new"], target, signer=team.key)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path, team: Keys) -> None:
    old = os.umask(0o027)
    try:
        safeload.dump(["new"], tmp_path / "m.safeload", signer=team.key)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "m.safeload").stat().st_mode) == 0o640


def test_a_folder_that_is_absent_is_an_os_error(tmp_path: Path, team: Keys) -> None:
    with pytest.raises(FileNotFoundError):
        safeload.dump([1], tmp_path / "absent" / "m.safeload", signer=team.key)


def test_the_bytes_reach_the_disk_before_the_name_does_and_the_name_before_the_end(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        real_fsync(fd)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    safeload.dump([1], tmp_path / "m.safeload", signer=team.key)
    assert steps == ["file", "rename", "folder"]


def test_a_file_that_is_replaced_is_never_more_open_than_it_was(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "m.safeload"
    safeload.dump(["old"], target, signer=team.key)
    target.chmod(0o600)
    modes: list[int] = []
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        modes.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    safeload.dump(["new"], target, signer=team.key)
    assert set(modes) == {0o600}


def test_a_name_of_255_bytes_is_no_trouble(tmp_path: Path, team: Keys) -> None:
    target = tmp_path / ("\N{CJK UNIFIED IDEOGRAPH-4E00}" * 80)
    safeload.dump([1], target, signer=team.key)
    assert safeload.load(target, trust=team.pub) == [1]


def test_a_folder_that_one_may_write_to_and_not_read_is_enough(tmp_path: Path, team: Keys) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    folder.chmod(0o300)
    safeload.dump([1], folder / "m.safeload", signer=team.key)
    folder.chmod(0o700)
    assert safeload.load(folder / "m.safeload", trust=team.pub) == [1]


def test_what_cannot_be_brought_to_the_disk_is_said_though_the_system_says_it_once() -> None:
    done, (reading, writing) = [], os.pipe()  # which has no disk
    with pytest.raises(OSError, match="Invalid argument"), syncing(writing):
        done.append("hashed")
    assert done
    os.close(reading)
    os.close(writing)
