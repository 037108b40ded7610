"""``safeload verify``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import safeload
from safeload.cli import ui
from safeload.cli.exits import REFUSED, exit_code, worst
from safeload.cli.options import FILE, json_option, signature_option, trust_of, trust_option, trust_root_option
from safeload.cli.wording import error_document, readers_of, signers_of
from safeload.errors import SafeloadError
from safeload.keys import short
from safeload.text import printable

if TYPE_CHECKING:
    from safeload import Artifact, TrustStore

__all__ = ["verify"]


@click.command()
@click.argument("artifacts", type=FILE, nargs=-1, required=True)
@trust_option
@trust_root_option
@signature_option
@json_option
@click.pass_context
def verify(
    context: click.Context,
    artifacts: tuple[str, ...],
    trust: str | None,
    trust_root: str | None,
    signature: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Check the signatures and every byte of one or more files.

    Only a file that passes is named on stdout.

    \b
    Example:
      safeload verify model.safeload --trust keys/
    """
    if signature and len(artifacts) > 1:
        raise click.UsageError("--signature is for one artifact")
    store = trust_of(trust, trust_root)
    documents: list[dict[str, Any]] = []
    codes: list[int] = []
    for name in artifacts:
        document, code = _verify(name, store, signature, quiet=as_json)
        documents.append(document)
        codes.append(code)
    if as_json:
        _report(documents, codes)
    context.exit(worst(codes))


def _verify(name: str, store: TrustStore, signature: tuple[str, ...], *, quiet: bool) -> tuple[dict[str, Any], int]:
    try:
        with safeload.verify(name, trust=store, signature=signature) as artifact:
            if not quiet:
                readers = readers_of(artifact.manifest)
                encrypted = f"; encrypted for {readers}" if readers else ""
                ui.out(f"{printable(name)}: verified, signed by {signers_of(artifact)}{encrypted}")
            _warn_of_closed(name, artifact)
            return _document(name, artifact), 0
    except (SafeloadError, OSError, MemoryError) as error:
        ui.error(error)
        return {"file": name, "verified": False, "error": error_document(error)}, exit_code(error) or REFUSED


def _warn_of_closed(name: str, artifact: Artifact) -> None:
    """Else a check before a release passes what no machine with this trust store will open."""
    encryption = artifact.manifest.encryption
    if encryption is not None and artifact.signers and encryption.signer not in {key.keyid for key in artifact.signers}:
        ui.note(
            f"safeload: warning: {printable(name)} was encrypted by {short(encryption.signer)}, whose signature does "
            "not count here: with this trust it verifies, and opens for nobody"
        )


def _document(name: str, artifact: Artifact) -> dict[str, Any]:
    manifest = artifact.manifest
    return {
        "file": name,
        "verified": True,
        "signers": [{"name": key.name, "algorithm": key.algorithm, "keyid": key.keyid} for key in artifact.signers],
        "container_id": manifest.prelude.container_id,
        "created": manifest.created,
        "members": [{"name": each.name, "kind": each.kind, "size": each.size} for each in manifest.members],
    }


def _report(documents: list[dict[str, Any]], codes: list[int]) -> None:
    report: dict[str, Any] = {"files": documents}
    if code := worst(codes):
        # Every document has "error" exactly where the exit code is not 0: here that of the file that decides it.
        report["error"] = documents[codes.index(code)]["error"]
    ui.json_document(report)
