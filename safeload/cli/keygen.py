"""``safeload keygen``"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from safeload.cli import ui
from safeload.cli.options import FILE, PASSPHRASE, json_option
from safeload.keys import KEY_TYPES
from safeload.keys import keygen as make_keys
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.keys import GeneratedKey

__all__ = ["keygen"]

_ROLES = {
    ".key": "private, mode 0600: whoever has it signs as you",
    ".pub": "public: for those who verify",
    ".hmac": "secret, mode 0600: whoever can verify with it can also sign",
}


@click.command()
@click.argument("name", type=FILE)
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(KEY_TYPES)),
    default="ed25519",
    show_default=True,
    help="What the key signs with; hmac is one shared secret, all others are pairs.",
)
@click.option("--passphrase", is_flag=True, help=f"Encrypt the private key; asks twice, or takes {PASSPHRASE}.")
@json_option
def keygen(name: str, kind: str, *, passphrase: bool, as_json: bool) -> None:
    """Make a key: NAME.key signs and NAME.pub verifies.

    \b
    Example:
      safeload keygen team
    """
    _check(name, kind, passphrase=passphrase)
    made = make_keys(name, kind, _new_passphrase(name) if passphrase else None)
    if as_json:
        ui.json_document({"keyid": made.keyid, "type": kind, "files": [str(path) for path in made.paths]})
        return
    for path in made.paths:
        ui.out(f"wrote {printable(str(path))}  {_ROLES[path.suffix]}")
    ui.out(f"keyid {made.keyid}")
    ui.out()
    for line in _next_steps(made):
        ui.out(line)


def _check(name: str, kind: str, *, passphrase: bool) -> None:
    stem, dot, ending = name.rpartition(".")
    if dot + ending in _ROLES and stem:
        raise click.UsageError(f"NAME is without its ending: safeload keygen {printable(stem)}")
    if passphrase and kind == "hmac":
        raise click.UsageError("an HMAC key file is not encrypted: --passphrase has no use here")


def _new_passphrase(name: str) -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    if not ui.can_ask():
        raise click.UsageError(f"--passphrase asks at a terminal, and there is none: set {PASSPHRASE}")
    first = ui.ask_passphrase(f"passphrase for {printable(name)}.key")
    if not first:
        raise click.UsageError("an empty passphrase protects nothing")
    if ui.ask_passphrase("the same again") != first:
        raise click.UsageError("the two passphrases differ; nothing was written")
    return first


def _next_steps(made: GeneratedKey) -> list[str]:
    secret, *public = (printable(str(path)) for path in made.paths)
    pack = f"safeload pack model.joblib -o model.safeload --key {secret}"
    if not public:
        return [f"next: {pack}", f"      safeload verify model.safeload --trust {secret}"]
    return [f"next: safeload trust add {public[0]} --store keys/", f"      {pack}"]
