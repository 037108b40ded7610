"""``safeload inspect``"""

from __future__ import annotations

import click

import safeload
from safeload.cli import ui
from safeload.cli.claims import claims_document, claims_lines
from safeload.cli.options import FILE, json_option

__all__ = ["inspect"]


@click.command()
@click.argument("artifact", type=FILE)
@json_option
def inspect(artifact: str, *, as_json: bool) -> None:
    """Show what a file says of itself; no signature is checked.

    \b
    Example:
      safeload inspect model.safeload
    """
    with safeload.inspect(artifact) as opened:
        if as_json:
            ui.json_document(claims_document(opened))
            return
        for line in claims_lines(opened):
            ui.out(line)
