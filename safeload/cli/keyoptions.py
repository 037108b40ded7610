"""The options that say who signs: a key file, a file descriptor, or a key that stays in an HSM or a key service."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from safeload.cli import ui
from safeload.errors import KeyPassphraseError, NoSignerError
from safeload.keys import Signer, read_descriptor, signer_from, signer_of_file
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PASSPHRASE", "KeySource", "key_option", "signer_of"]

F = TypeVar("F", bound="Callable[..., Any]")

PASSPHRASE = "SAFELOAD_KEY_PASSPHRASE"  # noqa: S105  the name of the variable, not its value


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the command line says the key is; all None: the environment decides."""

    path: str | None = None
    descriptor: int | None = None


def key_option(command: F) -> F:
    """``--key`` and what may stand in its place; the command takes `key`, a KeySource."""

    @functools.wraps(command)
    def run(*arguments: Any, key: str | None, key_fd: int | None, **options: Any) -> Any:
        if key is not None and key_fd is not None:
            raise click.UsageError("--key and --key-fd both say who signs: give one")
        return command(*arguments, key=KeySource(path=key, descriptor=key_fd), **options)

    return _KEY(_KEY_FD(run))  # type: ignore[return-value]  # click's decorators give what they are given


def signer_of(source: KeySource) -> Signer:
    """The signer of `source`; the passphrase of an encrypted key is asked for if somebody sits there to answer."""
    opened = _opener(source)
    try:
        return opened(None)
    except NoSignerError as error:
        error.hint = "make a key with: safeload keygen team; then add: --key team.key"
        raise
    except KeyPassphraseError as error:
        given = bool(os.environ.get(PASSPHRASE))
        error.hint = f"correct {PASSPHRASE}" if given else f"set {PASSPHRASE}, or run this in a terminal, which asks"
        if given or not ui.can_ask():
            raise
        return _unlocked(opened, error.path)


def _opener(source: KeySource) -> Callable[[str | None], Signer]:
    """From a passphrase to the signer. What a descriptor gives is read once: a pipe gives it no second time."""
    if source.descriptor is None:
        return functools.partial(signer_from, source.path)
    return functools.partial(signer_of_file, read_descriptor(source.descriptor))


def _unlocked(opened: Callable[[str | None], Signer], name: str) -> Signer:
    try:
        return opened(ui.ask_passphrase(f"passphrase of {printable(name)}"))
    except KeyPassphraseError as error:
        error.hint = ""
        raise


_KEY = click.option(
    "--key",
    type=click.Path(),
    metavar="FILE",
    help="The private or HMAC key that signs; default: SAFELOAD_KEY, or the key itself in SAFELOAD_KEY_PEM.",
)
_KEY_FD = click.option(
    "--key-fd", type=click.IntRange(min=0), metavar="N", help="Read the key from an open file descriptor."
)
