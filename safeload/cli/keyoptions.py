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
PIN = "SAFELOAD_KEY_PIN"
_NAMES = ("--key", "--key-fd", "--key-uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the command line says the key is; all None: the environment decides."""

    path: str | None = None
    descriptor: int | None = None
    uri: str | None = None
    public: str = ""


def key_option(command: F) -> F:
    """``--key`` and what may stand in its place; the command takes `key`, a KeySource."""

    @functools.wraps(command)
    def run(
        *arguments: Any,
        key: str | None,
        key_fd: int | None,
        key_uri: str | None,
        public_key: str | None,
        **options: Any,
    ) -> Any:
        given = [name for name, value in zip(_NAMES, (key, key_fd, key_uri), strict=True) if value is not None]
        if len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} both say who signs: give one")
        if (key_uri is None) != (public_key is None):
            raise click.UsageError("--key-uri and --public-key go together: what the key signs is checked at once")
        source = KeySource(path=key, descriptor=key_fd, uri=key_uri, public=public_key or "")
        return command(*arguments, key=source, **options)

    return _KEY(_KEY_FD(_KEY_URI(_PUBLIC_KEY(run))))  # type: ignore[return-value]  # click gives what it is given


def signer_of(source: KeySource) -> Signer:
    """The signer of `source`; the passphrase of an encrypted key is asked for if somebody sits there to answer."""
    if source.uri is not None:
        return Signer.from_uri(source.uri, source.public, functools.partial(_pin, source.uri))
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


def _pin(uri: str, wanted: str) -> str:
    """The PIN from the environment, or from whoever sits there."""
    if given := os.environ.get(PIN):
        return given
    if not ui.can_ask():
        raise KeyPassphraseError(
            f"{printable(uri)} wants a {printable(wanted)}, and {PIN} is not set",
            path=uri,
            hint=f"set {PIN}, or run this in a terminal, which asks",
        )
    return ui.ask_passphrase(f"{printable(wanted)} of {printable(uri)}")


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
_KEY_URI = click.option(
    "--key-uri", metavar="URI", help="A key in an HSM or a key service, such as hsm:2?label=release."
)
_PUBLIC_KEY = click.option("--public-key", type=click.Path(), metavar="FILE", help="The public half of that key.")
