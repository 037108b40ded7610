"""Format 3 and 10.7: frames that do not give their share. `verify` accepts these files, `read` does not."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from typing import TYPE_CHECKING

import lz4.frame

from testkit.container import COMPRESSORS, FRAME, Member, draft
from testkit.scenarios.streams import zstd_raw, zstd_run, zstd_skippable
from testkit.vector import Vector, refused, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = b"the bytes of one frame, the bytes of one frame"


def vectors() -> Iterator[Vector]:
    for encoding in COMPRESSORS:
        yield from common(encoding)
    yield from second_of_two()
    yield from cuts()
    yield from of_zstd()
    yield from of_zlib()
    yield from of_lzma()
    yield from of_bz2()
    yield from of_lz4()


def corrupt(slug: str, about: str, encoding: str, *pieces: bytes, data: bytes = DATA, uses: str = "") -> Vector:
    rough = draft(Member(data=data, encoding=encoding, pieces=pieces))
    return refused(f"frame-{encoding}-{slug}", "frame-corrupt", about, rough, at="read", uses=[uses])


def second_of_two() -> Iterator[Vector]:
    good, bad = Member("a", DATA), Member("b", DATA, encoding="zlib", pieces=(b"no zlib",))
    about = "The second of two members is corrupt: the first is given out."
    yield refused("frame-second-member", "frame-corrupt", about, draft(good, bad), at="read", released=DATA)


def common(encoding: str) -> Iterator[Vector]:
    compress = COMPRESSORS[encoding]
    good = compress(DATA)
    for slug, about, piece in (
        ("leftover", "A zero byte follows the stream.", good + b"\0"),
        ("short", "The stream gives one byte less.", compress(DATA[:-1])),
        ("long", "The stream gives one byte more.", compress(DATA + b"!")),
        ("nothing", "The stream gives nothing.", compress(b"")),
        ("two-streams", "Two streams in one frame give the right bytes.", compress(DATA[:20]) + compress(DATA[20:])),
        ("empty-after", "A stream of nothing follows the right one.", good + compress(b"")),
        ("cut", "The stream's last byte is missing.", good[:-1]),
        ("plain", "The bytes are stored without any stream.", DATA),
        ("bomb", "A few bytes are declared, 64 MiB would come.", compress(bytes(1 << 26))),
    ):
        yield corrupt(slug, about, encoding, piece)


def cuts() -> Iterator[Vector]:
    """The whole is right, but it was cut elsewhere than at 4 MiB, or its pieces stand in another order."""
    data = steps(2 * FRAME)
    compress = COMPRESSORS["zlib"]
    late = compress(data[: FRAME + 1]), compress(data[FRAME + 1 :])
    yield corrupt("cut-late", "The first frame holds 4 MiB and a byte.", "zlib", *late, data=data)
    early = compress(data[: FRAME - 1]), compress(data[FRAME - 1 :])
    yield corrupt("cut-early", "The first frame holds 4 MiB less a byte.", "zlib", *early, data=data)
    data = steps(FRAME + 100)
    swapped = compress(data[FRAME:]), compress(data[:FRAME])
    yield corrupt("swapped", "The short last frame stands first.", "zlib", *swapped, data=data)
    runs = zstd_run(FRAME, 1), zstd_run(99, 2)
    about = "The first frame is right, the last one a byte too short."
    yield corrupt("last-short", about, "zstd", *runs, data=b"\1" * FRAME + b"\2" * 100)


def of_zstd() -> Iterator[Vector]:
    for claimed in (len(DATA) - 1, len(DATA) + 1):
        about = f"The frame's header says {claimed} bytes, its blocks give {len(DATA)}."
        yield corrupt(f"claims-{claimed}", about, "zstd", zstd_raw(DATA, claimed=claimed))
    about = "The header of a frame claims 4 GiB less a byte."
    yield corrupt("claims-4-gib", about, "zstd", zstd_raw(DATA, claimed=(1 << 32) - 1))
    yield corrupt("dictionary", "The frame asks for a dictionary.", "zstd", zstd_raw(DATA, dictionary=1))
    good = zstd_raw(DATA)
    yield corrupt("skippable-first", "A skippable frame stands first.", "zstd", zstd_skippable(b"hidden") + good)
    yield corrupt("skippable-last", "A skippable frame stands last.", "zstd", good + zstd_skippable(b"hidden"))
    yield corrupt("skippable-alone", "A skippable frame is no data.", "zstd", zstd_skippable(b"hidden"))
    yield corrupt("run", "1 GiB in 32 KiB of runs, with no size in its header.", "zstd", zstd_run(1 << 30, window=True))
    yield corrupt("zlib", "A stream of another encoding.", "zstd", COMPRESSORS["zlib"](DATA), uses="zlib")


def of_zlib() -> Iterator[Vector]:
    good = zlib.compress(DATA)
    bare = good[2:-4]
    yield corrupt("raw-deflate", "Deflate without its header.", "zlib", bare)
    # By hand: Python's gzip writes another header in every other version.
    ends = b"\x1f\x8b\x08\0\0\0\0\0\0\xff", struct.pack("<II", zlib.crc32(DATA), len(DATA))
    yield corrupt("gzip", "A gzip file.", "zlib", ends[0] + bare + ends[1])
    preset = zlib.compressobj(zdict=DATA)
    yield corrupt("dictionary", "The stream asks for a dictionary.", "zlib", preset.compress(DATA) + preset.flush())
    yield corrupt("checksum", "The Adler-32 is wrong.", "zlib", good[:-1] + bytes([good[-1] ^ 1]))
    yield corrupt("no-checksum", "The Adler-32 is missing.", "zlib", good[:-4])


def of_lzma() -> Iterator[Vector]:
    good = COMPRESSORS["lzma"](DATA)
    yield corrupt("alone", "The older .lzma format.", "lzma", lzma.compress(DATA, format=lzma.FORMAT_ALONE))
    yield corrupt("stream-padding", "Four zero bytes of stream padding.", "lzma", good + bytes(4))
    yield corrupt("checksum", "The footer's checksum is wrong.", "lzma", good[:-12] + b"\0\0\0\0" + good[-8:])


def of_bz2() -> Iterator[Vector]:
    good = bz2.compress(DATA)
    block = good[:10] + bytes([good[10] ^ 1]) + good[11:]
    yield corrupt("checksum", "The block's checksum is wrong.", "bz2", block)


def of_lz4() -> Iterator[Vector]:
    good = COMPRESSORS["lz4"](DATA)
    yield corrupt("checksum", "The content's checksum is wrong.", "lz4", good[:-1] + bytes([good[-1] ^ 1]))
    yield corrupt("block", "One LZ4 block without its frame.", "lz4", bytes([0xF0, len(DATA) - 15]) + DATA)
    # Magic, descriptor, content size and header checksum: 15 bytes.
    longer, bare = (lz4.frame.compress(data, store_size=True) for data in (DATA + b"!", DATA))
    yield corrupt("claims-more", "The frame's header says one byte more.", "lz4", longer[:15] + bare[15:])
    skippable = zstd_skippable(b"hidden")
    yield corrupt("skippable-first", "A skippable frame stands first.", "lz4", skippable + good)
