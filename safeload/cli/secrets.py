"""Options of encryption, and where its secrets come from: files, SAFELOAD_* variables or a prompt, never argv."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from safeload import Identity
from safeload.cli import ui
from safeload.cli.options import FILE
from safeload.errors import KeyPassphraseError, NoIdentityError
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "IDENTITY_PASSPHRASE",
    "NEW_PASSPHRASE",
    "READ_PASSPHRASE",
    "identity_option",
    "new_passphrase",
    "opened",
    "recipient_option",
    "recipient_options",
]

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

IDENTITY = "SAFELOAD_IDENTITY"
IDENTITY_PASSPHRASE = "SAFELOAD_IDENTITY_PASSPHRASE"  # noqa: S105  the names of variables, not their values
READ_PASSPHRASE = "SAFELOAD_PASSPHRASE"  # noqa: S105
NEW_PASSPHRASE = "SAFELOAD_NEW_PASSPHRASE"  # noqa: S105

identity_option = click.option(
    "--identity", type=FILE, metavar="FILE", help=f"Who reads an encrypted file; default: {IDENTITY}."
)


def recipient_options(command: F) -> F:
    """``--recipient`` and ``--encrypt-passphrase``; the command takes `recipients` and `encrypt_passphrase`."""
    return recipient_option(_PASSPHRASE(command))


def new_passphrase(wanted: bool, variable: str) -> str | None:
    """The passphrase for a file that is written: that of `variable`, or asked for twice."""
    if not wanted:
        return None
    if given := os.environ.get(variable):
        return given
    if not ui.can_ask():
        raise click.UsageError(f"--encrypt-passphrase asks at a terminal, and there is none: set {variable}")
    first = ui.ask_passphrase("passphrase for the file")
    if not first:
        raise click.UsageError("an empty passphrase protects nothing")
    if ui.ask_passphrase("the same again") != first:
        raise click.UsageError("the two passphrases differ; nothing was written")
    return first


def opened(read: Callable[[Identity | str | None, str | None], T], identity: str | None) -> T:
    """``read(identity, passphrase)``, asking for what is missing if somebody sits there to answer.

    It is asked for only after the signatures held: a file cannot make the tool ask for a secret by itself.
    """
    passphrase = os.environ.get(READ_PASSPHRASE) or None
    try:
        return read(identity, passphrase)
    except NoIdentityError as error:
        if error.wants == "identity":
            error.hint = "add: --identity machine.identity; verify works without one"
            raise
        error.hint = f"set {READ_PASSPHRASE}, or run this in a terminal, which asks; verify works without one"
        if not ui.can_ask():
            raise
    except KeyPassphraseError as error:
        given = bool(os.environ.get(IDENTITY_PASSPHRASE))
        error.hint = f"correct {IDENTITY_PASSPHRASE}" if given else f"set {IDENTITY_PASSPHRASE}, or use a terminal"
        if given or not ui.can_ask():
            raise
        return read(_unlocked(error.path), passphrase)
    return read(identity, ui.ask_passphrase("passphrase of the file"))


def _unlocked(path: str) -> Identity:
    try:
        return Identity.from_file(path, ui.ask_passphrase(f"passphrase of {printable(path)}"))
    except KeyPassphraseError as error:
        error.hint = ""
        raise


recipient_option = click.option(
    "--recipient",
    "recipients",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Encrypt for the owner of this .recipient file; may be repeated.",
)
_PASSPHRASE = click.option(
    "--encrypt-passphrase", is_flag=True, help="Encrypt with a passphrase instead; asks twice, or takes a variable."
)
