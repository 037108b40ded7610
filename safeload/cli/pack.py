"""``safeload pack``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import FILE, check_output, misuse, signer_of, writing_options
from safeload.cli.secrets import READ_PASSPHRASE, new_passphrase, recipient_options
from safeload.cli.wording import holds, readers_of, size
from safeload.keys import short
from safeload.text import plural, printable

if TYPE_CHECKING:
    from safeload import Manifest
    from safeload.cli.options import Compress, KeySource

__all__ = ["pack"]


@click.command()
@click.argument("model", type=FILE)
@writing_options
@recipient_options
def pack(
    model: str,
    output: str,
    key: KeySource,
    compress: Compress,
    digest: str,
    name: str | None,
    metadata: dict[str, str],
    recipients: tuple[str, ...],
    *,
    encrypt_passphrase: bool,
) -> None:
    """Sign an existing model file or folder as it is, byte for byte.

    A signature says who, not that it is safe: what would not load is warned of and not refused. With --recipient
    it is encrypted too; names, sizes and metadata stay readable.

    \b
    Example:
      safeload pack model.joblib -o model.safeload --key team.key
    """
    check_output(output, model)
    signer = signer_of(key)
    with misuse():
        manifest = safeload.pack(
            model,
            output,
            compress,
            signer=signer,
            digest=digest,
            recipients=recipients or None,
            passphrase=new_passphrase(encrypt_passphrase, READ_PASSPHRASE),
            metadata=metadata,
            name=name,
        )
    ui.out(f"{printable(output)}: signed by {short(signer.keyid)}, holds {_what(model, manifest)}")
    if readers := readers_of(manifest):
        ui.out(f"encrypted for {readers}")


_KINDS = {"joblib": "a joblib or pickle stream", "file": "a file of a kind that only unpack gives back"}


def _what(model: str, manifest: Manifest) -> str:
    first, *others = manifest.members
    if others or first.kind.startswith(("tree", "tensorflow.")):
        files = plural(sum(not member.kind.endswith(".empty") for member in manifest.members), "file")
        total = size(sum(member.size for member in manifest.members))
        is_known = not any(member.kind.startswith("tree") for member in manifest.members)
        how = "load knows it, and unpack gives it back" if is_known else "unpack gives it back"
        return f"the folder {printable(Path(model).name or model)}\n{files}, {total}; {how}"
    kind = _KINDS.get(first.kind, f"{first.kind}, which load knows")
    return f"{printable(first.name)}\n{holds(first)}; {kind}"
