"""Mutants of states in a process of their own: a contract that lets a bad one through ends that, and not the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["assert_no_crash"]

_TESTS = Path(__file__).parents[1]


def assert_no_crash(program: str, seed: int, count: int) -> None:
    """`program` takes a seed and a count of mutants, and prints how many were loaded and refused: both must occur."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(seed), str(count)],
        cwd=_TESTS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, refused = map(int, done.stdout.split())
    assert loaded > 20
    assert refused > 20
