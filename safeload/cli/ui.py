"""The only file that prints: results to stdout, all else to stderr, and nothing that could hide or rewrite a line."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from safeload.cli.wording import error_lines, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "ClosedPipeError",
    "ask_passphrase",
    "can_ask",
    "document",
    "error",
    "json_document",
    "note",
    "out",
    "prepare",
    "progress",
    "table",
    "warnings_shown",
    "width",
]


class ClosedPipeError(Exception):
    """Whoever read stdout has gone, as `head` does."""


def prepare() -> None:
    """A terminal that cannot show a character gets an escape, not a traceback; what is logged is said by us anyway.

    Clients of clouds log tracebacks, which Python shows if nobody takes them.
    """
    logger = logging.getLogger()
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def out(text: str = "", *, mark: str = "", color: str = "") -> None:
    """A line of the result. `mark` stands before it, coloured on a terminal."""
    _write(_styled(shown(mark), color) + shown(text))


def document(text: str) -> None:
    """A result in a format of its own, which makes nothing of what could hide in it."""
    _write(text)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int, int, object], None] | None]:
    """How far it is, how fast, and what is left, on stderr; on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # A rate is known only after a while.
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rate="")

        def step(done: int, total: int, _: object) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:,.0f} files/s" if speed else "")

        yield step


def json_document(document: dict[str, Any]) -> None:
    """The result for machines; ASCII, so that nothing in it can hide."""
    import json

    _write(json.dumps(document, indent=2, ensure_ascii=True))


def _write(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:
        _forget_stdout()
        raise ClosedPipeError from None


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere, or the interpreter complains at its end."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def note(text: str) -> None:
    """A line beside the result."""
    with contextlib.suppress(OSError):  # nobody can be told
        click.echo(shown(text), err=True)


def error(problem: BaseException) -> None:
    for line in error_lines(problem):
        note(line)


@contextlib.contextmanager
def warnings_shown() -> Iterator[None]:
    """Warnings as lines in the tool's own voice; safeload's are never filtered away."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        note(f"safeload: warning: {message}")

    with warnings.catch_warnings():
        for category in _categories():
            warnings.simplefilter("always", category)
        warnings.showwarning = show
        yield


def _categories() -> tuple[type[Warning], ...]:
    from safeload import EnvironmentWarning, PolicyWarning
    from safeload.keys import IgnoredKeyWarning

    return EnvironmentWarning, PolicyWarning, IgnoredKeyWarning


def can_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_passphrase(prompt: str) -> str:
    """Ask at the terminal, unseen."""
    import getpass

    return getpass.getpass(f"{shown(prompt)}: ", stream=sys.stderr)


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _styled(text: str, color: str) -> str:
    if not text or not color or not _on_terminal() or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, fg=color)


def width() -> int:
    """Columns for running text."""
    import shutil

    return min(shutil.get_terminal_size().columns, 100) if _on_terminal() else 80


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column is text, the others are figures. Ruled on a terminal, plain in a pipe."""
    cells = [[shown(cell) for cell in row] for row in rows]
    if _on_terminal():
        _rich_table(headers, cells)
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for row in (list(headers), *cells):
        first, *rest = (
            cell.rjust(size) if index else cell.ljust(size)
            for index, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        _write("  " + "  ".join((first, *rest)).rstrip())


def _rich_table(headers: Sequence[str], cells: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=True)
    for index, header in enumerate(headers):
        drawn.add_column(Text(header), justify="right" if index else "left", no_wrap=True)
    for row in cells:
        drawn.add_row(*map(Text, row))
    Console(markup=False, emoji=False, highlight=False).print(drawn)
