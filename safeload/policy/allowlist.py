"""The allow lists in ``policy/allow/*.toml``, parsed once into frozen tables."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from safeload.readers.observations import Use

__all__ = [
    "LIBRARIES",
    "POLICIES",
    "Allowed",
    "allow_list",
    "confined",
    "made_for",
    "owners_of",
    "verified_only",
]

Allowed = Mapping[tuple[str, str], Use]

_CHECKED = ("python", "numpy", "scipy", "sklearn", "joblib", "pandas", "pyarrow")
# Which libraries each of the two default policies holds. Boosters read a model in C++ that promises nothing about
# hostile bytes: only a file whose signer is known gets to them.
POLICIES: Mapping[str, tuple[str, ...]] = {
    "default": (*_CHECKED, "xgboost", "lightgbm", "catboost"),
    "untrusted": _CHECKED,
    # What is no finding: also the names in state dicts of PyTorch, which nothing here loads.
    "audit": (*_CHECKED, "xgboost", "lightgbm", "catboost", "torch"),
}
LIBRARIES = POLICIES["default"]

# What a table of the files grants to the names in it.
GRANTS: Mapping[str, Use] = {
    "classes": Use.INSTANTIATED | Use.BUILT | Use.REFERENCED,
    "callables": Use.CALLED,
    "built": Use.BUILT | Use.SHAPED,
    "references": Use.REFERENCED,
    "containers": Use.FILLED,
    "keyed": Use.KEYED,
    "sequences": Use.EXTENDED,
    "keys": Use.HASHED,
}


@functools.cache
def _tables(library: str) -> dict[str, Any]:
    text = resources.files("safeload.policy").joinpath("allow", f"{library}.toml").read_text("utf-8")
    return tomllib.loads(text)


@functools.cache
def allow_list(library: str) -> Allowed:
    """``(module, name) -> Use`` for one library of :data:`LIBRARIES`."""
    allowed: dict[tuple[str, str], Use] = {}
    for table, use in GRANTS.items():
        for module, names in _tables(library).get(table, {}).items():
            for name in names:
                allowed[module, name] = allowed.get((module, name), Use(0)) | use
    return MappingProxyType(allowed)


def made_for(library: str) -> tuple[str, str]:
    """The distribution that a list of :data:`LIBRARIES` is for, and the versions that were looked at."""
    tables = _tables(library)
    return tables["library"], tables["versions"]


@functools.cache
def verified_only() -> Mapping[tuple[str, str], str]:
    """``(module, name)`` of what only the policy for verified artifacts holds -> the library."""
    libraries = [library for library in LIBRARIES if library not in POLICIES["untrusted"]]
    return MappingProxyType({key: library for library in libraries for key in allow_list(library)})


@functools.cache
def confined() -> Mapping[tuple[str, str], frozenset[tuple[str, str]]]:
    """``(module, name)`` of an owner -> the globals that may stand in its arguments or state, and nowhere else."""
    merged: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
    for library in LIBRARIES:
        for owner, names in _tables(library).get("confined", {}).items():
            merged[_key(owner)] = merged.get(_key(owner), frozenset()) | frozenset(map(_key, names))
    return MappingProxyType(merged)


@functools.cache
def owners_of() -> Mapping[tuple[str, str], frozenset[tuple[str, str]]]:
    """:func:`confined` the other way round: a confined global -> those in whose arguments or state it may stand."""
    owners: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
    for owner, names in confined().items():
        for name in names:
            owners[name] = owners.get(name, frozenset()) | {owner}
    return MappingProxyType(owners)


def _key(path: str) -> tuple[str, str]:
    module, _, name = path.rpartition(".")
    return module, name
