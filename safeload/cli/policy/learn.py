"""``safeload policy learn``"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from safeload.cli import ui
from safeload.cli.options import FILE, format_option, untrusted_option
from safeload.cli.policy.reading import read
from safeload.cli.policy.wording import (
    advice_lines,
    needs_document,
    not_verified,
    paste_lines,
    policy_named,
    tally,
)
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload import Needs

__all__ = ["learn"]


@click.command()
@click.argument("models", type=FILE, nargs=-1, required=True, metavar="MODEL...")
@untrusted_option
@format_option
@click.pass_context
def learn(context: click.Context, models: tuple[str, ...], *, untrusted: bool, as_json: bool) -> None:
    """Say what models need beyond a policy, and why that is risky or not.

    Nothing is loaded, run or imported. Ends with the lines to paste, if there is anything that may be allowed.

    \b
    Example:
      safeload policy learn model.pkl
    """
    name, policy = policy_named(untrusted=untrusted)
    found: list[Needs] = []
    documents: list[dict[str, Any]] = []
    worst = 0
    for model in models:
        needs, document, code = read(model, policy)
        worst = max(worst, code)
        if needs is not None:
            document = needs_document(needs, name)
            if not as_json:
                _show(needs, name, first=not found)
            found.append(needs)
        documents.append(document)
    if as_json:
        ui.json_document(_document(found, documents, name))
    else:
        for line in _end(found, name):
            ui.out(line)
    context.exit(worst)


def _show(needs: Needs, name: str, *, first: bool) -> None:
    if not first:
        ui.out()
    file = printable(needs.file)
    if not needs.denied:
        ui.out(f"{file}: needs nothing, the {name} policy grants all of its {plural(needs.used, 'name')}")
    else:
        ui.out(f"{file}: {tally(needs)} {'is' if len(needs.denied) == 1 else 'are'} beyond the {name} policy")
    for line in not_verified(needs):
        ui.out(line)
    for line in advice_lines(needs, ui.width()):
        ui.out(line)


def _end(found: list[Needs], name: str) -> Iterator[str]:
    lines = tuple(paste_lines(found, name))
    if lines:
        yield ""
        yield "To allow what may be allowed, if that holds:"
        yield from (f"  {line}" for line in lines)
    stuck = [printable(needs.file) for needs in found if not needs.granted and not tuple(paste_lines([needs], name))]
    if stuck:
        yield ""
        text = f"There is nothing to paste for {', '.join(stuck)}: not all of that can be allowed, or should be."
        yield from textwrap.wrap(text, ui.width(), break_long_words=False, break_on_hyphens=False)


def _document(found: list[Needs], documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    lines = tuple(paste_lines(found, name))
    report: dict[str, Any] = {
        "policy": name,
        "files": documents,
        "grant": dict(zip(("python", "cli"), lines, strict=True)) if lines else None,
    }
    errors = [document["error"] for document in documents if "error" in document]
    # Every document has "error" exactly where the exit code is not 0.
    return {**report, "error": errors[0]} if errors else report
