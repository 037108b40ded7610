"""The pages about frameworks, run as somebody would who follows them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from conftest import Keys

__all__ = ["run_page"]

_DOCS = Path(__file__).parent.parent.parent / "docs"


def run_page(name: str, folder: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its Python, in `folder`, where the keys of the team are."""
    monkeypatch.chdir(folder)
    shutil.copy(team.key, folder)
    shutil.copy(team.pub, folder)
    pieces = (_DOCS / name).read_text("utf-8").split("```python\n")[1:]
    assert pieces
    given: dict[str, Any] = {}
    for piece in pieces:
        exec(piece.partition("```")[0], given)  # noqa: S102  our own page
