"""Observations -> judgements. Allow lists are reviewed data, one file a library, by exact name."""

from safeload.policy.policy import Policy

__all__ = ["Policy"]
