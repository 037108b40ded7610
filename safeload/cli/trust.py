"""``safeload trust add`` and ``safeload trust list``"""

from __future__ import annotations

import click

from safeload.cli import ui
from safeload.cli.group import HelpfulGroup
from safeload.cli.options import FILE, json_option
from safeload.keys import trust_add, trust_list
from safeload.text import printable

__all__ = ["trust"]

_store_option = click.option(
    "--store", type=FILE, required=True, metavar="FOLDER", help="The trust store: a folder of .pub files."
)


@click.group(cls=HelpfulGroup, no_args_is_help=False)
def trust() -> None:
    """Say whose signatures count.

    \b
    Example:
      safeload trust add team.pub --store keys/
    """


@trust.command()
@click.argument("key", type=FILE, metavar="KEY.pub")
@_store_option
def add(key: str, store: str) -> None:
    """Copy a public key into a trust store, which is made if need be.

    \b
    Example:
      safeload trust add team.pub --store keys/
    """
    addition = trust_add(key, store)
    path, name = printable(str(addition.path)), addition.key.name
    ui.out(f"{path}: {name} is trusted now" if addition.added else f"{path}: {name} was trusted before")
    ui.out(f"keyid {addition.key.keyid}")
    if addition.added:
        ui.note("safeload: hint: compare the keyid with the key's owner over another channel than the key came by")


@trust.command(name="list")
@_store_option
@json_option
def list_keys(store: str, *, as_json: bool) -> None:
    """Show the keys of a trust store.

    \b
    Example:
      safeload trust list --store keys/
    """
    keys = trust_list(store)
    if as_json:
        ui.json_document(
            {
                "store": store,
                "keys": [{"name": key.name, "algorithm": key.algorithm, "keyid": key.keyid} for key in keys],
            }
        )
        return
    for key in keys:
        ui.out(f"{key.keyid}  {key.algorithm}  {key.name}")
