"""What a policy says of a file, as lines for people and as a document. Nothing here prints."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import safeload
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safeload import Needs, Policy

__all__ = ["advice_lines", "needs_document", "not_verified", "paste_lines", "policy_named", "tally", "verdict_lines"]

_RISKS = {
    "dangerous": "dangerous",
    "left-out": "left out on purpose",
    "called": "called while loading",
    "own": "only if the package is yours, or you trust all of it",
    "signed": "for signed files only",
}
_ORDER = tuple(_RISKS)
_ADVISED_MAX = 100
_LINES_MAX = 1_000
_LABEL = 10
_FACTS = "cannot be allowed: no pickler writes that. Save the model again, with joblib or pickle."
_CALL = ', use=("new", "build", "reference", "call")'


def policy_named(*, untrusted: bool) -> tuple[str, Policy]:
    return ("untrusted", safeload.Policy.untrusted()) if untrusted else ("default", safeload.Policy.default())


def needs_document(needs: Needs, name: str) -> dict[str, Any]:
    """``verified`` is always false: only `safeload verify` can say otherwise."""
    return {
        "file": needs.file,
        "policy": name,
        "artifact": needs.artifact,
        "verified": False,
        "granted": needs.granted,
        "used": needs.used,
        "denied": [{field: getattr(each, field) for field in each.__slots__} for each in needs.denied],
        "denied_count": needs.denied_count,
        "facts": [{"kind": each.kind, "offset": each.offset, "text": each.text} for each in needs.facts],
    }


def not_verified(needs: Needs) -> Iterator[str]:
    if needs.artifact:
        yield f"No signature was checked. To check: safeload verify {printable(needs.file)} --trust keys/"


def tally(needs: Needs) -> str:
    """``2 of its 14 names``: how many the policy does not grant."""
    if needs.used == 1:
        return "its only name"
    names = {each.name for each in needs.denied}
    count = f"{len(names):,}" if len(needs.denied) == needs.denied_count else f"more than {len(names):,}"
    return f"{count} of its {plural(needs.used, 'name')}"


def verdict_lines(needs: Needs) -> Iterator[str]:
    """Everything that stands against the file, one a line, in the order of the file."""
    denied = [(each.offset, _sentence(each)) for each in needs.denied]
    entries = sorted(denied + [(fact.offset, fact.text) for fact in needs.facts])
    for offset, text in entries[:_LINES_MAX]:
        yield f"byte {offset:,}: {text}"
    yield from _more(needs, needs.denied_count + len(needs.facts) - _LINES_MAX)


def advice_lines(needs: Needs, width: int) -> Iterator[str]:
    """The same with reasons, the worst first; what has one reason stands together."""
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for each in needs.denied:
        groups.setdefault((each.risk, each.reason, each.instead), []).append(each)
    left = _ADVISED_MAX
    for (risk, reason, instead), group in sorted(groups.items(), key=lambda item: _ORDER.index(item[0][0])):
        shown = group[:left]
        left -= len(shown)
        if shown:
            yield ""
            yield from (_entry(each.offset, _sentence(each)) for each in shown)
            yield from _wrapped(f"{_RISKS[risk]}: {reason}. {instead}{'.' if instead else ''}", width)
    if needs.facts:
        yield ""
        yield from (_entry(fact.offset, fact.text) for fact in needs.facts)
        yield from _wrapped(_FACTS, width)
    yield from _more(needs, needs.denied_count - _ADVISED_MAX)


def paste_lines(found: Iterable[Needs], name: str) -> Iterator[str]:
    """A line of Python and the options of the command line, if there is anything to allow.

    Nobody is asked to allow what was not shown.
    """
    wanted = [needs for needs in found if needs.denied_count <= _ADVISED_MAX]
    called = sorted({path for needs in wanted for path in needs.allow_call})
    others = sorted({path for needs in wanted for path in needs.allow} - set(called))
    if called or others:
        yield f"Policy.{name}(){_method(others, '')}{_method(called, _CALL)}"
        yield " ".join([f"--allow {path}" for path in others] + [f"--allow-call {path}" for path in called])


def _method(paths: list[str], use: str) -> str:
    quoted = (f'"{path}"' for path in paths)
    return f".allow({', '.join(quoted)}{use})" if paths else ""


def _more(needs: Needs, count: int) -> Iterator[str]:
    if count > 0:
        yield f"... and {count:,} more; --format json shows {len(needs.denied):,} of them all"


def _sentence(denied: Any) -> str:
    times = f", {denied.count:,} times" if denied.count > 1 else ""
    return f"{printable(denied.name)} is {denied.use}{times}"


def _entry(offset: int, text: str) -> str:
    return f"  {f'byte {offset:,}':{_LABEL}}  {text}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="    ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
