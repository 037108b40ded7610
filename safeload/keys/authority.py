"""Which signatures count for a model: scopes, and roles with thresholds (docs/trust.md).

A threshold counts key material: two names of one key are one key, and a hybrid counts together with its parts, since
whoever has the one has the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import ThresholdError
from safeload.hazmat import kinds
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.patterns import matches
from safeload.keys.terms import NO_TERMS, who
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safeload.keys.terms import KeyTerms, Role
    from safeload.keys.trusted import TrustedKey

    Part = tuple[str, bytes]  # an algorithm and the raw bytes of a key

__all__ = ["authorised", "parties", "parts_of"]


def authorised(
    signers: Sequence[TrustedKey],
    terms: Mapping[str, KeyTerms],
    roles: Sequence[Role],
    *,
    known: Sequence[TrustedKey],
    model: str | None,
    name: str,
    store: str,
    how: str,
) -> tuple[TrustedKey, ...]:
    """Those of `signers` that count for `model`; `known` are all keys of the store.

    `name` and `store` are for messages, printable, and `how` is the command that adds a signature.

    Raises OutOfScopeError if none is left, ThresholdError if a role is not satisfied, or none is for this model.
    """
    refusals = {key.keyid: terms.get(key.keyid, NO_TERMS).out_of_scope(key, name, model) for key in signers}
    counting = tuple(key for key in signers if refusals[key.keyid] is None)
    if not counting:
        raise next(refusal for refusal in refusals.values() if refusal is not None)
    asked = [role for role in roles if matches(role.models, model)]
    if roles and not asked:
        # Else whoever names the model otherwise would need one signature instead of the role's.
        called = "a model without a name" if model is None else f'the model "{printable(model)}"'
        raise ThresholdError(
            f"{name} holds {called}, for which no role of {store} is",
            role="",
            needed=0,
            keyids=[key.keyid for key in counting],
            hint="name the model when it is saved, or give a role to it in trust.toml",
        )
    party = parties((*known, *counting)) if asked else {}
    for role in asked:
        _check(role, counting, terms, party, name=name, store=store, how=how)
    return counting


def _check(
    role: Role,
    counting: Sequence[TrustedKey],
    terms: Mapping[str, KeyTerms],
    party: Mapping[str, Part],
    *,
    name: str,
    store: str,
    how: str,
) -> None:
    signed = [key for key in counting if key.keyid in role.keyids]
    count = len({party[key.keyid] for key in signed})
    if count >= role.threshold:
        return
    by = " and ".join(who(key, terms.get(key.keyid, NO_TERMS)) for key in signed) or "none of its keys"
    raise ThresholdError(
        f'{name} bears {count} of the {plural(role.threshold, "signature")} that the role "{printable(role.name)}" of '
        f"{store} asks for: it is signed by {by}",
        role=role.name,
        needed=role.threshold - count,
        keyids=[key.keyid for key in signed],
        hint=f"{role.threshold - count} more of the role's keys must sign: {how}",
    )


def parties(keys: Iterable[TrustedKey]) -> dict[str, Part]:
    """By keyid, a part that stands for all keys that are one party at the most.

    Keys that share a part are one, also by way of a third key: whoever has a hybrid key has both of its parts.
    """
    parent: dict[Part, Part] = {}

    def find(part: Part) -> Part:
        while (above := parent.setdefault(part, part)) != part:
            parent[part] = part = parent[above]  # halved, so that long ways are gone once
        return part

    first = {}
    for key in keys:
        first[key.keyid], *others = sorted(parts_of(key))
        for part in others:
            parent[find(part)] = find(first[key.keyid])
    return {keyid: find(part) for keyid, part in first.items()}


def parts_of(key: TrustedKey) -> set[Part]:
    """The material of a key: a hybrid has two parts."""
    if key.algorithm == HMAC_SHA256:
        return {(key.algorithm, key.material)}
    return {(part.algorithm, part.raw) for part in kinds.parts_of_public(key.public)}
