"""Bytes that are almost streams: the tree's own errors only, CPython's globals, and time in proportion.

A short run with a fixed seed; docs/fuzzing.md has the command for the long one, which coverage guides.
"""

from __future__ import annotations

import io
import random
import time
from collections import Counter

import joblib
import pytest

from fuzz.corpus import changed, seeds
from fuzz.joblib_oracle import AskedByJoblib
from fuzz.oracles import check_bytes, reported
from safeload.readers.joblib import analyse
from testkit.estimators import composed, fitted_estimators

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]

MUTANTS = 8_000
SECONDS = 2.0


def test_seeds_are_loaded_and_name_the_globals_that_cpython_asks_for() -> None:
    for seed in seeds():
        assert check_bytes(seed) == "loaded", seed


def test_changed_bytes_raise_only_the_errors_of_the_tree_and_hide_no_global() -> None:
    rng, base = random.Random(2024), seeds()  # noqa: S311 - to be repeated, not to be secret
    came: Counter[str] = Counter()
    for _ in range(MUTANTS):
        data = changed(rng, rng.choice(base), rng.choice(base))
        begun = time.process_time()
        came[check_bytes(data)] += 1
        assert time.process_time() - begun < SECONDS, data
    # Every stage was reached, or this tests less than it says.
    assert min(came[stage] for stage in ("malformed", "odd", "refused", "loaded")) > MUTANTS / 100, came


def test_joblib_asks_for_what_the_analysis_reports_of_every_estimator_and_reads_as_far() -> None:
    arrays = nested = 0
    for name, model, _ in [*fitted_estimators(), *composed()]:
        file = io.BytesIO()
        joblib.dump(model, file)
        stream = analyse(file.getbuffer())
        asked = AskedByJoblib(file.getvalue())
        asked.load()
        assert (asked.names, asked.file.tell()) == (reported(stream), stream.end), name
        arrays += len(stream.every_array())
        nested += sum(array.nested is not None for array in stream.every_array())
    assert arrays > 1_000  # or this tests less than it says
    assert nested > 20
