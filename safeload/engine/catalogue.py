"""What a policy grants and what stands behind each name, for people who want to know before they trust it."""

from __future__ import annotations

from dataclasses import dataclass

from safeload.engine.resolve import resolve
from safeload.engine.tables import CHECKERS, GUARDS, STUBS
from safeload.errors import CodecError
from safeload.policy.allowlist import LIBRARIES, allow_list, made_for, owners_of
from safeload.policy.policy import Policy
from safeload.readers.observations import GlobalUse, Use

__all__ = ["Grant", "grants"]

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One global that a policy allows.

    `uses` are any of referenced, called, instantiated, built, filled, shaped, extended, keyed, hashed. `library` is the
    distribution whose list it is in, and `versions` those that were looked at; both are empty for what `Policy.allow`
    added. `contracts` are any of guard, stub, checker. What is `confined_to` some names may stand in their arguments or
    state, and nowhere else.
    """

    name: str
    uses: tuple[str, ...]
    library: str
    versions: str
    contracts: tuple[str, ...]
    confined_to: tuple[str, ...]


def grants(policy: Policy | None = None, *, name: str = "") -> tuple[Grant, ...]:
    """Everything that `policy` allows, by name; None is ``Policy.default()``.

    With a `name` only that global, or those in the module of that name. Their libraries are imported then, since the
    checker of a class may be that of one that it derives from; without, only checkers of its own are told.
    """
    allowed = (policy or Policy.default()).allowed
    prefix = f"{name}." if name else ""
    found = (key for key in allowed if f"{'.'.join(key)}.".startswith(prefix))
    return tuple(sorted((_grant(key, allowed[key], look=bool(name)) for key in found), key=lambda grant: grant.name))


def _grant(key: Key, use: Use, *, look: bool) -> Grant:
    library, versions = next((made_for(library) for library in LIBRARIES if key in allow_list(library)), ("", ""))
    behind = {"guard": key in GUARDS, "stub": key in STUBS, "checker": key in CHECKERS or (look and _checked(key, use))}
    return Grant(
        name=".".join(key),
        uses=tuple(str(each.name).lower() for each in Use if each in use),
        library=library,
        versions=versions,
        contracts=tuple(contract for contract, stands in behind.items() if stands),
        confined_to=tuple(sorted(map(".".join, owners_of().get(key, ())))),
    )


def _checked(key: Key, use: Use) -> bool:
    """Whether a class that the class `key` derives from has a checker."""
    if not use & (Use.INSTANTIATED | Use.BUILT) or not any(key in allow_list(library) for library in LIBRARIES):
        return False  # what somebody allowed of their own is not imported to be looked at
    try:
        kind = resolve(GlobalUse(*key, 0, use, *key))
    except CodecError:  # not in the version that is installed
        return False
    return isinstance(kind, type) and any((each.__module__, each.__qualname__) in CHECKERS for each in kind.__mro__)
