"""The tables of all contracts: what stands in for a callable while loading."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from safeload.engine.contracts import (
    arrow,
    boosters_catboost,
    boosters_lightgbm,
    boosters_xgboost,
    boosting,
    clusters,
    distances,
    distributions,
    expansions,
    features,
    interpolators,
    iterations,
    methods,
    nearest,
    neighbors,
    numpy,
    pandas_arrays,
    pandas_arrow,
    pandas_dateutil,
    pandas_dtypes,
    pandas_frames,
    pandas_indexes,
    pandas_masked,
    pandas_offsets,
    pandas_scalars,
    pandas_tzfiles,
    pandas_zones,
    python,
    python_values,
    random,
    relations,
    rows,
    scipy,
    sklearn,
    spatial,
    svm,
    trees,
    votes,
)
from safeload.policy.allowlist import owners_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.engine.registry import Checker
    from safeload.engine.stubs import Stub

__all__ = [
    "CHECKERS",
    "CONTRACTS",
    "FINISHERS",
    "FINISHERS_OF_MANY",
    "GUARDS",
    "STATES",
    "STUBS",
    "WATCHED",
    "state_contract",
    "tokens",
]

Key = tuple[str, str]

# Each has any of the six tables below; no two have the same name in one.
CONTRACTS = (
    python,
    python_values,
    numpy,
    random,
    scipy,
    distributions,
    interpolators,
    spatial,
    sklearn,
    trees,
    neighbors,
    clusters,
    features,
    expansions,
    methods,
    svm,
    distances,
    nearest,
    boosting,
    boosters_xgboost,
    boosters_lightgbm,
    boosters_catboost,
    relations,
    rows,
    votes,
    iterations,
    arrow,
    pandas_arrays,
    pandas_arrow,
    pandas_dateutil,
    pandas_dtypes,
    pandas_frames,
    pandas_indexes,
    pandas_masked,
    pandas_offsets,
    pandas_scalars,
    pandas_tzfiles,
    pandas_zones,
)


def _merged(table: str) -> Mapping[Key, Any]:
    entries = [entry for contract in CONTRACTS for entry in getattr(contract, table, {}).items()]
    merged = dict(entries)
    if len(merged) < len(entries):  # one of two would not be asked
        raise RuntimeError(f"{table} has two entries for one name")
    return merged


GUARDS: Mapping[Key, Callable[..., Any]] = _merged("GUARDS")
STUBS: Mapping[Key, type[Stub]] = _merged("STUBS")
FINISHERS: Mapping[Key, Callable[[Any], Any]] = _merged("FINISHERS")
# The same for many stubs at once, of which only the arguments and the states are given.
FINISHERS_OF_MANY: Mapping[Key, Callable[[list[Any], list[Any]], list[Any]]] = _merged("FINISHERS_OF_MANY")
CHECKERS: Mapping[Key, Checker] = _merged("CHECKERS")
# What BUILD gives to an object of a class, or of one below it, in place of the file's state.
STATES: Mapping[Key, Callable[[Any, Any], Any]] = _merged("STATES")
WATCHED = frozenset(STUBS)


@functools.lru_cache(maxsize=1_000)
def state_contract(kind: Any) -> Callable[[Any, Any], Any] | None:
    """The entry of :data:`STATES` for the class `kind` or the nearest above it, or for a function's results."""
    classes = getattr(kind, "__mro__", (kind,))
    keys = ((getattr(each, "__module__", ""), getattr(each, "__qualname__", "")) for each in classes)
    return next((STATES[key] for key in keys if key in STATES), None)


@functools.cache
def tokens() -> frozenset[Key]:
    """The confined globals all of whose owners have a contract, which alone can read a token."""
    known = GUARDS.keys() | STUBS.keys()
    return frozenset(name for name, owners in owners_of().items() if owners <= known)
