"""The environment variables of this room, read nowhere else in it. An empty one counts as absent."""

from __future__ import annotations

import os

__all__ = ["IDENTITY", "IDENTITY_PASSPHRASE", "KEY", "KEY_PEM", "KEY_PIN", "PASSPHRASE", "TRUST", "TRUST_ROOT", "get"]

IDENTITY = "SAFELOAD_IDENTITY"
IDENTITY_PASSPHRASE = "SAFELOAD_IDENTITY_PASSPHRASE"  # noqa: S105  the name of the variable
KEY = "SAFELOAD_KEY"
KEY_PEM = "SAFELOAD_KEY_PEM"
KEY_PIN = "SAFELOAD_KEY_PIN"
PASSPHRASE = "SAFELOAD_KEY_PASSPHRASE"  # noqa: S105  the name of the variable, not its value
TRUST = "SAFELOAD_TRUST"
TRUST_ROOT = "SAFELOAD_TRUST_ROOT"


def get(name: str) -> str | None:
    """The value of variable `name`, or None."""
    return os.environ.get(name) or None
