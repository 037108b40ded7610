"""Which frameworks a run of the tests has to have: ``SAFELOAD_TEST_FRAMEWORKS``, names with commas between them.

They do not all fit into one environment. What is named there must be importable, or its tests fail; what is not named
is skipped where it is missing. ``1`` names all but TensorFlow.
"""

from __future__ import annotations

import os

import pytest

__all__ = ["need"]

_NAMED = frozenset(os.environ.get("SAFELOAD_TEST_FRAMEWORKS", "").replace(" ", "").split(",")) - {""}
_NOT_WITH_OTHERS = frozenset({"tensorflow"})


def need(*names: str, extra: str) -> None:
    """Skip the module of tests that calls this, unless these are here or have to be."""
    for name in names:
        if name in _NAMED or ("1" in _NAMED and name not in _NOT_WITH_OTHERS):
            continue
        pytest.importorskip(name, reason=f"pip install '.[{extra},test]'")
