"""``safeload rewrap``"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import FILE, key_option, misuse, signer_of, trust_of, trust_option, trust_root_option
from safeload.cli.secrets import NEW_PASSPHRASE, identity_option, new_passphrase, opened, recipient_options
from safeload.cli.wording import readers_of
from safeload.keys import short
from safeload.text import printable

if TYPE_CHECKING:
    from safeload import Identity, Manifest
    from safeload.cli.options import KeySource

__all__ = ["rewrap"]


@click.command()
@click.argument("artifact", type=FILE)
@key_option
@trust_option
@trust_root_option
@recipient_options
@identity_option
def rewrap(
    artifact: str,
    key: KeySource,
    trust: str | None,
    trust_root: str | None,
    recipients: tuple[str, ...],
    identity: str | None,
    *,
    encrypt_passphrase: bool,
) -> None:
    """Change who may read an encrypted file.

    The payload stays. All who may read are named anew, and the file is signed anew; signatures that were on it go.
    Whoever could read before may have kept a copy. --identity reads the file as it is; --trust says who may have
    signed it, if not the key that signs now.

    \b
    Example:
      safeload rewrap m.safeload --key team.key --identity old.identity
               --recipient new.recipient
    """
    if bool(recipients) == encrypt_passphrase:
        raise click.UsageError("name who may read: --recipient FILE, or --encrypt-passphrase")
    signer = signer_of(key)
    # Nobody needs to say that they trust the key that they sign with.
    store = trust_of(trust, trust_root) if trust or trust_root or os.environ.get("SAFELOAD_TRUST") else None
    new = new_passphrase(encrypt_passphrase, NEW_PASSPHRASE)

    def change(who: Identity | str | None, passphrase: str | None) -> Manifest:
        return safeload.rewrap(
            artifact,
            recipients=recipients or None,
            new_passphrase=new,
            signer=signer,
            trust=store,
            identity=who,
            passphrase=passphrase,
        )

    with misuse():
        manifest = opened(change, identity)
    ui.out(f"{printable(artifact)}: encrypted for {readers_of(manifest)}, signed by {short(signer.keyid)}")
