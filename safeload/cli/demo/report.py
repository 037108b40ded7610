"""How the demo looks: one line a check, and below a refusal what the user would see."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

from safeload.cli import ui
from safeload.cli.demo.checks import CheckFailedError
from safeload.cli.wording import error_lines, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["Report"]

_HEADERS = ("model", "accuracy", "size", "joblib.load", "safeload.load")
_INDENT = " " * 10


class Report:
    """Runs each check, prints how it went, and keeps the score."""

    def __init__(self, folder: Path) -> None:
        # As if the user were in that folder: its name says nothing.
        self._prefix = f"{folder}{os.sep}"
        self.passed = 0
        self.failed: list[str] = []

    def heading(self, text: str) -> None:
        ui.out()
        for line in _wrapped(text, ui.width()):
            ui.out(line)

    def line(self, text: str) -> None:
        """As it is: it holds a command, which is to be copied."""
        ui.out(text)

    def step(self, name: str, act: Callable[[], str]) -> bool:
        """Whether `act` succeeded."""
        try:
            said = act()
        except Exception as error:  # whatever it is, the check failed
            return self._fail(name, error)
        self.passed += 1
        ui.out(f"{name}: {said}", mark="  ok      ", color="green")
        return True

    def refusal(self, title: str, act: Callable[[], Exception], besides: str) -> None:
        """`act` returns the refusal that it met."""
        try:
            error = act()
        except Exception as problem:  # whatever it is, the check failed
            self._fail(title, problem)
            return
        self.passed += 1
        ui.out(title, mark="  refused ", color="green")
        self._quote([*error_lines(error), *filter(None, [besides])])

    def figures(self, rows: Sequence[Sequence[str]]) -> None:
        ui.out()
        ui.table(_HEADERS, rows)

    def _fail(self, name: str, error: Exception) -> bool:
        self.failed.append(name)
        ui.out(name, mark="  FAILED  ", color="red")
        kind = "" if isinstance(error, CheckFailedError) else f"{type(error).__name__}: "
        self._quote([shown(f"{kind}{error}")])
        return False

    def _quote(self, lines: Sequence[str]) -> None:
        for line in lines:
            short = line.replace(self._prefix, "")
            for part in _wrapped(short, ui.width() - len(_INDENT), "  "):
                ui.out(_INDENT + part)


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of `text`; file names, commands and keyids stay whole, so that they can be copied."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
