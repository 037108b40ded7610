"""Format 2: the prelude and its padding. No signature covers them, so none is needed to be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from testkit.container import LEAF, MAGIC, PAYLOAD_OFF, Prelude, Sealed, draft
from testkit.vector import Vector, refused, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST_MOST = 16_777_216


def vectors() -> Iterator[Vector]:
    yield from strangers()
    yield from versions_and_flags()
    yield from offsets_and_lengths()
    yield from huge()
    yield from padding()
    yield from repeated()


def bent(**values: Any) -> Sealed:
    """An honest, signed file whose prelude then says something else."""
    file = draft().seal()
    for name, value in values.items():
        setattr(file.prelude, name, value)
    return file


def moved(**steps: int) -> Sealed:
    file = draft().seal()
    for name, step in steps.items():
        setattr(file.prelude, name, getattr(file.prelude, name) + step)
    return file


def strangers() -> Iterator[Vector]:
    def stranger(name: str, about: str, file: Sealed | bytes) -> Vector:
        return refused(name, "not-an-artifact", about, file)

    yield stranger("magic-first-bit", "The first byte lost its high bit on the way.", bent(magic=b"\x09" + MAGIC[1:]))
    yield stranger("magic-last-byte", "The last byte of the magic is one more.", bent(magic=MAGIC[:7] + b"\x0b"))
    yield stranger("magic-crlf", "A transfer as text made LF of CR LF.", whole().replace(b"\r\n", b"\n", 1))
    yield stranger("magic-png", "The magic of another format that looks alike.", bent(magic=b"\x89PNG\r\n\x1a\n"))
    yield stranger("magic-pickle", "A pickle, not a container.", b"\x80\x04K\x01.")
    yield stranger("magic-late", "A newline stands before the magic.", b"\n" + whole())


def versions_and_flags() -> Iterator[Vector]:
    for major in (0, 2, 256):
        about = f"The major version is {major}; the signed one too."
        yield refused(f"major-{major}", "unsupported-version", about, draft(prelude=Prelude(major=major)))
    for bit in (1, 2, 15):
        about = f"Critical flag bit {bit} is unknown; it is signed too."
        yield refused(f"flag-bit-{bit}", "unsupported-flag", about, draft(prelude=Prelude(flags=1 << bit)))


def offsets_and_lengths() -> Iterator[Vector]:
    for value in (0, 64, PAYLOAD_OFF - 1, PAYLOAD_OFF + 1, 1 << 63):
        about = f"The payload is said to begin at {value}."
        yield refused(f"payload-off-{value}", "payload-offset", about, bent(payload_off=value))
    for name in ("payload_len", "manifest_off"):
        for step, word in ((1, "more"), (-1, "less")):
            about = f"{name} is one {word} than the sections add up to."
            yield refused(f"{name}-one-{word}".replace("_", "-"), "section-gap", about, moved(**{name: step}))
    yield refused("manifest-off-zero", "section-gap", "The manifest is said to begin at 0.", bent(manifest_off=0))
    yield refused(
        "manifest-over-the-table",
        "section-gap",
        "The manifest is said to begin where the table does.",
        moved(manifest_off=-32),
    )
    for step, word in ((1, "one-more"), (-1, "one-less"), (32, "one-leaf-more"), (-32, "one-leaf-less")):
        about = f"table_len is not that of one leaf: {step:+d}."
        yield refused(f"table-len-{word}", "table-length", about, moved(table_len=step))
    yield refused(
        "table-len-and-gap",
        "table-length",
        "A table for two leaves and room for it, where the payload has one leaf.",
        moved(table_len=32, manifest_off=32),
    )
    yield refused("manifest-len-zero", "manifest-length", "The manifest is empty.", bent(manifest_len=0))
    yield refused("manifest-len-one", "manifest-length", "One byte cannot be an object.", bent(manifest_len=1))
    for step, word in ((1, "more"), (-1, "less")):
        about = f"The manifest is one byte {word}, so that the first record begins at the wrong place."
        yield refused(f"manifest-len-one-{word}", "unsupported-record", about, moved(manifest_len=step))


def huge() -> Iterator[Vector]:
    raw = draft().raw()
    file = draft().seal(raw + b" " * (MANIFEST_MOST + 1 - len(raw)))
    yield refused("manifest-too-long", "manifest-length", "A manifest of 16 MiB and one byte, well signed.", file)
    file = bent(manifest_len=(1 << 32) - 1)
    yield refused("manifest-len-huge", "manifest-length", "The manifest is said to have 4 GiB.", file)
    file = bent(manifest_len=MANIFEST_MOST)
    yield refused("manifest-len-past-the-end", "truncated", "The manifest is said to have 16 MiB.", file)
    file = bent(payload_len=(1 << 64) - 1)
    yield refused("payload-len-huge", "table-length", "payload_off + payload_len does not fit in 64 bits.", file)
    file = bent(manifest_off=(1 << 64) - 1)
    yield refused("manifest-off-huge", "section-gap", "manifest_off + manifest_len does not fit in 64 bits.", file)
    file = bent(payload_len=LEAF << 27, table_len=0, manifest_off=PAYLOAD_OFF + (LEAF << 27))
    yield refused("table-len-wraps", "table-length", "2^27 leaves: their table's length is 0 in 32 bits.", file)
    file = bent(payload_len=LEAF * 1024, table_len=32 * 1024, manifest_off=PAYLOAD_OFF + LEAF * 1024 + 32 * 1024)
    yield refused("lengths-agree-beyond-the-end", "truncated", "Lengths that agree, in a file far too short.", file)
    leaves = (1 << 27) - 1
    file = bent(payload_len=LEAF * leaves, table_len=32 * leaves, manifest_off=PAYLOAD_OFF + (LEAF + 32) * leaves)
    yield refused("lengths-agree-512-tib", "truncated", "The longest payload that 32 bits of table allow.", file)


def padding() -> Iterator[Vector]:
    for at in (64, 2048, 4095):
        file = draft().seal()
        file.padding = file.padding[: at - 64] + b"\x01" + file.padding[at - 63 :]
        yield refused(f"padding-{at}", "nonzero-padding", f"Byte {at} is not zero.", file)


def repeated() -> Iterator[Vector]:
    """The prelude is not signed; the manifest repeats it and is."""
    for slug, about, file in (
        ("minor", "Somebody raised the minor version after the file was signed.", bent(minor=1)),
        ("flags", "Somebody set an ignorable flag after the file was signed.", bent(flags=1 << 16)),
        ("encrypted", "Somebody set flag bit 0 after the file was signed.", bent(flags=1)),
        ("container-id", "Somebody gave the file another id after it was signed.", bent(container_id=bytes(16))),
    ):
        yield refused(f"changed-{slug}", "prelude-mismatch", about, file)
    signed: tuple[tuple[str, object], ...] = (
        ("major", 2),
        ("minor", 1),
        ("flags", 1 << 16),
        ("payload_off", 8192),
        ("container_id", "0" * 32),
    )
    for name, value in signed:
        rough = draft().put(f"prelude.{name}", value)
        about = f"The signed {name} is {value}; the prelude's is not."
        yield refused(f"signed-{name}".replace("_", "-"), "prelude-mismatch", about, rough)
