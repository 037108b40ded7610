"""Signed artifacts of any members: what a signer who means ill could sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.artifact.saving import Writing, save
from safeload.codecs.base import Part
from safeload.container.encodings import choose_compression
from safeload.keys import signer_from

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["signed"]


def signed(path: Path, key: Path, members: list[tuple[str, str, bytes]]) -> Path:
    """Members as (name, kind, bytes)."""
    parts = [Part(name, lambda file, data=data: file.write(data), kind) for name, kind, data in members]  # type: ignore[misc]
    save(path, parts, Writing(signer_from(key), choose_compression(0), warn=False), {}, None)
    return path
