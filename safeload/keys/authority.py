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

__all__ = ["authorised", "distinct"]


def authorised(
    signers: Sequence[TrustedKey],
    terms: Mapping[str, KeyTerms],
    roles: Sequence[Role],
    *,
    model: str | None,
    name: str,
    store: str,
) -> tuple[TrustedKey, ...]:
    """Those of `signers` that count for `model`. `name` and `store` are for messages, printable.

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
    for role in asked:
        _check(role, counting, terms, name=name, store=store)
    return counting


def _check(role: Role, counting: Sequence[TrustedKey], terms: Mapping[str, KeyTerms], *, name: str, store: str) -> None:
    signed = [key for key in counting if key.keyid in role.keyids]
    count = distinct(signed)
    if count >= role.threshold:
        return
    by = " and ".join(who(key, terms.get(key.keyid, NO_TERMS)) for key in signed) or "none of its keys"
    raise ThresholdError(
        f'{name} bears {count} of the {plural(role.threshold, "signature")} that the role "{printable(role.name)}" of '
        f"{store} asks for: it is signed by {by}",
        role=role.name,
        needed=role.threshold - count,
        keyids=[key.keyid for key in signed],
        hint=f"{role.threshold - count} more of the role's keys must sign: safeload sign FILE --key theirs.key",
    )


def distinct(keys: Iterable[TrustedKey]) -> int:
    """How many parties these keys can be at the most: keys that share material are one."""
    groups: list[set[tuple[str, bytes]]] = []
    for key in keys:
        parts = {(key.algorithm, key.material)}
        if key.algorithm != HMAC_SHA256:
            parts = set(kinds.parts_of_public(key.public))
        shared = [group for group in groups if group & parts]
        groups = [group for group in groups if not group & parts]
        groups.append(parts.union(*shared))
    return len(groups)
