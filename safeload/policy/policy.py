"""What may load: a set of exact names and of the uses that each is granted."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from safeload.policy.allowlist import LIBRARIES, Allowed, allow_list, owners_of
from safeload.readers.observations import GlobalUse, Use
from safeload.warn import UnsafeWarning, warn_caller

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Policy"]

_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+\Z")
_USES: Mapping[str, Use] = {
    "new": Use.INSTANTIATED | Use.FILLED,
    "build": Use.BUILT,
    "reference": Use.REFERENCED,
    "call": Use.CALLED,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """An immutable allow list. Widen it by name::

    Policy.default().allow("mypkg.features.Scaler")
    """

    allowed: Allowed
    everything: bool = False

    @classmethod
    def default(cls) -> Policy:
        """For verified artifacts: Python's own types, numpy, scipy, scikit-learn, joblib."""
        return _default()

    @classmethod
    def untrusted(cls) -> Policy:
        """For files without a signature: never wider than :meth:`default`."""
        return _default()

    @classmethod
    def unsafe_allow_all(cls) -> Policy:
        """Every global may be used in every way: no protection at all against the file."""
        warn_caller("Policy.unsafe_allow_all(): the file may run any code", UnsafeWarning)
        return cls(MappingProxyType({}), everything=True)

    def allow(self, *paths: str, use: tuple[str, ...] = ("new", "build", "reference")) -> Policy:
        """A policy that also allows the classes ``module.name`` in `paths`.

        `use` is any of ``"new"``, ``"build"``, ``"reference"``, ``"call"``; a call has to be asked for.
        Raises ValueError for what is not a dotted name, or is an unknown use.
        """
        granted = Use(0)
        for name in use:
            if name not in _USES:
                raise ValueError(f"unknown use {name!r}; known are {', '.join(_USES)}")
            granted |= _USES[name]
        wider = dict(self.allowed)
        for path in paths:
            if not _PATH.match(path):
                raise ValueError(f"expected module.name, got {path!r}; whole modules cannot be allowed")
            module, _, name = path.rpartition(".")
            wider[module, name] = wider.get((module, name), Use(0)) | granted
        return Policy(MappingProxyType(wider), self.everything)

    def denied(self, used: GlobalUse) -> Use:
        """That part of the use of a global which this policy does not grant; false if it grants all."""
        if self.everything:
            return Use(0)
        key = used.module, used.name
        denied = used.use & ~self.allowed.get(key, Use(0))
        owners = owners_of().get(key)
        if owners is not None and Use.REFERENCED in used.use and (used.free or not used.owners <= owners):
            denied |= Use.REFERENCED
        return denied


@functools.cache
def _default() -> Policy:
    allowed: dict[tuple[str, str], Use] = {}
    for library in LIBRARIES:
        for key, use in allow_list(library).items():
            allowed[key] = allowed.get(key, Use(0)) | use
    return Policy(MappingProxyType(allowed))
