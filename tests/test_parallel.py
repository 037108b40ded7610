"""Work on all processors: each piece once, errors in order, and no thread left behind, whatever ends it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

import safeload
from safeload.container import parallel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Keys


@pytest.fixture(autouse=True)
def _four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_cores", lambda: 4)


def test_each_piece_is_done_once_by_several_threads_that_then_are_gone() -> None:
    meet = threading.Barrier(4, timeout=30)
    done: list[tuple[int, str]] = []

    def make_work() -> Callable[[int], None]:
        def work(index: int) -> None:
            if index < 4:
                meet.wait()  # passes only if four are here at once
            done.append((index, threading.current_thread().name))

        return work

    parallel.each(make_work, 100)
    assert sorted(index for index, _ in done) == list(range(100))
    assert len({name for index, name in done if index < 4}) >= 2
    assert not [thread for thread in threading.enumerate() if thread.name == "safeload"]


@pytest.mark.parametrize("error", [ValueError("seven"), KeyboardInterrupt("seven"), MemoryError("seven")])
def test_the_error_of_the_lowest_piece_comes_out_once_all_threads_have_ended(error: BaseException) -> None:
    def work(index: int) -> None:
        if index == 7:
            raise error
        if index > 7:
            raise OSError("later")

    with pytest.raises(type(error), match="seven"):
        parallel.each(lambda: work, 100)
    assert not [thread for thread in threading.enumerate() if thread.name == "safeload"]


@pytest.mark.parametrize("most", [0, 1])
def test_where_the_system_gives_no_threads_fewer_do_all_of_the_work(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start
    begun: list[threading.Thread] = []
    done: list[int] = []

    def start(thread: threading.Thread) -> None:
        if len(begun) == most:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    parallel.each(lambda: done.append, 100)
    assert sorted(done) == list(range(100))
    assert not any(thread.is_alive() for thread in begun)


def test_a_process_that_gets_no_threads_saves_and_loads(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    value = {f"w{n}": np.full(1_500_000, n, "f4") for n in range(4)}
    safeload.dump(value, tmp_path / "plain", signer=team.key)
    safeload.dump(value, tmp_path / "small", signer=team.key, compress=("zstd", 1))
    for name in ("plain", "small"):
        loaded = safeload.load(tmp_path / name, trust=team.pub)
        assert all(np.array_equal(loaded[key], value[key]) for key in value)


def test_an_interrupt_while_a_thread_starts_comes_out_when_that_thread_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = threading.Thread.start
    begun: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        real(thread)
        begun.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        parallel.each(lambda: lambda index: None, 100)
    assert len(begun) == 1
    assert not begun[0].is_alive()


def test_an_interrupt_is_not_lost_behind_the_error_of_a_lower_piece() -> None:
    meet = threading.Barrier(2, timeout=30)

    def work(index: int) -> None:
        meet.wait()
        raise OSError("lower") if index == 0 else KeyboardInterrupt("higher")

    with pytest.raises(KeyboardInterrupt, match="higher"):
        parallel.each(lambda: work, 2)


def test_an_interrupt_while_others_others_end_what_they_began_comes_out_when_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = parallel._wait
    interrupted: list[bool] = []

    def wait(threads: list[threading.Thread]) -> None:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        real(threads)

    monkeypatch.setattr(parallel, "_wait", wait)
    with pytest.raises(KeyboardInterrupt):
        parallel.each(lambda: lambda index: None, 100)
    assert not [thread for thread in threading.enumerate() if thread.name == "safeload"]
