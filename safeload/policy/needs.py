"""All that stands between a stream and loading it under a policy, where the loader names the first thing only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeload.policy.advice import ALLOW, ALLOW_CALL, Advice, advise
from safeload.policy.judge import streams_of
from safeload.readers.observations import Fact, GlobalUse, Stream, Use

if TYPE_CHECKING:
    from safeload.policy.policy import Policy

__all__ = ["Denied", "Needs", "needs_of"]

# A file can name a million globals. It is counted on, and not kept.
DENIED_MAX = 10_000
_NAME_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A use of the global `name` that the policy does not grant: `use` in words, `count` times, first at `offset`.

    `risk` is ``"dangerous"``, ``"left-out"``, ``"called"``, ``"own"`` or ``"signed"``; `reason` says why. `option` is
    ``"--allow"`` or ``"--allow-call"``, or empty where nothing should be allowed, and then `instead` says what to do.
    """

    name: str
    use: str
    offset: int
    count: int
    risk: str
    reason: str
    instead: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a file would need to load under a policy; made without loading, building or importing anything.

    `denied` has at most 10,000 entries, in the order of the file, and `denied_count` counts all. `facts` are what no
    pickler writes, one of a kind; nothing can allow them. `used` counts the names in the file. An `artifact` was judged
    by its payload alone: no signature was checked.
    """

    file: str
    artifact: bool
    used: int
    denied: tuple[Denied, ...]
    denied_count: int
    facts: tuple[Fact, ...]

    @property
    def granted(self) -> bool:
        """Nothing stands against the file: the policy grants every name in the way that the file uses it."""
        return not self.denied and not self.facts

    @property
    def allow(self) -> tuple[str, ...]:
        """The names for ``Policy.allow``; empty where allowing names would not do, or would be dangerous."""
        return tuple(sorted(self._with(ALLOW) - self._with(ALLOW_CALL))) if self._can_be_allowed else ()

    @property
    def allow_call(self) -> tuple[str, ...]:
        """Those that have to be called too: ``Policy.allow(..., use=("new", "build", "reference", "call"))``."""
        return tuple(sorted(self._with(ALLOW_CALL))) if self._can_be_allowed else ()

    @property
    def _can_be_allowed(self) -> bool:
        return not self.facts and len(self.denied) == self.denied_count and all(each.option for each in self.denied)

    def _with(self, option: str) -> set[str]:
        return {each.name for each in self.denied if each.option == option}


def needs_of(stream: Stream, policy: Policy, *, file: str, artifact: bool, complete: bool) -> Needs:
    """What `policy` lacks for `stream` and those nested in it; not `complete`, if bytes follow after the object."""
    denied, count = _denied(stream, policy)
    facts = () if policy.everything else _facts(stream)
    if not complete:
        facts = *facts, Fact("after-stop", stream.end, "something follows after the object ends")
    return Needs(
        file=file,
        artifact=artifact,
        used=len({(each.module, each.name) for part in streams_of(stream) for each in part.globals}),
        denied=denied,
        denied_count=count,
        facts=facts,
    )


def _denied(stream: Stream, policy: Policy) -> tuple[tuple[Denied, ...], int]:
    """Each name with each denied use once."""
    first: dict[tuple[str, str, Use], GlobalUse] = {}
    counts: dict[tuple[str, str, Use], int] = {}
    for part in streams_of(stream):
        for used in part.globals:
            if denied := policy.denied(used):
                key = used.module, used.name, denied
                counts[key] = counts.get(key, 0) + 1
                if first.setdefault(key, used).offset > used.offset:
                    first[key] = used
    kept = sorted(first.items(), key=lambda item: item[1].offset)[:DENIED_MAX]
    return tuple(_entry(used, key[2], counts[key]) for key, used in kept), len(first)


def _facts(stream: Stream) -> tuple[Fact, ...]:
    """The first of each kind: an array of arrays may hold a million streams with the same oddity."""
    first: dict[str, Fact] = {}
    for fact in sorted((fact for part in streams_of(stream) for fact in part.facts), key=lambda fact: fact.offset):
        first.setdefault(fact.kind, fact)
    return tuple(first.values())


def _entry(used: GlobalUse, denied: Use, count: int) -> Denied:
    advice: Advice = advise(used, denied)
    return Denied(
        name=_cut(used.module, used.name),
        use=denied.words,
        offset=used.offset,
        count=count,
        risk=str(advice.risk),
        reason=advice.reason,
        instead=advice.instead,
        option=advice.option,
    )


def _cut(module: str, name: str) -> str:
    """No name of a model is longer; one of a megabyte must not be copied for each of its uses."""
    path = f"{module[: _NAME_MAX + 1]}.{name[: _NAME_MAX + 1]}"
    return path if len(path) <= _NAME_MAX + 1 else f"{path[:_NAME_MAX]}..."
