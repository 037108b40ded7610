"""The tables of all contracts: what stands in for a callable while loading."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts import boosting, clusters, features, methods, nearest, relations, svm, trees
from safeload.engine.contracts import neighbors as neighbors_contracts
from safeload.engine.contracts import numpy as numpy_contracts
from safeload.engine.contracts import python as python_contracts
from safeload.engine.contracts import random as random_contracts
from safeload.engine.contracts import scipy as scipy_contracts
from safeload.engine.contracts import sklearn as sklearn_contracts
from safeload.policy.allowlist import owners_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = ["CHECKERS", "FINISHERS", "GUARDS", "STUBS", "WATCHED", "tokens"]

Key = tuple[str, str]

GUARDS: Mapping[Key, Callable[..., Any]] = {
    **python_contracts.GUARDS,
    **numpy_contracts.GUARDS,
    **random_contracts.GUARDS,
    **sklearn_contracts.GUARDS,
}
STUBS: Mapping[Key, type[Stub]] = {
    **python_contracts.STUBS,
    **numpy_contracts.STUBS,
    **random_contracts.STUBS,
    **scipy_contracts.STUBS,
    **trees.STUBS,
    **neighbors_contracts.STUBS,
}
FINISHERS: Mapping[Key, Callable[[Any], Any]] = {
    **python_contracts.FINISHERS,
    **numpy_contracts.FINISHERS,
    **random_contracts.FINISHERS,
    **scipy_contracts.FINISHERS,
    **trees.FINISHERS,
    **neighbors_contracts.FINISHERS,
}
CHECKERS: Mapping[Key, Checker] = {
    **python_contracts.CHECKERS,
    **random_contracts.CHECKERS,
    **trees.CHECKERS,
    **clusters.CHECKERS,
    **features.CHECKERS,
    **methods.CHECKERS,
    **svm.CHECKERS,
    **nearest.CHECKERS,
    **boosting.CHECKERS,
    **relations.CHECKERS,
}
WATCHED = frozenset(STUBS)


@functools.cache
def tokens() -> frozenset[Key]:
    """The confined globals all of whose owners have a contract, which alone can read a token."""
    known = GUARDS.keys() | STUBS.keys()
    return frozenset(name for name, owners in owners_of().items() if owners <= known)
