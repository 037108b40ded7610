"""Format 3, 5 and 9: where members lie, and what their numbers say. Every file here is well signed and digested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.container import FRAME, Draft, Member, draft
from testkit.scenarios.streams import zstd_run
from testkit.vector import Vector, refused, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = (1 << 64) - 1
FIRST, SECOND = Member("first", b"1" * 100), Member("second", b"2" * 100)


def vectors() -> Iterator[Vector]:
    yield from placement()
    yield from ends()
    yield from sizes()
    yield from frame_lists()
    yield from bombs()
    for encoding in ("gzip", "brotli", "ZSTD", "none", "", "xz"):
        rough = draft().put("members.0.encoding", encoding).put("members.0.frames", [21])
        about = f"The encoding {encoding!r} is none of this version."
        yield refused(
            f"encoding-{encoding.replace('ZSTD', 'upper-case') or 'empty'}", "unsupported-encoding", about, rough
        )


def placement() -> Iterator[Vector]:
    for slug, about, offsets in (
        ("hole-first", "64 bytes stand before the first member.", (64, 192)),
        ("one-late", "The first member begins at 1.", (1, 128)),
        ("hole", "64 bytes more than needed stand between two members.", (0, 192)),
        ("unaligned", "The second member begins where the first ends.", (0, 100)),
        ("unaligned-by-one", "The second member begins one byte after the boundary.", (0, 129)),
        ("overlap", "The second member begins inside of the first.", (0, 64)),
        ("same", "Two members in one place.", (0, 0)),
        ("swapped", "The second member stands before the first.", (128, 0)),
    ):
        yield refused(f"offset-{slug}", "member-offset", about, draft(FIRST, SECOND, offsets=offsets))
    rough = draft(Member("first", b"1" * 64), SECOND, offsets=(0, 128))
    yield refused(
        "offset-hole-after-64", "member-offset", "The first member fills its 64 bytes; 64 more follow.", rough
    )
    rough = draft(Member("empty", b""), SECOND, offsets=(0, 64))
    yield refused("offset-after-empty", "member-offset", "An empty member takes no place; 64 bytes follow it.", rough)


def ends() -> Iterator[Vector]:
    def ending(slug: str, about: str, rough: Draft) -> Vector:
        return refused(f"payload-{slug}", "payload-length", about, rough)

    data = Member().data
    yield ending("one-byte-more", "A zero byte of no member stands last.", draft(payload=data + b"\0"))
    yield ending("padded", "Padding stands after the last member.", draft(payload=data.ljust(64, b"\0")))
    yield ending(
        "hidden", "A megabyte of no member stands last.", draft(payload=data.ljust(64, b"\0") + steps(1 << 20))
    )
    yield ending("one-byte-less", "The last member reaches one byte past the payload.", draft(payload=data[:-1]))
    yield ending("empty", "The payload is empty, and the member is not.", draft(payload=b""))
    rough = draft().put("members.0.size", MOST).put("members.0.stored", MOST)
    yield ending("huge", "A member of 2^64 - 1 bytes.", rough)
    rough = draft(FIRST, SECOND).put("members.1.size", MOST - 127).put("members.1.stored", MOST - 127)
    yield ending("end-wraps", "offset + stored is 2^64.", rough)


def sizes() -> Iterator[Vector]:
    for step, word in ((1, "more"), (-1, "less")):
        rough = draft().put("members.0.size", len(Member().data) + step)
        about = f"An identity member's size is one {word} than what is stored."
        yield refused(f"size-one-{word}", "member-size", about, rough)
    rough = draft().put("members.0.size", 0)
    yield refused("size-zero", "member-size", "An identity member is said to be empty.", rough)
    rough = draft().put("members.0.size", MOST)
    yield refused("size-huge", "member-size", "An identity member's size is 2^64 - 1.", rough)


def frame_lists() -> Iterator[Vector]:
    def listed(slug: str, about: str, rough: Draft, frames: object) -> Vector:
        return refused(f"frames-{slug}", "member-frames", about, rough.put("members.0.frames", frames))

    yield listed("identity-empty", "An identity member has a list of frames.", draft(), [])
    yield listed("identity-one", "An identity member has one frame.", draft(), [21])
    small, large = Member(encoding="zlib"), Member(data=steps(FRAME + 1), encoding="zlib")
    stored, (one, two) = len(small.stored), map(len, large.frames or ())
    yield listed("null", "A compressed member has no list of frames.", draft(small), None)
    yield listed("none", "A compressed member has no frame.", draft(small), [])
    yield listed("sum-one-more", "The frames are one byte longer than stored.", draft(small), [stored + 1])
    yield listed("sum-one-less", "The frames are one byte shorter than stored.", draft(small), [stored - 1])
    yield listed("too-many", "Two frames for less than 4 MiB.", draft(small), [stored - 1, 1])
    yield listed("zero", "A frame of no bytes.", draft(large), [one + two, 0])
    yield listed("negative", "A frame of fewer than no bytes.", draft(large), [one + two + 1, -1])
    yield listed("too-few", "One frame for 4 MiB and a byte.", draft(large), [one + two])
    yield listed("sum-wraps", "Lengths whose sum is right in 64 bits.", draft(large), [MOST, one + two + 1])
    empty = Member(data=b"", encoding="zlib")
    yield listed("empty-null", "An empty compressed member has no list of frames.", draft(empty), None)
    rough = draft(Member(data=b"", encoding="zlib", pieces=(small.stored,)))
    yield refused("frames-of-empty", "member-frames", "An empty member has a frame all the same.", rough)
    rough = draft(Member(data=bytes(FRAME), encoding="zlib", pieces=(small.stored, small.stored)))
    yield refused("frames-of-4-mib", "member-frames", "Two frames for exactly 4 MiB.", rough)


def bombs() -> Iterator[Vector]:
    """512 MiB and a little more, in a few thousand bytes of honest frames."""
    full = zstd_run(FRAME)
    bomb = Member("bomb", encoding="zstd", pieces=(*[full] * 128, zstd_run(1)), size=128 * FRAME + 1)
    yield refused("bomb", "expansion", "512 MiB and one byte in 18 KiB.", draft(bomb))
    half = Member("half", encoding="zstd", pieces=(full,) * 65, size=65 * FRAME)
    rough = draft(half, Member("other-half", encoding="zstd", pieces=half.pieces, size=half.size))
    yield refused("bomb-in-two", "expansion", "Two members of 260 MiB each.", rough)
    vast = Member("vast", encoding="zstd", pieces=(full,) * 25_600, size=25_600 * FRAME)
    yield refused("bomb-100-gib", "expansion", "100 GiB in 3.5 MiB.", draft(vast))
