"""Versions of models: each is an artifact of its own, in which name and number are signed."""

from safeload.store.models import ModelStore

__all__ = ["ModelStore"]
