"""The tables of all contracts: what stands in for a callable while loading."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts import (
    boosting,
    clusters,
    features,
    methods,
    nearest,
    neighbors,
    numpy,
    python,
    random,
    relations,
    scipy,
    sklearn,
    svm,
    trees,
)
from safeload.policy.allowlist import owners_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "CONTRACTS", "FINISHERS", "GUARDS", "STUBS", "WATCHED", "tokens"]

Key = tuple[str, str]

# Each has any of the four tables below; no two have the same name in one.
CONTRACTS = (
    python,
    numpy,
    random,
    scipy,
    sklearn,
    trees,
    neighbors,
    clusters,
    features,
    methods,
    svm,
    nearest,
    boosting,
    relations,
)


def _merged(table: str) -> Mapping[Key, Any]:
    return {key: entry for contract in CONTRACTS for key, entry in getattr(contract, table, {}).items()}


GUARDS: Mapping[Key, Callable[..., Any]] = _merged("GUARDS")
STUBS: Mapping[Key, type[Stub]] = _merged("STUBS")
FINISHERS: Mapping[Key, Callable[[Any], Any]] = _merged("FINISHERS")
CHECKERS: Mapping[Key, Checker] = _merged("CHECKERS")
WATCHED = frozenset(STUBS)


@functools.cache
def tokens() -> frozenset[Key]:
    """The confined globals all of whose owners have a contract, which alone can read a token."""
    known = GUARDS.keys() | STUBS.keys()
    return frozenset(name for name, owners in owners_of().items() if owners <= known)
