"""``safeload keygen``"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from safeload.cli import ui
from safeload.cli.options import FILE, PASSPHRASE, json_option
from safeload.cli.secrets import IDENTITY_PASSPHRASE
from safeload.keys import ENCRYPTION_KINDS, KEY_TYPES
from safeload.keys import keygen as make_keys
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.keys import GeneratedKey

__all__ = ["keygen"]

_ROLES = {
    ".key": "private, mode 0600: whoever has it signs as you",
    ".pub": "public: for those who verify",
    ".hmac": "secret, mode 0600: whoever can verify with it can also sign",
    ".identity": "private, mode 0600: whoever has it reads what is for you",
    ".recipient": "public: for those who encrypt for you",
}
_KINDS = {"signing": tuple(KEY_TYPES), "encryption": ENCRYPTION_KINDS}


@click.command()
@click.argument("name", type=FILE)
@click.option(
    "--type",
    "kind",
    type=click.Choice([*KEY_TYPES, *ENCRYPTION_KINDS]),
    metavar="TYPE",
    help=f"For signing {', '.join(KEY_TYPES)}; for encryption {', '.join(ENCRYPTION_KINDS)}. The first is the default.",
)
@click.option(
    "--for", "use", type=click.Choice(list(_KINDS)), default="signing", show_default=True, help="What it is for."
)
@click.option(
    "--passphrase",
    is_flag=True,
    help=f"Encrypt the private key; asks twice, or takes {PASSPHRASE} ({IDENTITY_PASSPHRASE} for encryption).",
)
@json_option
def keygen(name: str, kind: str | None, use: str, *, passphrase: bool, as_json: bool) -> None:
    """Make a key: NAME.key signs and NAME.pub verifies.

    With --for encryption NAME.identity reads what is encrypted for NAME.recipient.

    \b
    Example:
      safeload keygen team
      safeload keygen machine --for encryption
    """
    kind = kind or _KINDS[use][0]
    _check(name, kind, use, passphrase=passphrase)
    made = make_keys(name, kind, _new_passphrase(name, use) if passphrase else None)
    if as_json:
        ui.json_document({"keyid": made.keyid, "type": kind, "files": [str(path) for path in made.paths]})
        return
    for path in made.paths:
        ui.out(f"wrote {printable(str(path))}  {_ROLES[path.suffix]}")
    ui.out(f"keyid {made.keyid}")
    ui.out()
    for line in _next_steps(made):
        ui.out(line)


def _check(name: str, kind: str, use: str, *, passphrase: bool) -> None:
    if kind not in _KINDS[use]:
        (other,) = (purpose for purpose in _KINDS if purpose != use)
        raise click.UsageError(
            f"a key of type {kind} is not for {use}: add --for {other}, or --type is one of {', '.join(_KINDS[use])}"
        )
    stem, dot, ending = name.rpartition(".")
    if dot + ending in _ROLES and stem:
        raise click.UsageError(f"NAME is without its ending: safeload keygen {printable(stem)}")
    if passphrase and kind == "hmac":
        raise click.UsageError("an HMAC key file is not encrypted: --passphrase has no use here")


def _new_passphrase(name: str, use: str) -> str:
    variable, ending = (PASSPHRASE, "key") if use == "signing" else (IDENTITY_PASSPHRASE, "identity")
    if given := os.environ.get(variable):
        return given
    if not ui.can_ask():
        raise click.UsageError(f"--passphrase asks at a terminal, and there is none: set {variable}")
    first = ui.ask_passphrase(f"passphrase for {printable(name)}.{ending}")
    if not first:
        raise click.UsageError("an empty passphrase protects nothing")
    if ui.ask_passphrase("the same again") != first:
        raise click.UsageError("the two passphrases differ; nothing was written")
    return first


def _next_steps(made: GeneratedKey) -> list[str]:
    secret, *public = (printable(str(path)) for path in made.paths)
    if secret.endswith(".identity"):
        pack = f"safeload pack model.joblib -o model.safeload --key team.key --recipient {public[0]}"
        return [
            f"next: {pack}",
            f"      safeload unpack model.safeload --trust team.pub --identity {secret} -o m.joblib",
        ]
    pack = f"safeload pack model.joblib -o model.safeload --key {secret}"
    if not public:
        return [f"next: {pack}", f"      safeload verify model.safeload --trust {secret}"]
    return [f"next: safeload trust add {public[0]} --store keys/", f"      {pack}"]
