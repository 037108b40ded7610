"""Numbers are bytes of any kind, and many of them begin like a pickle, a document or an archive by chance."""

from __future__ import annotations

import numpy as np
import pytest

from safeload.engine.tables import WATCHED
from safeload.limits import ScanLimits
from safeload.readers.files.look import Budget, Look
from safeload.readers.files.parts import Part
from safeload.readers.files.pickles import names_something
from safeload.readers.files.table import is_numbers, read_part

_MANY = 40_000


def look_at(view: memoryview) -> Look:
    part = Part((), "numbers", 0, len(view), view=view)
    return Look(part, [part], Budget(ScanLimits(), len(view)), read_part, WATCHED)


@pytest.mark.parametrize("kind", ["f4", "f8", "u1"])
def test_of_many_arrays_none_is_taken_for_anything_else(kind: str) -> None:
    """One in 1,000 was, by a memo key far away, a key that is no number, or a short pickle that names nothing."""
    generator = np.random.default_rng(0)
    shape = _MANY, 128
    rows = generator.integers(0, 256, shape) if kind == "u1" else generator.normal(size=shape)
    taken = []
    for row in rows.astype(kind):
        view = memoryview(row.tobytes())
        if names_something(look_at(view), view) or not is_numbers(look_at(view), view):
            taken.append(bytes(view[:16]))
    assert taken == []
