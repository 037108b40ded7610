"""Format 2 and 7.1: a file that ends too early, at every boundary, or too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.container import STRANGER, TEST, Member, draft
from testkit.vector import Vector, refused, whole

if TYPE_CHECKING:
    from collections.abc import Iterator


def vectors() -> Iterator[Vector]:
    yield from cuts()
    yield from tails()


def cuts() -> Iterator[Vector]:
    file = draft(Member(data=bytes(range(256)))).seal(signers=(TEST, STRANGER))
    body = file.encode()
    table = 4096 + len(file.payload)
    manifest = table + len(file.table)
    first = manifest + len(file.manifest)
    second = first + len(file.records[0].encode())
    marks = (
        ("empty", 0, "truncated"),
        ("one-byte", 1, "truncated"),
        ("in-the-magic", 7, "truncated"),
        ("after-the-magic", 8, "truncated"),
        ("in-the-prelude", 40, "truncated"),
        ("one-before-the-padding", 63, "truncated"),
        ("before-the-padding", 64, "truncated"),
        ("in-the-padding", 2000, "truncated"),
        ("one-before-the-payload", 4095, "truncated"),
        ("before-the-payload", 4096, "truncated"),
        ("in-the-payload", 4097, "truncated"),
        ("before-the-table", table, "truncated"),
        ("in-the-table", table + 31, "truncated"),
        ("before-the-manifest", manifest, "truncated"),
        ("in-the-manifest", manifest + 1, "truncated"),
        ("one-before-the-records", first - 1, "truncated"),
        ("before-the-records", first, "unsigned"),
        ("in-the-type", first + 1, "trailing-bytes"),
        ("after-the-type", first + 2, "trailing-bytes"),
        ("in-the-keyid", first + 42, "trailing-bytes"),
        ("before-the-signature", first + 43, "trailing-bytes"),
        ("one-before-the-second-record", second - 1, "trailing-bytes"),
        ("in-the-second-record", second + 8, "trailing-bytes"),
        ("one-before-the-end", len(body) - 1, "trailing-bytes"),
    )
    for name, end, violation in marks:
        about = f"The file ends {name.replace('-', ' ')}, at byte {end} of {len(body)}."
        yield refused(f"cut-{name}", violation, about, body[:end])


def tails() -> Iterator[Vector]:
    for name, violation, about, tail in (
        ("newline", "trailing-bytes", "An editor added a newline.", b"\n"),
        ("zero-byte", "trailing-bytes", "One zero byte stands after the last record.", b"\0"),
        ("type-alone", "trailing-bytes", "Two bytes that begin a record stand after the last one.", b"\1\0"),
        ("42-bytes", "trailing-bytes", "A record's head, one byte short.", b"\1\0\1\0\x24\0\0\0\x20" + bytes(33)),
        ("zeros", "unsupported-record", "The file was padded with zeros.", bytes(512)),
        ("zip", "unsupported-record", "The file is a ZIP archive too.", b"PK\5\6" + bytes(18)),
        ("twice", "unsupported-record", "Another whole container stands after this one.", whole()),
    ):
        yield refused(f"tail-{name}", violation, about, whole() + tail)
