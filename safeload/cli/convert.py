"""``safeload convert``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import FILE, check_output, misuse, signer_of, writing_options
from safeload.cli.secrets import READ_PASSPHRASE, new_passphrase, recipient_options
from safeload.cli.wording import holds, readers_of
from safeload.keys import short
from safeload.text import plural, printable

if TYPE_CHECKING:
    from safeload.cli.options import Compress, KeySource

__all__ = ["convert"]


@click.command()
@click.argument("model", type=FILE)
@writing_options
@recipient_options
@click.option(
    "--allow", multiple=True, metavar="MODULE.NAME", help="A class of yours that may be rebuilt; may be repeated."
)
@click.option(
    "--allow-call",
    multiple=True,
    metavar="MODULE.NAME",
    help="What may also be called while loading, such as an enum of yours; may be repeated.",
)
def convert(
    model: str,
    output: str,
    key: KeySource,
    compress: Compress,
    digest: str,
    name: str | None,
    metadata: dict[str, str],
    allow: tuple[str, ...],
    allow_call: tuple[str, ...],
    recipients: tuple[str, ...],
    *,
    encrypt_passphrase: bool,
) -> None:
    """Rebuild a plain model file under guard and sign it.

    Pickle and joblib files; .npy and .npz, PyTorch's state dicts, models of Keras, ONNX, PMML, hickle, safetensors and
    skops, and SavedModels, if the framework is there.

    \b
    Example:
      safeload convert old.pkl -o new.safeload --key team.key
    """
    check_output(output, model)
    signer = signer_of(key)
    with misuse():
        policy = safeload.Policy.untrusted().allow(*allow).allow(*allow_call, use=("new", "build", "reference", "call"))
        manifest = safeload.convert(
            model,
            output,
            compress,
            signer=signer,
            policy=policy,
            digest=digest,
            recipients=recipients or None,
            passphrase=new_passphrase(encrypt_passphrase, READ_PASSPHRASE),
            metadata=metadata,
            name=name,
        )
    member = max(manifest.members, key=lambda each: each.size)
    ui.out(f"{printable(output)}: rebuilt from {printable(model)}, signed by {short(signer.keyid)}")
    if member.kind == "joblib":
        ui.out(f"{holds(member)}; it uses {plural(len(manifest.globals), 'global')}, all allowed")
    elif member.kind.startswith("tensorflow."):
        ui.out(f"{holds(member)}; its operations are all known to compute and nothing else")
    else:
        ui.out(f"{holds(member)}, and nothing in it is code")
    if readers := readers_of(manifest):
        ui.out(f"encrypted for {readers}")
