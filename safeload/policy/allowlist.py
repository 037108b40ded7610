"""The allow lists in ``policy/allow/*.toml``, parsed once into frozen tables."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from safeload.readers.observations import Use

__all__ = ["LIBRARIES", "Allowed", "allow_list"]

Allowed = Mapping[tuple[str, str], Use]

LIBRARIES = ("python", "numpy", "scipy", "sklearn", "joblib")

# What a table of the files grants to the names in it.
GRANTS: Mapping[str, Use] = {
    "classes": Use.INSTANTIATED | Use.BUILT | Use.REFERENCED,
    "callables": Use.CALLED | Use.BUILT,
    "references": Use.REFERENCED,
    "containers": Use.FILLED,
}


@functools.cache
def allow_list(library: str) -> Allowed:
    """``(module, name) -> Use`` for one library of :data:`LIBRARIES`."""
    text = resources.files("safeload.policy").joinpath("allow", f"{library}.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    allowed: dict[tuple[str, str], Use] = {}
    for table, use in GRANTS.items():
        for module, names in tables.get(table, {}).items():
            for name in names:
                allowed[module, name] = allowed.get((module, name), Use(0)) | use
    return MappingProxyType(allowed)
