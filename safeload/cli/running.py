"""From a command line to an exit code: every expected error in the tool's own words, and none as a traceback."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

import click

from safeload.cli import ui
from safeload.cli.exits import CLOSED_PIPE, INTERRUPTED, exit_code
from safeload.cli.group import safeload
from safeload.cli.wording import error_document

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code; None takes the arguments of the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except ui.ClosedPipeError:
        return CLOSED_PIPE
    except (click.Abort, KeyboardInterrupt):
        ui.note("safeload: interrupted")
        return INTERRUPTED
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        return _fail(error, code, json=_json_asked(words))


def _run(words: list[str]) -> int:
    ui.prepare()
    with ui.warnings_shown():
        # Without its standalone mode click raises, and returns the code of those who exit.
        code: int | None = safeload.main(words, "safeload", standalone_mode=False)
        return code or 0


def _json_asked(words: list[str]) -> bool:
    """What click would say, had it come to that: a usage error is a document too."""
    return not {"--json", "--format=json"}.isdisjoint(words) or ("--format", "json") in itertools.pairwise(words)


def _fail(error: Exception, code: int, *, json: bool) -> int:
    ui.error(error)
    if json:
        try:
            ui.json_document({"error": error_document(error)})
        except (OSError, ui.ClosedPipeError):  # stdout may be what failed
            return code
    return code
