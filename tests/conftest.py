"""Keys that every test may use, made once, by the real command's function."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import safeload

# A checkout may be read-only, and a failure prints its example.
settings.register_profile("safeload", database=None, print_blob=True)
settings.load_profile("safeload")

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keys:
    """A private key and its public half."""

    key: Path
    pub: Path


def _keys(folder: Path, name: str) -> Keys:
    safeload.keygen(folder / name)
    return Keys(folder / f"{name}.key", folder / f"{name}.pub")


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return _keys(tmp_path_factory.mktemp("keys"), "team")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return _keys(tmp_path_factory.mktemp("keys"), "stranger")


@pytest.fixture(autouse=True)
def _no_ambient_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell says of keys must not decide a test."""
    for name in [name for name in os.environ if name.startswith("SAFELOAD_")]:
        monkeypatch.delenv(name)
