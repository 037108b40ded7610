"""``safeload policy check``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safeload.cli import ui
from safeload.cli.exits import REFUSED
from safeload.cli.options import FILE, allow_options, format_option, misuse, untrusted_option
from safeload.cli.policy.reading import read
from safeload.cli.policy.wording import needs_document, not_verified, policy_named, tally, verdict_lines
from safeload.cli.wording import error_document
from safeload.errors import PolicyError
from safeload.text import plural, printable

if TYPE_CHECKING:
    from safeload import Needs

__all__ = ["check"]


@click.command()
@click.argument("model", type=FILE)
@allow_options
@untrusted_option
@format_option
@click.pass_context
def check(
    context: click.Context,
    model: str,
    allow: tuple[str, ...],
    allow_call: tuple[str, ...],
    *,
    untrusted: bool,
    as_json: bool,
) -> None:
    """Say whether a policy grants all that a model uses; loads nothing.

    \b
    Example:
      safeload policy check model.pkl --allow mypkg.features.Scaler
    """
    name, policy = policy_named(untrusted=untrusted)
    with misuse():
        policy = policy.allow(*allow).allow(*allow_call, use=("new", "build", "reference", "call"))
    needs, document, code = read(model, policy)
    if needs is not None:
        document, code = needs_document(needs, name), 0 if needs.granted else REFUSED
        if not as_json:
            _show(needs, name)
        if not needs.granted:
            error = _refusal(needs, name)
            ui.error(error)
            document["error"] = error_document(error)
    if as_json:
        ui.json_document(document)
    context.exit(code)


def _show(needs: Needs, name: str) -> None:
    for line in verdict_lines(needs):
        ui.out(line)
    if needs.granted:
        ui.out(f"{printable(needs.file)}: the {name} policy grants all of its {plural(needs.used, 'name')}")
    for line in not_verified(needs):
        ui.out(line)


def _refusal(needs: Needs, name: str) -> PolicyError:
    denied = f"the {name} policy does not grant {tally(needs)}" if needs.denied else ""
    facts = f"{plural(len(needs.facts), 'fact')} {'stands' if len(needs.facts) == 1 else 'stand'} against it"
    reasons = ", and ".join(filter(None, (denied, facts if needs.facts else "")))
    file = printable(needs.file)
    return PolicyError(f"{file}: {reasons}", hint=f"safeload policy learn {file} says why, and what may be allowed")
