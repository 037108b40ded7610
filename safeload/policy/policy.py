"""What may load: a set of exact names and of the uses that each is granted."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from safeload.policy.allowlist import POLICIES, Allowed, allow_list, owners_of
from safeload.readers.observations import GlobalUse, Use
from safeload.warn import UnsafeWarning, warn_caller

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["Policy"]

_USES: Mapping[str, Use] = {
    "new": Use.INSTANTIATED | Use.FILLED | Use.EXTENDED | Use.KEYED | Use.HASHED,
    "build": Use.BUILT | Use.SHAPED,
    "reference": Use.REFERENCED,
    "call": Use.CALLED,
}
_NO_USE = Use(0)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """An immutable allow list. Widen it by name::

    Policy.default().allow("mypkg.features.Scaler")
    """

    allowed: Allowed
    everything: bool = False

    @classmethod
    def default(cls) -> Policy:
        """For verified artifacts: Python's own types, numpy, scipy, scikit-learn, joblib, pandas and the boosters.

        Those are xgboost, lightgbm and catboost.
        """
        return _named("default")

    @classmethod
    def untrusted(cls) -> Policy:
        """For files without a signature: :meth:`default` without the boosters, whose C++ trusts a model's bytes."""
        return _named("untrusted")

    @classmethod
    def audit(cls) -> Policy:
        """For looking into files, not for loading them: :meth:`default`, and what state dicts of PyTorch hold."""
        return _named("audit")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Policy:
        """A policy from a TOML file: `base` is ``"default"``, ``"untrusted"`` or ``"audit"`` (which it is without), and
        `allow` and `allow-call` are lists of names, as for :meth:`allow`. Raises OSError, ValueError."""
        return policy_from_toml(Path(path).read_text("utf-8"))

    @classmethod
    def unsafe_allow_all(cls) -> Policy:
        """Every global may be used in every way: no protection at all against the file."""
        warn_caller("Policy.unsafe_allow_all(): the file may run any code", UnsafeWarning)
        return cls(MappingProxyType({}), everything=True)

    def allow(self, *paths: str, use: str | tuple[str, ...] = ("new", "build", "reference")) -> Policy:
        """A policy that also allows the classes ``module.name`` in `paths`.

        `use` is any of ``"new"``, ``"build"``, ``"reference"``, ``"call"``; a call has to be asked for.
        Raises ValueError for what is not a dotted name, or is an unknown use.
        """
        granted = Use(0)
        for name in (use,) if isinstance(use, str) else use:
            if name not in _USES:
                raise ValueError(f"unknown use {name!r}; known are {', '.join(_USES)}")
            granted |= _USES[name]
        wider = dict(self.allowed)
        for path in paths:
            for key in _keys(path):
                wider[key] = wider.get(key, Use(0)) | granted
        return Policy(MappingProxyType(wider), self.everything)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (dict(self.allowed), self.everything)

    def __repr__(self) -> str:
        return "<Policy: everything>" if self.everything else f"<Policy of {len(self.allowed):,} names>"

    def denied(self, used: GlobalUse) -> Use:
        """That part of the use of a global which this policy does not grant; false if it grants all."""
        if self.everything:
            return Use(0)
        key = used.module, used.name
        allowed, owners = self.allowed.get(key, _NO_USE), owners_of().get(key)
        if owners is None and used.use.value & ~allowed.value == 0:  # as a rule; sums of flags take their time
            return _NO_USE
        denied = used.use & ~allowed
        if owners is not None and used.free:
            denied |= used.use & Use.REFERENCED
        if owners is not None and not used.owners <= owners:
            denied |= used.use & (Use.REFERENCED | Use.CALLED)
        return denied


_BASES = ("audit", "default", "untrusted")
_KEYS = ("base", "allow", "allow-call")


def policy_from_toml(text: str) -> Policy:
    """Raises ValueError for what is no such file."""
    import difflib
    import tomllib

    document = tomllib.loads(text)
    for key in document.keys() - set(_KEYS):
        near = difflib.get_close_matches(key, _KEYS, 1)
        raise ValueError(f"a policy has no {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    base = document.get("base", "audit")
    lists = [document.get(key, []) for key in ("allow", "allow-call")]
    if base not in _BASES or not all(isinstance(each, list) for each in lists):
        raise ValueError(f"base is one of {', '.join(_BASES)}; allow and allow-call are lists of names")
    names, calls = lists
    return _named(base).allow(*names).allow(*calls, use=tuple(_USES))


def _again(allowed: dict[tuple[str, str], Use], everything: bool) -> Policy:
    return Policy(MappingProxyType(allowed), everything)


def _keys(path: str) -> list[tuple[str, str]]:
    """``a.b.C.D`` is D in C of the module a.b; which parts are the module, only importing could tell."""
    if not isinstance(path, str):
        raise TypeError(f'expected a name such as "mypkg.features.Scaler", got {path!r}')
    parts = path.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f'expected a name such as "mypkg.features.Scaler", not a whole module: got {path!r}')
    return [(".".join(parts[:end]), ".".join(parts[end:])) for end in range(1, len(parts))]


@functools.cache
def _named(name: str) -> Policy:
    allowed: dict[tuple[str, str], Use] = {}
    for library in POLICIES[name]:
        for key, use in allow_list(library).items():
            allowed[key] = allowed.get(key, Use(0)) | use
    return Policy(MappingProxyType(allowed))
