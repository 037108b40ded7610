"""Files that a reader must accept."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from testkit.container import COMPRESSORS, FRAME, OTHER, Member, Prelude, draft, to_json
from testkit.scenarios.fields import LARGEST, MODEL
from testkit.scenarios.streams import zstd_raw, zstd_run
from testkit.vector import Vector, accepted, steps

if TYPE_CHECKING:
    from collections.abc import Iterator


def vectors() -> Iterator[Vector]:
    yield from encodings()
    yield from streams()
    yield from layouts()
    yield from versions()
    yield from manifests()
    yield from texts()


def encodings() -> Iterator[Vector]:
    for encoding in ("identity", *COMPRESSORS):
        several = (
            Member("empty", b"", encoding),
            Member("byte", b"\xff", encoding),
            Member("folder/file", b"the bytes of a member " * 50, encoding),
            Member("last-and-empty", b"", encoding),
        )
        yield accepted(f"{encoding}-several", f"Four members, two of them empty ({encoding}).", draft(*several))
        for slug, about, size in (
            ("4-mib", "One full frame and one full leaf's worth", FRAME),
            ("4-mib-and-1", "One byte more than a frame", FRAME + 1),
        ):
            rough = draft(Member(data=steps(size), encoding=encoding))
            yield accepted(f"{encoding}-{slug}", f"{about} ({encoding}).", rough)


def streams() -> Iterator[Vector]:
    """Frames that are right, and not the ones that a compressor writes by default."""
    data = b"the bytes of one frame " * 3
    pair = zstd_run(FRAME, 7, window=True), zstd_run(100, 7)
    for slug, about, encoding, pieces in (
        ("zstd-stored", "A Zstandard frame of one raw block.", "zstd", (zstd_raw(data),)),
        ("zlib-stored", "A zlib stream that compresses nothing.", "zlib", (zlib.compress(data, 0),)),
    ):
        yield accepted(slug, about, draft(Member(data=data, encoding=encoding, pieces=pieces)))
    rough = draft(Member(data=b"\7" * (FRAME + 100), encoding="zstd", pieces=pair))
    yield accepted("zstd-runs", "A Zstandard frame that does not say its size, and one that does.", rough)
    yield accepted("mixed", "A member of each encoding.", draft(*(Member(name, data, name) for name in COMPRESSORS)))


def layouts() -> Iterator[Vector]:
    for digest in ("blake3", "sha256"):
        yield accepted(f"digest-{digest}", f"One small member ({digest}).", draft(digest=digest))
        rough = draft(Member("a", steps(FRAME)), Member("b", steps(FRAME + 1)), Member("c", b"c"), digest=digest)
        yield accepted(f"three-leaves-{digest}", f"Members that end in and at leaves ({digest}).", rough)
        rough = draft(Member("empty", b""), digest=digest)
        yield accepted(f"no-payload-{digest}", f"One empty member: no leaf, no table ({digest}).", rough)
    rough = draft(*(Member(f"m{size}", b"x" * size) for size in (63, 64, 65, 0, 128, 1)))
    yield accepted("alignment", "Members that end before, at and after a multiple of 64.", rough)
    rough = draft(Member("a", b"x"), Member("b", b""), Member("c", b""))
    yield accepted("empty-last", "The payload ends with padding, where two empty members are.", rough)
    yield accepted("sha256-zlib", "A compressed member under SHA-256.", draft(Member(encoding="zlib"), digest="sha256"))


def versions() -> Iterator[Vector]:
    for minor in (7, 65_535):
        yield accepted(f"minor-{minor}", f"Minor version {minor}.", draft(prelude=Prelude(minor=minor)))
    for bit in (16, 31):
        rough = draft(prelude=Prelude(flags=1 << bit))
        yield accepted(f"flag-bit-{bit}", f"Ignorable flag bit {bit}.", rough)
    rough = draft(prelude=Prelude(flags=0xFFFF_0000, minor=3, container_id=b"\xff" * 16))
    yield accepted("flags-ignorable", "Every ignorable flag, a later minor version, another id.", rough)


def manifests() -> Iterator[Vector]:
    rough = draft().put("x-note", {"v": [1, None]}).put("x-", 0).put("x-v", "1").put("x-\u00e9", True)
    yield accepted("extensions", "Keys that begin with x- are ignored.", rough)
    rough = draft(Member(kind="tensor-v9.x_-0"), Member("b", kind="k" * 64), Member("c", kind="0"))
    yield accepted("kind-unknown", "Kinds of a later version verify.", rough)
    rough = draft().put("model", MODEL | {"expires": "9999-12-31T23:59:59Z"}).put("arrays.largest", LARGEST)
    rough.put("globals", ["numpy.dtype", "numpy.ndarray", "sklearn.svm._classes.SVC"])
    rough.put("environment.distributions", {"numpy": "2.3.1", "scikit-learn": "1.7.2"})
    rough.put("metadata", {"hyperparameters": {"C": 1.0}, "": None, "\u0000": "\u007f\u2028\U0001f600"})
    yield accepted("everything", "Every optional value is there, and the model expires in far future.", rough)
    rough = draft().put("model", {"name": None, "version": None, "expires": None})
    yield accepted("model-of-nulls", "A model of which nothing is said.", rough)
    rough = draft().put("model", MODEL | {"version": (1 << 64) - 1})
    yield accepted("model-version-largest", "Version 2^64 - 1 of a model.", rough)
    yield accepted("created-leap-day", "Made on the 29th of February.", draft().put("created", "2028-02-29T23:59:59Z"))
    rough = draft()
    yield accepted("signed-by-other", "Signed by the second key.", rough, rough.seal(signers=(OTHER,)), trust="other")


def texts() -> Iterator[Vector]:
    """The signature covers bytes, so that any text of the same JSON is as good."""
    rough = draft()
    raw = rough.raw()
    for slug, about, text in (
        ("space-around", "White space around the object.", b"\r\n\t " + raw + b" \t\r\n"),
        ("space-inside", "White space between all tokens.", raw.replace(b",", b" ,\n").replace(b'":', b'"\t:\r\n')),
        ("reversed", "The keys in the opposite order.", to_json(dict(reversed(rough.manifest.items())))),
        (
            "escaped",
            "A key and a value written as escapes.",
            raw.replace(b'"v"', rb'"\u0076"').replace(b"file", rb"\u0066ile"),
        ),
        ("slashes", "Escaped slashes.", raw.replace(b'"linux', rb'"\/linux')),
        ("longest", "16 MiB, the longest manifest.", raw + b" " * ((1 << 24) - len(raw))),
    ):
        yield accepted(f"text-{slug}", about, rough, rough.seal(text))
