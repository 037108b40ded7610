"""``safeload trust add | list | revoke | role | check``"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from safeload.cli import ui
from safeload.cli.exits import REFUSED
from safeload.cli.group import HelpfulGroup
from safeload.cli.options import FILE, json_option, key_option, signer_of
from safeload.keys import KeyTerms, short, trust_add, trust_check, trust_list, trust_revoke, trust_role, trust_sign
from safeload.keys.terms import shown_time
from safeload.text import plural, printable

if TYPE_CHECKING:
    from safeload.cli.options import KeySource
    from safeload.keys import TrustEntry

__all__ = ["trust"]

_store_option = click.option(
    "--store", type=FILE, required=True, metavar="FOLDER", help="The trust store: a folder of .pub files."
)
_models_option = click.option(
    "--model", "models", multiple=True, metavar="PATTERN", help="Names of models, such as fraud/*; may be repeated."
)


def _time(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """A day, or a time with an offset. A day begins at midnight in UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither 2027-01-31 nor 2027-01-31T12:00:00Z", context, parameter
        ) from None
    if moment.tzinfo is None:
        if len(value) > len("2027-01-31"):
            raise click.BadParameter(f"{value!r} has no offset: end it with Z for UTC", context, parameter)
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


@click.group(cls=HelpfulGroup, no_args_is_help=False)
def trust() -> None:
    """Say whose signatures count.

    \b
    Example:
      safeload trust add team.pub --store keys/
    """


@trust.command()
@click.argument("key", type=FILE, metavar="KEY.pub")
@_store_option
@click.option("--owner", default="", metavar="TEXT", help="Whose key it is; errors name the owner.")
@click.option("--valid-from", callback=_time, metavar="TIME", help="The key counts from then on.")
@click.option("--valid-until", callback=_time, metavar="TIME", help="From then on it counts no more.")
@_models_option
def add(
    key: str,
    store: str,
    owner: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
    models: tuple[str, ...],
) -> None:
    """Copy a public key into a trust store, which is made if need be.

    What else is said of the key stands in the store's trust.toml.

    \b
    Example:
      safeload trust add ada.pub --store keys/ --owner Ada
    """
    terms = KeyTerms(owner=owner, valid_from=valid_from, valid_until=valid_until, models=models or None)
    addition = trust_add(key, store, terms)
    path, name = printable(str(addition.path)), addition.key.name
    entry = next((entry for entry in trust_list(store) if entry.key.keyid == addition.key.keyid), None)
    if entry is not None and (state := entry.state(datetime.now(UTC))) != "valid":
        ui.out(f"{path}: {name} is {state}, and does not count")
    else:
        ui.out(f"{path}: {name} is trusted now" if addition.added else f"{path}: {name} was trusted before")
    ui.out(f"keyid {addition.key.keyid}")
    if addition.added:
        ui.note("safeload: hint: compare the keyid with the key's owner over another channel than the key came by")


@trust.command(name="list")
@_store_option
@json_option
def list_keys(store: str, *, as_json: bool) -> None:
    """Show the keys of a trust store.

    \b
    Example:
      safeload trust list --store keys/
    """
    entries, now = trust_list(store), datetime.now(UTC)
    if as_json:
        ui.json_document({"store": store, "keys": [_document(entry, now) for entry in entries]})
        return
    for entry in entries:
        key, terms = entry.key, entry.terms
        said = [
            printable(terms.owner),
            "" if (state := entry.state(now)) == "valid" else state,
            f"until {shown_time(terms.valid_until)}" if terms.valid_until and state == "valid" else "",
            f"for {', '.join(map(printable, terms.models))}" if terms.models else "",
        ]
        ui.out("  ".join([key.keyid, key.algorithm, key.name, *filter(None, said)]))


def _document(entry: TrustEntry, now: datetime) -> dict[str, Any]:
    key, terms = entry.key, entry.terms
    times = {"valid_from": terms.valid_from, "valid_until": terms.valid_until, "revoked_at": terms.revoked_at}
    return {
        "name": key.name,
        "algorithm": key.algorithm,
        "keyid": key.keyid,
        "state": entry.state(now),
        "owner": terms.owner,
        **{name: None if moment is None else shown_time(moment) for name, moment in times.items()},
        "revoked_because": terms.revoked_because,
        "models": None if terms.models is None else list(terms.models),
    }


@trust.command()
@click.argument("key", metavar="KEY")
@_store_option
@click.option("--reason", default="", metavar="TEXT", help="Why; whoever meets a file of this key is told.")
@click.option("--at", callback=_time, metavar="TIME", help="From when on; default: now.")
def revoke(key: str, store: str, reason: str, at: datetime | None) -> None:
    """Let no signature of a key count any more, whenever it was made.

    KEY is its name in the store, or the first digits of its keyid.

    \b
    Example:
      safeload trust revoke ada --store keys/ --reason "laptop stolen"
    """
    entry = trust_revoke(key, store, reason=reason, at=at)
    assert entry.terms.revoked_at is not None  # noqa: S101  # it was written just now
    since, on = ("since", "") if entry.terms.revoked_at <= datetime.now(UTC) else ("from", " on")
    ui.out(f"{entry.key.name} ({short(entry.key.keyid)}): revoked {since} {shown_time(entry.terms.revoked_at)}{on}")
    ui.note("safeload: hint: copy the store to every place that verifies with it, and sign anew what is still good")


@trust.command()
@click.argument("name", metavar="ROLE")
@_store_option
@click.option("--threshold", type=click.IntRange(min=1), required=True, metavar="N", help="How many must have signed.")
@click.option("--key", "keys", multiple=True, required=True, metavar="KEY", help="Of these keys; to be repeated.")
@_models_option
def role(name: str, store: str, threshold: int, keys: tuple[str, ...], models: tuple[str, ...]) -> None:
    """Ask for several signatures on a model.

    In a store with roles each model needs one that is for it.

    \b
    Example:
      safeload trust role release --store keys/ --threshold 2 --key ada --key bob --key eve
    """
    made = trust_role(name, keys, threshold, store, models or None)
    which = f"models {', '.join(map(printable, models))}" if models else "any model"
    ui.out(f"{printable(name)}: {which} needs {made.threshold} of {plural(len(made.keyids), 'signature')}")


@trust.command()
@_store_option
@key_option
def sign(store: str, key: KeySource) -> None:
    """Sign a store's trust.toml, and so every key that it lists.

    Whoever verifies with --trust-root then takes it from nobody else.

    \b
    Example:
      safeload trust sign --store keys/ --key root.key
    """
    signer = signer_of(key)
    path = trust_sign(store, signer)
    ui.out(f"{printable(str(path))}: signed by {short(signer.keyid)}")


@trust.command()
@_store_option
@json_option
@click.pass_context
def check(context: click.Context, store: str, *, as_json: bool) -> None:
    """Find keys that do not count, and roles that nobody can satisfy.

    \b
    Example:
      safeload trust check --store keys/
    """
    problems = trust_check(store)
    if as_json:
        ui.json_document({"store": store, "problems": list(problems)})
    else:
        fine = f"{printable(store)}: every key that was not revoked counts, every role can be satisfied"
        for problem in problems or (fine,):
            ui.out(problem)
    context.exit(REFUSED if problems else 0)
