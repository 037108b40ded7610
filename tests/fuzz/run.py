"""Mutants in child processes: one child for some hundred of them, and after a death the next one goes on behind it.

The child notes in shared memory what it is about to do. So a death names its mutant; that mutant alone is then
run once more, to tell a crash of its own from memory that an earlier one damaged.
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import struct
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from threadpoolctl import threadpool_limits

__all__ = ["Death", "Outcome", "Runner"]

CPU_SECONDS = 10
WALL_SECONDS = 120
MEMORY = 3 << 30
BATCH = 1_000
_HEAD = struct.Struct("<qB")
_STAGES = ("making", "loading", "using")


class Outcome(NamedTuple):
    """What a mutant of `family` came to, and what to say of it."""

    family: str
    kind: str
    note: str = ""


class Death(NamedTuple):
    """A child that ended while it was at a mutant. ``alone``: the mutant does it by itself."""

    number: int
    stage: str
    signal: str
    alone: bool


Work = Callable[[int, Callable[[str], None]], Outcome]


class Runner:
    """Runs ``work(index, stage)`` for many indices; `work` tells at which stage it is."""

    def __init__(self, work: Work, died: Callable[[Death], None]) -> None:
        self._work, self._died = work, died
        self._shared = mmap.mmap(-1, _HEAD.size)

    def run(self, indices: range) -> Iterator[tuple[int, Outcome]]:
        """The outcome of every mutant that did not end its process."""
        at = indices.start
        while at < indices.stop:
            stop = min(at + BATCH, indices.stop)
            status, outcomes = self._child(range(at, stop))
            yield from outcomes
            if status == 0:
                at = stop
                continue
            culprit, stage = self._noted()
            again, _ = self._child(range(culprit, culprit + 1))
            self._died(Death(culprit, stage, _named(again or status), alone=again != 0))
            at = culprit + 1

    def _noted(self) -> tuple[int, str]:
        index, stage = _HEAD.unpack(self._shared[: _HEAD.size])
        return index, _STAGES[stage]

    def _note(self, index: int, stage: str) -> None:
        self._shared[: _HEAD.size] = _HEAD.pack(index, _STAGES.index(stage))

    def _child(self, indices: range) -> tuple[int, list[tuple[int, Outcome]]]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._end(indices, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            lines = pipe.read().decode("utf-8", "replace").splitlines()
        _, status = os.waitpid(child, 0)
        outcomes = []
        for line in lines:
            index, *rest = line.split("\t")
            outcomes.append((int(index), Outcome(*rest)))
        return status, outcomes

    def _end(self, indices: range, writing: int) -> None:
        """The child's whole life."""
        status = 1
        try:
            _one_thread()
            _bounds()
            _silence()
            for index in indices:
                signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
                signal.alarm(WALL_SECONDS)
                self._note(index, "making")
                outcome = self._work(index, partial(self._note, index))
                note = " ".join(outcome.note.split())[:300]
                line = f"{index}\t{outcome.family}\t{outcome.kind}\t{note}\n"
                os.write(writing, line.encode("utf-8", "backslashreplace"))
            status = 0
        finally:
            os._exit(status)


def _one_thread() -> None:
    """The threads of the parent's pools are not in a child: it would wait for them."""
    threadpool_limits(1)


def _silence() -> None:
    """A model may be told to be verbose."""
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _bounds() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])  # the parent's libraries and models
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(name, signal.SIG_DFL)  # it ends the process, whatever C code is at


def _named(status: int) -> str:
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return {"SIGPROF": f"hang: {CPU_SECONDS} s of CPU", "SIGALRM": f"hang: {WALL_SECONDS} s"}.get(name, name)
    return f"exit {os.waitstatus_to_exitcode(status)}"
