"""What a trust store says of a key besides that it is trusted: whose, from when to when, and for which models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from safeload.errors import KeyLifetimeError, OutOfScopeError, RevokedKeyError
from safeload.keys.keyid import short
from safeload.keys.patterns import matches
from safeload.text import printable

if TYPE_CHECKING:
    from datetime import datetime

    from safeload.errors import KeyRefusedError
    from safeload.keys.trusted import TrustedKey

__all__ = ["NO_TERMS", "KeyTerms", "Role", "shown_time", "who"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """Times are in UTC. A key counts from the second `valid_from` on, and no more from `valid_until` or `revoked_at`
    on, whenever the signature was made: a signature has no date that a thief could not write.

    `models` are patterns for the names of models that it may sign; None is any model, also one without a name.
    """

    owner: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    revoked_because: str = ""
    models: tuple[str, ...] | None = None

    def refusal(self, key: TrustedKey, name: str, now: datetime) -> KeyRefusedError | None:
        """Why a signature of `key` on the file `name` does not count at the time `now`; None if it does."""
        said = f"{name} is signed by {who(key, self)}"
        if self.revoked_at is not None and now >= self.revoked_at:
            reason = f": {printable(self.revoked_because)}" if self.revoked_because else ""
            return RevokedKeyError(
                f"{said}, whose key was revoked on {shown_time(self.revoked_at)}{reason}",
                keyid=key.keyid,
                owner=self.owner,
                hint="what a revoked key signed cannot be told from what a thief signed: get the file anew",
            )
        if self.valid_from is not None and now < self.valid_from:
            return KeyLifetimeError(
                f"{said}, whose key is valid from {shown_time(self.valid_from)} on, and it is {shown_time(now)}",
                keyid=key.keyid,
                owner=self.owner,
                hint="is this machine's clock right?",
            )
        if self.valid_until is not None and now >= self.valid_until:
            return KeyLifetimeError(
                f"{said}, whose key was valid until {shown_time(self.valid_until)}, and it is {shown_time(now)}",
                keyid=key.keyid,
                owner=self.owner,
                hint="ask for a signature by a key that is valid: safeload sign FILE --key new.key",
            )
        return None

    def revoked_with(self, key: TrustedKey, name: str, gone: TrustedKey, terms: KeyTerms) -> KeyRefusedError:
        """Why a signature of `key` on the file `name` does not count since `gone`, which shares a part, was revoked."""
        since = f" on {shown_time(terms.revoked_at)}" if terms.revoked_at else ""
        return RevokedKeyError(
            f"{name} is signed by {who(key, self)}, whose key shares a part with {who(gone, terms)}, revoked{since}",
            keyid=key.keyid,
            owner=self.owner,
            hint="whoever has the one has the other: sign with a key that was made anew",
        )

    def out_of_scope(self, key: TrustedKey, name: str, model: str | None) -> KeyRefusedError | None:
        """Why a signature of `key` does not count for the model that the file `name` holds; None if it does."""
        if matches(self.models, model):
            return None
        called = "a model without a name" if model is None else f'the model "{printable(model)}"'
        return OutOfScopeError(
            f"{name} is signed by {who(key, self)}, who may sign {_listed(self.models)}, and holds {called}",
            keyid=key.keyid,
            owner=self.owner,
            hint="the name is given when a model is saved: safeload pack --name, or dump(name=)",
        )


NO_TERMS = KeyTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """`threshold` of the keys `keyids` must have signed a model whose name `models` names (None: any)."""

    name: str
    keyids: tuple[str, ...]
    threshold: int
    models: tuple[str, ...] | None = None


def who(key: TrustedKey, terms: KeyTerms) -> str:
    """``ada (9f3c11d0...), Ada Lovelace``"""
    owner = f", {printable(terms.owner)}" if terms.owner else ""
    return f"{printable(key.name)} ({short(key.keyid)}){owner}"


def shown_time(moment: datetime) -> str:
    """As in a manifest: RFC 3339 in UTC, seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(models: tuple[str, ...] | None) -> str:
    return ", ".join(f'"{printable(pattern)}"' for pattern in models or ()) or "nothing"
