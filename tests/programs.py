"""Other programs that tests need: where one is absent a test is skipped, in CI it fails."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["absent", "first"]


def absent(what: str, install: str) -> NoReturn:
    """`what` is not on this machine, where `install` would bring it."""
    message = f"{what} is not installed: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def first(paths: Iterable[Path]) -> Path | None:
    """The first of `paths` that is there."""
    return next((path for path in paths if path.is_file()), None)
