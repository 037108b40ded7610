"""Small files that ask for much are refused before they cost anything; large models of few bytes load."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import LimitError, StreamError
from safeload.limits import DEFAULT_LIMITS
from safeload.readers.compressed import plain_buffer
from testkit.bombs import BOMBS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once

_MIB_MAX = 200
# A list of numpy's numbers in so small a file has as many calls as this one may make.
DEAR = {"300 MB of calls in zlib": 2}


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "testkit.run_bombs"], cwd=Path(__file__).parent, capture_output=True, check=True
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_takes_little_memory_and_time(name: str, run: dict[str, Any]) -> None:
    kind, size, seconds = run["outcomes"][name]
    assert kind in {"LimitError", "StreamError", "UnsafeStreamError", "CodecError", "DisallowedGlobalError"}
    assert size < _MIB_MAX
    assert seconds < run["peer"] * DEAR.get(name, 1)


LEGITIMATE: dict[str, Callable[[], Any]] = {
    "an array of zeros": lambda: np.zeros(40_000_000),
    "a list of zeros": lambda: [0] * 1_000_000,
    "a list of words": lambda: [f"word{n}" for n in range(200_000)],
    "a list of moments": lambda: [datetime(2026, 1, 1) + timedelta(minutes=n) for n in range(200_000)],
    "a vocabulary": lambda: {f"word{n}": n for n in range(200_000)},
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_what_compresses_well_and_is_no_bomb_loads(name: str) -> None:
    value, file = LEGITIMATE[name](), io.BytesIO()
    joblib.dump(value, file, compress=3)
    file.seek(0)
    loaded = safeload.load_untrusted(file)
    assert np.array_equal(loaded, value) if isinstance(value, np.ndarray) else loaded == value


def test_an_array_in_a_plain_pickle_may_be_compressed_as_well() -> None:
    file = io.BytesIO(gzip.compress(pickle.dumps(np.zeros(10_000_000)), 1))
    assert safeload.load_untrusted(file).shape == (10_000_000,)


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "xz", "lzma", "lz4"])
def test_a_compressed_file_is_read_only_as_far_as_somebody_asks(method: str) -> None:
    file = io.BytesIO()
    joblib.dump(np.arange(5_000_000), file, compress=(method, 3))
    stored = memoryview(file.getvalue())
    plain = io.BytesIO()
    joblib.dump(np.arange(5_000_000), plain)
    whole = plain.getvalue()
    buffer = plain_buffer(stored, DEFAULT_LIMITS)
    buffer.reach(1)
    assert 1 <= len(buffer.view) < len(whole)
    for end in (100_000, 9_000_000, len(whole), len(whole) + 1):
        buffer.reach(end)
        assert bytes(buffer.view) == whole[: len(buffer.view)]
        assert len(buffer.view) >= min(end, len(whole))
    assert len(buffer.view) == len(whole)


def test_the_end_of_the_compressed_data_is_the_end_of_the_file() -> None:
    file = io.BytesIO()
    joblib.dump([1, 2, 3], file, compress=3)
    for broken in (file.getvalue() + b"x", file.getvalue()[:-3]):
        with pytest.raises(StreamError):
            safeload.load_untrusted(io.BytesIO(broken))


def test_limits_may_be_raised() -> None:
    file = io.BytesIO()
    joblib.dump(np.zeros(2_000_000), file, compress=9)
    small = safeload.Limits(expansion_floor=1 << 20)
    with pytest.raises(LimitError):
        safeload.load_untrusted(io.BytesIO(file.getvalue()), limits=small)
    raised = safeload.Limits(expansion_floor=1 << 20, expansion_ratio=10_000)
    assert safeload.load_untrusted(io.BytesIO(file.getvalue()), limits=raised).shape == (2_000_000,)
