"""The same work on many pieces, on all cores: hashing and compression release the interpreter lock."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["each"]

_THREADS_MAX = 16


def each(make_work: Callable[[], Callable[[int], None]], count: int, *, apiece: int = 1) -> None:
    """Call ``work(i)`` for i in ``range(count)``; every thread works with its own ``make_work()``.

    There are as many threads as processors, or so few that there are `apiece` pieces for each.

    The error of the lowest failing piece is raised, whatever the threads do; once one failed, no other is begun.
    """
    threads = min(count // apiece, _cores(), _THREADS_MAX)
    if threads <= 1:
        work = make_work()
        for index in range(count):
            work(index)
        return
    _each_threaded(make_work, count, threads)


def _each_threaded(make_work: Callable[[], Callable[[int], None]], count: int, threads: int) -> None:
    """The thread of the caller is one of them: to hand all to others, and wait, costs a switch for each call."""
    indices = itertools.count()
    failures: dict[int, BaseException] = {}

    def run(work: Callable[[int], None]) -> None:
        while not failures and (index := next(indices)) < count:
            try:
                work(index)
            except BaseException as error:  # carried to the caller's thread
                failures[index] = error

    here, *there = [make_work() for _ in range(threads)]
    others: list[threading.Thread] = []
    try:
        for work in there:
            others.append(threading.Thread(target=run, args=(work,), name="safeload"))
            try:
                others[-1].start()
            except RuntimeError:  # the system gives no more of them: fewer do it, or one
                break
        run(here)
        _wait(others)
    except BaseException as error:  # Ctrl+C, while others begin or end a piece
        failures[count] = error
        _wait(others)  # they write into memory, and read from a file, that the caller gives up
    if failures:
        # What is no Exception is meant for the whole program.
        index = min(failures, key=lambda index: (isinstance(failures[index], Exception), index))
        try:
            raise failures[index]
        finally:
            failures.clear()  # else the error holds itself, and with it all that was read


def _wait(threads: list[threading.Thread]) -> None:
    for thread in threads:
        with contextlib.suppress(RuntimeError):  # it was not started
            thread.join()


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
