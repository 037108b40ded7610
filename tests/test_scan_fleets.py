"""Many files: by pattern and URL, on several processes, on a cluster; and what one bad file may cost."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import joblib
import numpy as np
import pytest

import safeload
from safeload.audit import fleet
from safeload.audit.scanning import scan_file
from safeload.audit.walking import Place
from safeload.limits import SCAN_LIMITS

if TYPE_CHECKING:
    from conftest import Keys
    from safeload.audit.report import FileReport

pytestmark = pytest.mark.once


class Called:
    def __reduce__(self) -> Any:
        return os.system, ("touch MARK",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"good{number:02}.pkl").write_bytes(pickle.dumps([number]))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "bad.dat").write_bytes(pickle.dumps(Called()))
    joblib.dump([Called()], tmp_path / "deep" / "bad.joblib", compress=3)
    (tmp_path / "deep" / "cut.pkl").write_bytes(pickle.dumps(list(range(999)))[:-9])
    return tmp_path


def names(report: safeload.Report) -> list[str]:
    return [Path(file.file).name for file in report.files]


def test_a_folder_is_read_in_the_order_of_its_names(folder: Path) -> None:
    report = safeload.scan(folder)
    assert names(report) == [*(f"good{n:02}.pkl" for n in range(12)), "bad.joblib", "cut.pkl", "bad.dat"]


def test_a_pattern_is_as_good_as_a_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert names(safeload.scan("good0*.pkl")) == [f"good{n:02}.pkl" for n in range(10)]
    assert names(safeload.scan("**/*.dat")) == ["bad.dat"]
    assert safeload.scan("nothing*").exit_code == 2
    (folder / "odd[1].pkl").write_bytes(pickle.dumps(1))
    assert names(safeload.scan("odd[1].pkl")) == ["odd[1].pkl"]


def test_patterns_leave_out_as_git_does(folder: Path) -> None:
    assert names(safeload.scan(folder, exclude=["good*", "/deep/er/"])) == ["bad.joblib", "cut.pkl"]
    assert names(safeload.scan(folder, exclude=["*", "!good00.pkl"])) == ["good00.pkl"]


def test_a_file_that_is_too_large_is_said_to_be_unread(folder: Path) -> None:
    report = safeload.scan(folder / "deep" / "cut.pkl", limits=safeload.ScanLimits(size=100))
    assert "larger than 100 bytes" in report.files[0].unread[0].text
    assert report.exit_code == 2


def test_a_file_that_is_nearly_all_holes_is_said_to_be_unread(folder: Path) -> None:
    with (folder / "deep" / "cut.pkl").open("r+b") as file:
        file.truncate(3 << 40)
    report = safeload.scan(folder / "deep" / "cut.pkl")
    assert "nearly all holes" in report.files[0].unread[0].text
    assert report.exit_code == 2


_LITTLE_MEMORY = """
import resource, sys, safeload, safeload.audit.artifacts
now = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData"))) << 10
resource.setrlimit(resource.RLIMIT_DATA, (now + (64 << 20),) * 2)
report = safeload.scan(sys.argv[1], trust=sys.argv[2])
print(report.files[0].unread, report.exit_code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory that is a process' own")
def test_numbers_of_an_artifact_take_no_memory(tmp_path: Path, team: Keys) -> None:
    path = tmp_path / "numbers.safeload"
    safeload.dump(np.arange(32 << 20), path, signer=team.key)
    command = [sys.executable, "-c", _LITTLE_MEMORY, str(path), str(team.pub)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["()", "0"]


def test_urls_are_read(folder: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/models/good.pkl", pickle.dumps([1]))
    memory.pipe("/models/sub/bad.pkl", pickle.dumps(Called()))
    report = safeload.scan("memory://models")
    assert [file.file for file in report.files] == ["memory:///models/good.pkl", "memory:///models/sub/bad.pkl"]
    assert report.exit_code == 1
    assert safeload.scan((folder / "good00.pkl").as_uri()).exit_code == 0
    assert safeload.scan("memory://models", exclude=["sub/"]).exit_code == 0


@pytest.mark.parametrize(
    "url", ["memory://nowhere/x.pkl", "nothing://x/y", "file:///nowhere/x", "http://127.0.0.1:9/x"]
)
def test_a_url_that_cannot_be_read_is_no_clean_file(url: str) -> None:
    report = safeload.scan(url)
    assert report.exit_code == 2
    assert report.files[0].unread


def test_a_backend_around_the_call_is_taken(folder: Path) -> None:
    one = safeload.scan(folder)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert safeload.scan(folder, jobs=None).files == one.files
    assert safeload.scan(folder, jobs=2).files == one.files


def test_progress_is_told_of_each_file(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    safeload.scan(folder, progress=lambda done, total, report: told.append((done, total)))
    assert told == [(n, 15) for n in range(1, 16)]


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_dask_gives_the_same_report(folder: Path) -> None:
    from dask.distributed import Client, LocalCluster

    make: Any = LocalCluster
    with make(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        connect: Any = Client
        with connect(cluster), joblib.parallel_config(backend="dask"):
            assert safeload.scan(folder, jobs=None).files == safeload.scan(folder).files
        command = [sys.executable, "-m", "safeload", "scan", str(folder), "--dask", cluster.scheduler_address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "15 files: 2 with findings, 1 not read to the end, 12 without a finding" in done.stdout


def dies(path: str, **options: Any) -> FileReport:
    if path.endswith("good03.pkl"):
        os.kill(os.getpid(), signal.SIGKILL)
    return scan_file(path, None, SCAN_LIMITS)


def test_a_process_that_dies_costs_its_file_and_no_other(folder: Path) -> None:
    todo = [(number, str(path)) for number, path in enumerate(sorted(folder.glob("*.pkl")))]
    reports = dict(fleet._in_parallel(dies, todo, 2))
    assert sorted(reports) == list(range(12))
    unread = [number for number, report in reports.items() if report.unread]
    assert unread == [3]
    assert "ended with -9" in reports[3].unread[0].text


def test_places_that_are_not_read_are_in_the_report() -> None:
    ((number, report),) = fleet.scan_places([Place("x", "because")], None, SCAN_LIMITS, None, 1)
    assert (number, report.unread[0].text) == (0, "because")
