"""The scenarios, a module for each part of docs/format.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.scenarios import (
    decryption,
    encryption,
    fields,
    frames,
    honest,
    json_text,
    members,
    names,
    payload,
    prelude,
    signatures,
    truncation,
    trust,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testkit.vector import Vector

PARTS = (
    honest,
    prelude,
    truncation,
    json_text,
    fields,
    names,
    members,
    payload,
    frames,
    signatures,
    encryption,
    decryption,
    trust,
)


def all_vectors() -> Iterator[Vector]:
    for part in PARTS:
        yield from part.vectors()
