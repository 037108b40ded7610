"""``safeload store``: models by name and version, in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import safeload
from safeload.cli import ui
from safeload.cli.group import HelpfulGroup
from safeload.cli.keyoptions import key_option, signer_of
from safeload.cli.options import (
    FILE,
    check_output,
    compress_option,
    digest_option,
    json_option,
    metadata_option,
    misuse,
    output_option,
    trust_of,
    trust_option,
    trust_root_option,
)
from safeload.cli.secrets import identity_option, opened, recipient_option
from safeload.cli.wording import signers_of, size
from safeload.errors import SafeloadError
from safeload.keys import short
from safeload.text import printable

if TYPE_CHECKING:
    from safeload import Artifact, Identity
    from safeload.cli.options import Compress, KeySource

__all__ = ["store"]

_FOLDER = click.argument("folder", type=FILE)
_NAME = click.argument("name")
_VERSION = click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Which version; default: the newest."
)


@click.group(cls=HelpfulGroup, no_args_is_help=False)
def store() -> None:
    """Keep the versions of models, signed, in a folder.

    \b
    Example:
      safeload store save models churn model.joblib --key team.key
      safeload store list models
      safeload store load models churn --trust keys/ -o model.joblib
    """


@store.command(name="save")
@_FOLDER
@_NAME
@click.argument("model", type=FILE)
@key_option
@compress_option
@digest_option
@metadata_option
@recipient_option
def save(
    folder: str,
    name: str,
    model: str,
    key: KeySource,
    compress: Compress,
    digest: str,
    metadata: dict[str, str],
    recipients: tuple[str, ...],
) -> None:
    """Sign a model file, or a folder, as the next version of NAME.

    It is kept as it is, byte for byte. Of several who save at once, each gets a number of its own.

    \b
    Example:
      safeload store save models churn model.joblib --key team.key
    """
    signer = signer_of(key)
    with misuse():
        place = safeload.ModelStore(
            folder, signer=signer, recipients=recipients or None, compress=compress, digest=digest
        )
        number = place.pack(name, model, metadata=metadata)
    path = printable(place.path(name, number))
    ui.out(f"{path}: version {number} of {printable(name)}, signed by {short(signer.keyid)}")


@store.command(name="load")
@_FOLDER
@_NAME
@_VERSION
@output_option
@trust_option
@trust_root_option
@identity_option
def load(
    folder: str,
    name: str,
    version: int | None,
    output: str,
    trust: str | None,
    trust_root: str | None,
    identity: str | None,
) -> None:
    """Verify a version of NAME and write what it holds.

    A file that is signed under another name or number is refused.

    \b
    Example:
      safeload store load models churn --version 2 --trust keys/ -o model.joblib
    """
    check_output(output, folder)
    with misuse():
        place = safeload.ModelStore(folder, trust=trust_of(trust, trust_root))

        def write(who: Identity | str | None, passphrase: str | None) -> Artifact:
            return place.unpack(name, output, version, identity=who, passphrase=passphrase)

        artifact = opened(write, identity)
    model = artifact.manifest.model
    assert model is not None  # noqa: S101  # a store refuses what has no name
    ui.out(
        f"{printable(output)}: version {model.version} of {printable(name)}, verified, signed by {signers_of(artifact)}"
    )


@store.command(name="list")
@_FOLDER
@click.argument("name", required=False)
@json_option
def list_models(folder: str, name: str | None, *, as_json: bool) -> None:
    """List the models in a folder, or the versions of one.

    By the names of files, and by what they say of themselves: no signature is checked.

    \b
    Example:
      safeload store list models
      safeload store list models churn
    """
    if not Path(folder).is_dir():
        raise click.UsageError(f"{printable(folder)} is no folder")
    place = safeload.ModelStore(folder)
    with misuse():
        names = place.list() if name is None else (name,)
        found = {each: place.versions(each) for each in names}
        if name is not None and not found[name]:
            place.path(name)  # says what is near
    if as_json:
        ui.json_document({"models": [{"name": each, "versions": list(numbers)} for each, numbers in found.items()]})
    elif name is None:
        ui.table(["model", "newest", "versions"], [[each, str(n[-1]), str(len(n))] for each, n in found.items()])
    else:
        ui.table(["version", "saved", "size"], [_row(place, name, number) for number in found[name]])


def _row(place: safeload.ModelStore, name: str, number: int) -> list[str]:
    path = place.path(name, number)
    try:
        with safeload.inspect(path) as file:
            created: Any = file.claimed.created
    except (SafeloadError, OSError):
        created = "cannot be read"
    return [str(number), printable(created), size(Path(path).stat().st_size)]
