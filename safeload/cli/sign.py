"""``safeload sign``"""

from __future__ import annotations

import click

from safeload import sign as sign_file
from safeload.cli import ui
from safeload.cli.options import FILE, key_option, signer_of
from safeload.keys import short
from safeload.text import printable

__all__ = ["sign"]


@click.command()
@click.argument("artifact", type=FILE)
@key_option
def sign(artifact: str, key: str | None) -> None:
    """Add one more signature to a file.

    Its bytes are checked against its manifest first; who signed before is not.

    \b
    Example:
      safeload sign model.safeload --key reviewer.key
    """
    signer = signer_of(key)
    sign_file(artifact, signer=signer)
    ui.out(f"{printable(artifact)}: signed by {short(signer.keyid)} too")
