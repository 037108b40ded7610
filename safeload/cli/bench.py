"""``safeload bench``"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import (
    FILE,
    allow_options,
    json_option,
    misuse,
    signature_option,
    trust_of,
    trust_option,
    trust_root_option,
)
from safeload.cli.secrets import identity_option, opened

if TYPE_CHECKING:
    from safeload import Evaluation, Identity

__all__ = ["bench"]


@click.command()
@click.argument("artifact", type=FILE)
@click.option(
    "--data",
    type=FILE,
    metavar="FILE",
    help="What the model is asked: an .npy file, or a .csv file with a line of names. Default: only loading.",
)
@click.option(
    "--target",
    metavar="FILE|COLUMN",
    help="What it should say: an .npy file, or the column of the .csv file that is none of the data.",
)
@click.option("--repeats", type=click.IntRange(min=1), default=7, show_default=True, metavar="N", help="Loads of each.")
@trust_option
@trust_root_option
@signature_option
@identity_option
@allow_options
@json_option
def bench(
    artifact: str,
    data: str | None,
    target: str | None,
    repeats: int,
    trust: str | None,
    trust_root: str | None,
    signature: tuple[str, ...],
    identity: str | None,
    allow: tuple[str, ...],
    allow_call: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Measure a signed model beside plain joblib and pickle.

    Size, seconds, score, and whether all answer alike. The plain files are written by this command, of the model that
    it verified and loaded, and removed.

    \b
    Example:
      safeload bench model.safeload --trust keys/ --data table.csv --target label
    """
    if target is not None and data is None:
        raise click.UsageError("--target says what the model should say, and there is no --data to ask it about")
    store = trust_of(trust, trust_root)
    with misuse():
        policy = safeload.Policy.default().allow(*allow).allow(*allow_call, use=("new", "build", "reference", "call"))

        def run(who: Identity | str | None, passphrase: str | None) -> Evaluation:
            return safeload.evaluate(
                artifact,
                data,
                target,
                trust=store,
                policy=policy,
                identity=who,
                passphrase=passphrase,
                signature=signature,
                repeats=repeats,
            )

        found = opened(run, identity)
    if as_json:
        ui.json_document(found.to_dict())
        return
    ui.out(found.title)
    ui.out()
    ui.table(found.headers, found.cells)
    ui.out()
    for remark in found.remarks:
        for line in textwrap.wrap(remark, ui.width(), break_long_words=False, break_on_hyphens=False):
            ui.out(line)
