"""``safeload sign``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import FILE, json_option, key_option, signer_of
from safeload.keys import short
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.cli.options import KeySource

__all__ = ["sign"]


@click.command()
@click.argument("artifact", type=FILE)
@key_option
@click.option("--detached", type=FILE, metavar="FILE", help="Write it there, and leave the artifact as it is.")
@json_option
def sign(artifact: str, key: KeySource, detached: str | None, *, as_json: bool) -> None:
    """Add one more signature to a file.

    Its bytes are checked against its manifest first; who signed before is not.

    \b
    Example:
      safeload sign model.safeload --key reviewer.key
    """
    signer = signer_of(key)
    safeload.sign(artifact, signer=signer, detached=detached)
    if as_json:
        where = {} if detached is None else {"signature": detached}
        ui.json_document({"file": artifact, "keyid": signer.keyid, "algorithm": signer.algorithm, **where})
        return
    ui.out(f"{printable(artifact)}: signed by {short(signer.keyid)} {'too' if detached is None else 'beside it'}")
    if detached is not None:
        ui.out(f"verify it with: --signature {printable(detached)}")
