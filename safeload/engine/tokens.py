"""Names that are harmless only as the argument of one callable: inert until that callable takes them.

``numpy.ndarray`` must stand in an array's state, and must not end up anywhere else: called by a model with
arguments from the file, it makes pointers of bytes. So the stream gets a token, which can do nothing.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Any

from safeload.errors import CodecError
from safeload.policy.allowlist import confined

__all__ = ["Token", "closed"]

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Token:
    """Stands for the global ``module.name``."""

    module: str
    name: str

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise CodecError(f"{self.module}.{self.name} stands where it has no place")


def closed(value: Any, owner: Key) -> Any:
    """The object that the token `value` stands for, if `owner` may be given it. Raises CodecError."""
    if type(value) is not Token:
        raise CodecError(f"{'.'.join(owner)} is called with something outside of its closed set")
    return _object(value.module, value.name, owner)


@functools.cache
def _object(module: str, name: str, owner: Key) -> Any:
    if (module, name) not in confined().get(owner, ()):
        raise CodecError(f"{module}.{name} is given to {'.'.join(owner)}, and is outside of its closed set")
    return getattr(importlib.import_module(module), name)
