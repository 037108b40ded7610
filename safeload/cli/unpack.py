"""``safeload unpack``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import (
    FILE,
    check_output,
    output_option,
    signature_option,
    trust_of,
    trust_option,
    trust_root_option,
)
from safeload.cli.secrets import identity_option, opened
from safeload.cli.wording import signers_of
from safeload.text import printable

if TYPE_CHECKING:
    from safeload import Artifact, Identity

__all__ = ["unpack"]


@click.command()
@click.argument("artifact", type=FILE)
@output_option
@trust_option
@trust_root_option
@signature_option
@identity_option
def unpack(
    artifact: str,
    output: str,
    trust: str | None,
    trust_root: str | None,
    signature: tuple[str, ...],
    identity: str | None,
) -> None:
    """Verify a file and write what it holds.

    What pack took comes back byte for byte; a model that was dumped, as an uncompressed joblib file.

    \b
    Example:
      safeload unpack model.safeload --trust keys/ -o model.joblib
    """
    check_output(output, artifact)
    store = trust_of(trust, trust_root)

    def write(who: Identity | str | None, passphrase: str | None) -> Artifact:
        return safeload.unpack(artifact, output, trust=store, identity=who, passphrase=passphrase, signature=signature)

    verified = opened(write, identity)
    ui.out(f"{printable(output)}: unpacked from {printable(artifact)}, verified, signed by {signers_of(verified)}")
