"""``safeload policy show`` and ``safeload policy list``"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import click

import safeload
from safeload.cli import ui
from safeload.cli.options import format_option, untrusted_option
from safeload.cli.policy.wording import policy_named
from safeload.errors import PolicyError
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safeload import Grant

__all__ = ["list_names", "show"]

_CONTRACTS: Mapping[str, str] = {
    "guard": "a guard looks at the arguments, and only then calls it",
    "stub": "a stub takes its place until arguments and state are checked",
    "checker": "a checker looks at the finished objects",
}
_USES: Mapping[str, str] = {
    "instantiated": "instantiated, without __init__",
    "built": "built from a state that is a dict of plain names",
    "shaped": "built from another state",
    "keyed": "filled under keys that are no plain strings",
    "extended": "filled at its end",
    "hashed": "a key",
}
_NEAR = 3
_LABEL = 11


@click.command()
@click.argument("name", required=False, default="")
@untrusted_option
@format_option
def show(name: str, *, untrusted: bool, as_json: bool) -> None:
    """Show how much a policy grants, or how it grants one name or module.

    NAME is a name as it stands in a file, such as sklearn.svm._classes.SVC, or a module.

    \b
    Example:
      safeload policy show sklearn.svm._classes.SVC
    """
    title, policy = policy_named(untrusted=untrusted)
    found = safeload.grants(policy, name=name)
    if not found:
        raise _unknown(name, title, safeload.grants(policy))
    if as_json:
        ui.json_document(_document(title, name, found))
    elif not name:
        _summary(title, found)
    elif found[0].name == name:
        for line in _lines(found[0]):
            ui.out(line)
    else:
        ui.out(f"{printable(name)}: {plural(len(found), 'name')} of the {title} policy")
        for grant in found:
            ui.out(f"  {' '.join(filter(None, (grant.name, ','.join(grant.uses), ','.join(grant.contracts))))}")


@click.command(name="list")
@click.option("--library", metavar="LIBRARY", help="Only the names of one, such as numpy or scikit-learn.")
@untrusted_option
@format_option
def list_names(library: str | None, *, untrusted: bool, as_json: bool) -> None:
    """List every name that a policy grants, with its uses, one a line.

    \b
    Example:
      safeload policy list --library numpy
    """
    title, policy = policy_named(untrusted=untrusted)
    found = safeload.grants(policy)
    if library is not None:
        found = _of_library(found, library)
    if as_json:
        ui.json_document({"policy": title, "names": [_entry(grant) for grant in found]})
        return
    for grant in found:
        ui.out(f"{grant.name} {','.join(grant.uses)}")


def _of_library(found: tuple[Grant, ...], library: str) -> tuple[Grant, ...]:
    """By the name to install or the one to import: scikit-learn, sklearn."""
    names = {grant.library for grant in found if library in {grant.library, grant.name.partition(".")[0]}}
    if not names:
        known = sorted({grant.library for grant in found})
        raise click.UsageError(f"{library!r} has no list; these have: {', '.join(known)}")
    return tuple(grant for grant in found if grant.library in names)


def _unknown(name: str, title: str, known: Sequence[Grant]) -> PolicyError:
    """In a file a class has the name of the module where it was defined, not of the one that people import it from."""
    last = name.rpartition(".")[2]
    near = [grant.name for grant in known if grant.name.rpartition(".")[2] == last]
    near = near or difflib.get_close_matches(name[:200], [grant.name for grant in known], _NEAR)
    return PolicyError(
        f"the {title} policy grants nothing that is called {printable(name)}",
        hint=f"it grants {', '.join(near[:_NEAR])}" if near else "safeload policy list",
    )


def _summary(title: str, found: Sequence[Grant]) -> None:
    ui.out(f"The {title} policy grants {plural(len(found), 'name')}.")
    ui.out()
    ui.table(
        ["library", "names", "with a contract", "versions"],
        [[row["library"], f"{row['names']:,}", f"{row['contracts']:,}", row["versions"]] for row in _libraries(found)],
    )


def _libraries(found: Sequence[Grant]) -> list[dict[str, Any]]:
    return [
        {
            "library": library,
            "names": sum(grant.library == library for grant in found),
            "contracts": sum(grant.library == library and bool(grant.contracts) for grant in found),
            "versions": versions,
        }
        for library, versions in sorted({(grant.library, grant.versions) for grant in found})
    ]


def _lines(grant: Grant) -> Iterator[str]:
    yield grant.name
    sections = {
        "listed": [f"{grant.library} {grant.versions}"],
        "may be": [_USES.get(use, use) for use in grant.uses],
        "contract": [_CONTRACTS[contract] for contract in grant.contracts] or ["none"],
        "confined": ["to the arguments and the state of", *grant.confined_to] if grant.confined_to else ["no"],
    }
    for label, values in sections.items():
        for index, value in enumerate(values):
            yield f"  {'' if index else label:{_LABEL}}{value}"


def _entry(grant: Grant) -> dict[str, Any]:
    return {field: getattr(grant, field) for field in grant.__slots__}


def _document(title: str, name: str, found: Sequence[Grant]) -> dict[str, Any]:
    if name:
        return {"policy": title, "names": [_entry(grant) for grant in found]}
    return {"policy": title, "names": len(found), "libraries": _libraries(found)}
