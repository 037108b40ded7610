"""The pages of docs/frameworks that need nothing but what safeload itself needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.pages import run_page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from conftest import Keys


def test_the_page_of_scikit_learn_does_what_it_says(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page("frameworks/scikit-learn.md", tmp_path, team, monkeypatch)
