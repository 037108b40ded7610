"""Small checks that contracts share."""

from __future__ import annotations

from safeload.errors import CodecError

__all__ = ["require"]


def require(condition: bool, key: tuple[str, str]) -> None:
    """Raise CodecError unless `condition`: the state of a ``module.name`` is one that its C code must not see."""
    if not condition:
        raise CodecError(f"the state of a {'.'.join(key)} is not one that its library writes")
