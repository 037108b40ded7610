"""Format 3 and 4: leaves, table, root, and the bytes between members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.container import LEAF, Draft, Member, Sealed, digest_of, draft, root_of, table_of
from testkit.vector import Vector, refused, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGESTS = ("blake3", "sha256")


def vectors() -> Iterator[Vector]:
    yield from leaves()
    yield from tables()
    yield from roots()
    yield from padding()


def two_leaves(digest: str = "blake3") -> Sealed:
    return draft(Member(data=steps(LEAF + 100)), digest=digest).seal()


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def leaves() -> Iterator[Vector]:
    for digest in DIGESTS:
        for slug, at in (("first-byte", 0), ("last-byte", -1)):
            file = draft(digest=digest).seal()
            file.payload = flipped(file.payload, at)
            about = f"One bit of the payload's {slug.replace('-', ' ')} changed ({digest})."
            yield refused(f"leaf-{slug}-{digest}", "leaf-mismatch", about, file)
    for slug, at in (("end-of-leaf-0", LEAF - 1), ("start-of-leaf-1", LEAF)):
        file = two_leaves()
        file.payload = flipped(file.payload, at)
        yield refused(f"leaf-{slug}", "leaf-mismatch", "One bit changed at a leaf's boundary.", file)
    file = draft(Member(data=steps(2 * LEAF))).seal()
    file.payload = file.payload[LEAF:] + file.payload[:LEAF]
    yield refused("leaves-swapped", "leaf-mismatch", "Two leaves changed places; the table did not.", file)
    file = draft(Member("first", b"1" * 100), Member("second", b"2" * 100)).seal()
    file.payload = flipped(file.payload, 110)
    yield refused("leaf-padding", "leaf-mismatch", "A bit between two members changed.", file)
    rough = draft()
    rough.table = digest_of("sha256", rough.payload)
    put_root(rough, "blake3")
    yield refused(
        "leaf-other-digest", "leaf-mismatch", "The leaf's digest is SHA-256, the manifest says BLAKE3.", rough
    )


def tables() -> Iterator[Vector]:
    file = draft().seal()
    file.table = flipped(file.table, 0)
    yield refused("table-bit", "root-mismatch", "One bit of the table changed.", file)
    file = two_leaves()
    file.table = file.table[32:] + file.table[:32]
    yield refused("table-swapped", "root-mismatch", "Two digests changed places in the table.", file)
    file = draft(Member(data=steps(2 * LEAF))).seal()
    file.payload = file.payload[LEAF:] + file.payload[:LEAF]
    file.table = file.table[32:] + file.table[:32]
    yield refused("table-and-leaves-swapped", "root-mismatch", "Two leaves changed places, and so did the table.", file)
    file = draft().seal()
    file.payload = flipped(file.payload, 0)
    file.table = table_of(file.payload, "blake3")
    yield refused(
        "table-of-another-payload", "root-mismatch", "Somebody changed the payload and made the table anew.", file
    )


def put_root(rough: Draft, digest: str) -> Draft:
    return rough.put("payload.root", root_of(len(rough.payload), rough.table, digest).hex())


def roots() -> Iterator[Vector]:
    for slug, about, root in (
        ("zero", "The signed root is zero.", bytes(32)),
        ("bare-table", "The root is a digest of the table alone.", digest_of("blake3", draft().table)),
        ("other-length", "The root was made with another payload_len.", root_of(22, draft().table, "blake3")),
        ("other-digest", "The root is SHA-256, the manifest says BLAKE3.", root_of(21, draft().table, "sha256")),
        ("of-payload", "The root is the payload's own digest.", digest_of("blake3", draft().payload)),
    ):
        yield refused(f"root-{slug}", "root-mismatch", about, draft().put("payload.root", root.hex()))
    rough = draft().put("payload.digest", "sha256")
    yield refused(
        "digest-renamed", "root-mismatch", "The manifest says SHA-256, everything was made with BLAKE3.", rough
    )
    rough = draft(Member("empty", b"")).put("payload.root", bytes(32).hex())
    yield refused("root-of-nothing", "root-mismatch", "An empty payload has a root too, and it is not zero.", rough)


def padding() -> Iterator[Vector]:
    """Digested and signed: only the rule that padding is zero is left to refuse it."""
    pair = Member("first", b"1" * 100), Member("second", b"2" * 100)
    payload = draft(*pair).payload
    for slug, at in (("first", 100), ("last", 127)):
        about = f"The {slug} byte between two members is not zero."
        yield refused(f"between-{slug}-byte", "member-padding", about, draft(*pair, payload=flipped(payload, at)))
    trio = Member("first", steps(LEAF - 10)), Member("second", b""), Member("third", b"3")
    rough = draft(*trio, payload=flipped(draft(*trio).payload, LEAF - 1))
    yield refused("between-at-a-leaf", "member-padding", "The byte before a leaf's end is padding and not zero.", rough)
    single = Member("first", b"1"), Member("second", b"")
    rough = draft(*single, payload=flipped(draft(*single).payload, 63))
    yield refused(
        "between-and-empty", "member-padding", "The payload ends with padding, before an empty member.", rough
    )
