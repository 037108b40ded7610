"""The manifest as frozen types (docs/format.md, section 5): what the signatures describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Arrays",
    "Encryption",
    "Environment",
    "LargestArray",
    "Manifest",
    "Member",
    "ModelInfo",
    "PayloadInfo",
    "PreludeRecord",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreludeRecord:
    """The prelude's fields as the signer saw them."""

    major: int
    minor: int
    flags: int
    container_id: str
    payload_off: int
    payload_len: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadInfo:
    """``digest`` names H; ``leaf`` is in bytes; ``root`` in hexadecimal."""

    digest: str
    leaf: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One named byte string. ``offset`` is in the payload; ``size`` plain, ``stored`` as it lies there, in bytes."""

    name: str
    kind: str
    offset: int
    size: int
    stored: int
    encoding: str
    frames: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where the artifact was made: versions of Python and of the distributions that own its globals."""

    python: str
    platform: str
    distributions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestArray:
    dtype: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """Raw arrays in the payload; ``bytes`` is their sum. For people: a loader counts anew."""

    count: int = 0
    bytes: int = 0
    largest: LargestArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    name: str | None
    version: int | None
    expires: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How the payload is encrypted (docs/format.md, section 8). ``size`` is that of the plaintext payload, in bytes."""

    scheme: str
    size: int
    signer: str
    recipients: tuple[Mapping[str, str | int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a signature says of a file. ``created`` is RFC 3339 in UTC."""

    v: int = 1
    prelude: PreludeRecord
    payload: PayloadInfo
    members: tuple[Member, ...]
    created: str
    environment: Environment
    globals: tuple[str, ...] = ()
    arrays: Arrays = field(default_factory=Arrays)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    model: ModelInfo | None = None
    encryption: Encryption | None = None
    crit: tuple[str, ...] = ()
