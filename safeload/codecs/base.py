"""What a codec is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from safeload.errors import CodecError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safeload.limits import Limits
    from safeload.policy import Policy

__all__ = ["Codec", "Held", "LoadOptions", "Part", "is_stream", "missing", "only"]


class Part(NamedTuple):
    """A member to be: its name, what writes it, and its kind, or none: then what is in it says that."""

    name: str
    write: Callable[[IO[bytes]], Any]
    kind: str | None = None


class Held(NamedTuple):
    """A member that is there. ``read()`` gives its plain, verified bytes, writable, once: its memory may be shared with
    members of its kind beside it, and with nobody else."""

    name: str
    kind: str
    read: Callable[[], memoryview]


def is_stream(kind: str) -> bool:
    """Whether a member of this kind is a joblib or pickle stream, which the engine loads."""
    return kind in ("joblib", "pickle") or kind.endswith(".wrapper")


def only(held: Sequence[Held], kind: str) -> Held:
    """The one member, which is of that kind. Raises CodecError."""
    if [member.kind for member in held] != [kind]:
        raise CodecError(f"the members of this artifact are not one of kind {kind}")
    return held[0]


def missing(what: str, extra: str, more: str = "") -> MissingExtraError:
    """What to raise where `what` is to be loaded, and its library is not installed."""
    return MissingExtraError(
        f"this is {what}, which is not installed", extra=extra, hint=f"pip install 'safeload[{extra}]'{more}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How members become an object. `mmap_mode` is None, ``"c"`` or ``"r"``; `into` is what takes a state in.

    `folder` is where a plain file lies, if it is one of a disk: what it names is read from there. What is `secret` was
    encrypted.
    """

    policy: Policy
    mmap_mode: str | None
    limits: Limits
    into: Any = None
    folder: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to keep objects. The versions of its `libraries` are recorded.

    The kinds of its members are `name`, or begin with it and a dot. ``takes(value)`` says whether `dump` chooses it by
    itself, and imports nothing for that; ``parts(value, protocol)`` are members, ``load(held, options)`` an object.
    Only one that `fills` knows what to do with ``into``. One that takes all members into memory gets them `at_once`.
    """

    name: str
    libraries: tuple[str, ...]
    takes: Callable[[Any], bool]
    parts: Callable[[Any, int | None], Sequence[Part]]
    load: Callable[[Sequence[Held], LoadOptions], Any]
    fills: bool = False
    at_once: bool = False
