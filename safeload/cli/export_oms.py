"""``safeload export-oms``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import FILE, check_output, json_option, key_option, misuse, signer_of
from safeload.keys import short
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.cli.options import KeySource

__all__ = ["export_oms"]

# What model_signing does not look at.
_PASSED_OVER = (".git", ".gitattributes", ".github", ".gitignore")


@click.command()
@click.argument("artifact", type=FILE)
@key_option
@click.option("-o", "--output", type=FILE, metavar="FILE", help="The bundle; default: model.sig beside the artifact.")
@json_option
def export_oms(artifact: str, key: KeySource, output: str | None, *, as_json: bool) -> None:
    """Sign the folder of an artifact for OpenSSF Model Signing.

    It takes an ECDSA P-256 key. Of the folder it signs this one file, whose bytes are checked against its manifest
    first; who signed it is not.

    \b
    Example:
      safeload export-oms m/model.safeload --key release.key
      model_signing verify key m --signature m/model.sig --public_key release.pub
    """
    if output is not None:
        check_output(output, artifact)
    signer = signer_of(key)
    with misuse():
        written = safeload.export_oms(artifact, output, signer=signer)
    if as_json:
        document = {"file": artifact, "signature": str(written), "keyid": signer.keyid, "algorithm": signer.algorithm}
        ui.json_document(document)
        return
    where, what = printable(str(written)), printable(artifact)
    ui.out(f"{where}: {what} for OpenSSF Model Signing, signed by {short(signer.keyid)}")
    if others := _others(artifact, written):
        ui.note(f"safeload: hint: it does not sign {others}; verify with --ignore_unsigned_files, or move them away")


def _others(artifact: str, written: Path) -> str:
    """What else lies in the folder, which the other program would miss in the bundle."""
    real = Path(artifact).resolve()
    known = {real, written.resolve(), *(real.parent / name for name in _PASSED_OVER)}
    try:
        names = sorted(each.name for each in real.parent.iterdir() if each not in known)
    except OSError:  # a folder that one may write to and not list; the bundle is there all the same
        return ""
    shown = ", ".join(map(printable, names[:3]))
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
