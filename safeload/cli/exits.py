"""What the exit codes mean: one table, read from the top, and the first line that fits counts."""

from __future__ import annotations

import click

from safeload import errors

__all__ = ["CLOSED_PIPE", "EXIT_CODES", "INTERRUPTED", "REFUSED", "UNUSABLE", "exit_code", "worst"]

REFUSED = 1  # a file was read, and is not what it would have to be
UNUSABLE = 2  # no verdict: a file, a key or the command line cannot be used
INTERRUPTED = 130  # as a shell reports SIGINT
CLOSED_PIPE = 141  # as a shell reports SIGPIPE

EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.NotAnArtifactError, UNUSABLE),
    (errors.NoTrustError, UNUSABLE),
    (errors.NoIdentityError, UNUSABLE),
    (errors.KeyFileError, UNUSABLE),  # NoSignerError is one
    (errors.MissingExtraError, UNUSABLE),
    (errors.StoreError, UNUSABLE),
    (errors.SafeloadError, REFUSED),
    (OSError, UNUSABLE),
    (MemoryError, UNUSABLE),
    (click.ClickException, UNUSABLE),  # the command line
    (click.Abort, INTERRUPTED),
    (KeyboardInterrupt, INTERRUPTED),
)


def exit_code(error: BaseException) -> int | None:
    """The code for `error`, or None for a defect of safeload, which keeps its traceback."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)


def worst(codes: list[int]) -> int:
    """The code for several files: one refusal outweighs any number of files without a verdict."""
    return REFUSED if REFUSED in codes else max(codes, default=0)
