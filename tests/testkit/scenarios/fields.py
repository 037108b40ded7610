"""Format 5: the keys of the manifest, their types and values. Every file here is well signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.container import LEAF, Draft, Member, draft, to_json, verbatim
from testkit.vector import Vector, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = {"name": "churn", "version": 3, "expires": None}
LARGEST = {"dtype": "<f8", "shape": [2, 3], "bytes": 48}


def vectors() -> Iterator[Vector]:
    yield from missing()
    yield from unknown()
    yield from types()
    yield from values()
    yield from times()
    yield refused(
        "crit-unknown", "unsupported-crit", "An extension that a reader must know.", draft().put("crit", ["x-shards"])
    )
    yield refused("too-many-members", "bad-value", "65,537 empty members.", crowd(65_537))


def full() -> Draft:
    return draft().put("model", dict(MODEL)).put("arrays.largest", dict(LARGEST))


def slug_of(path: str) -> str:
    return path.replace(".0.", ".").replace("_", "-").replace(".", "-")


def missing() -> Iterator[Vector]:
    for path in (
        *draft().manifest,
        *("prelude.container_id", "prelude.flags", "payload.leaf", "members.0.frames", "members.0.kind"),
        *("environment.distributions", "arrays.largest", "arrays.largest.dtype", "model.expires", "model.name"),
    ):
        yield refused(f"missing-{slug_of(path)}", "missing-key", f"{path} is not there.", full().drop(path))
    yield refused("missing-all", "missing-key", "An empty object, the shortest manifest.", draft().seal(b"{}"))


def unknown() -> Iterator[Vector]:
    for path in (
        *("note", "X-note", "x_note", "", "prelude.manifest_off", "payload.table", "members.0.sha256"),
        *(
            "environment.os",
            "arrays.dtypes",
            "arrays.largest.order",
            "model.owner",
            "members.0.x-note",
            "prelude.x-note",
        ),
    ):
        about = f"{path or 'The empty key'} is no key of this version."
        slug = slug_of(path.replace("X-", "upper-x-")) or "empty"
        yield refused(f"unknown-{slug}", "unknown-key", about, full().put(path, 1))


def types() -> Iterator[Vector]:
    for name, path, value in (
        ("v-true", "v", True),
        ("v-float", "v", 1.0),
        ("v-string", "v", "1"),
        ("v-null", "v", None),
        ("prelude-array", "prelude", []),
        ("minor-false", "prelude.minor", False),
        ("payload-off-float", "prelude.payload_off", verbatim("4096.0")),
        ("payload-off-exponent", "prelude.payload_off", verbatim("4096e0")),
        ("payload-len-string", "prelude.payload_len", "21"),
        ("container-id-int", "prelude.container_id", 1),
        ("digest-null", "payload.digest", None),
        ("leaf-exponent", "payload.leaf", verbatim("4194304E0")),
        ("root-array", "payload.root", []),
        ("members-object", "members", {}),
        ("member-null", "members.0", None),
        ("name-null", "members.0.name", None),
        ("kind-int", "members.0.kind", 1),
        ("offset-false", "members.0.offset", False),
        ("offset-minus-zero-float", "members.0.offset", verbatim("-0.0")),
        ("size-1e3", "members.0.size", verbatim("1e3")),
        ("stored-string", "members.0.stored", "21"),
        ("encoding-null", "members.0.encoding", None),
        ("frames-object", "members.0.frames", {}),
        ("frames-int", "members.0.frames", 21),
        ("created-int", "created", 1_767_323_045),
        ("environment-null", "environment", None),
        ("python-float", "environment.python", 3.11),
        ("distributions-array", "environment.distributions", ["numpy==2.3.1"]),
        ("distribution-null", "environment.distributions", {"numpy": None}),
        ("globals-object", "globals", {}),
        ("globals-int", "globals", [1]),
        ("arrays-count-true", "arrays.count", True),
        ("largest-array", "arrays.largest", []),
        ("shape-float", "arrays.largest.shape", [2.0]),
        ("metadata-null", "metadata", None),
        ("metadata-array", "metadata", []),
        ("model-string", "model", "churn@3"),
        ("model-version-string", "model.version", "3"),
        ("model-version-true", "model.version", True),
        ("expires-int", "model.expires", 1_767_323_045),
        ("encryption-false", "encryption", False),
        ("crit-null", "crit", None),
        ("crit-int", "crit", [1]),
    ):
        shown = to_json(value).decode()
        yield refused(f"type-{name}", "wrong-type", f"{path} is {shown}.", full().put(path, value))
    rough = draft(Member(encoding="zlib"))
    yield refused("type-frame-true", "wrong-type", "A frame's length is true.", rough.put("members.0.frames", [True]))


def values() -> Iterator[Vector]:
    honest = draft()
    root, id_ = honest.manifest["payload"]["root"], honest.manifest["prelude"]["container_id"]
    for name, path, value in (
        ("v-0", "v", 0),
        ("v-2", "v", 2),
        ("id-upper-case", "prelude.container_id", id_.upper()),
        ("id-short", "prelude.container_id", id_[:-1]),
        ("id-uuid", "prelude.container_id", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        ("digest-sha512", "payload.digest", "sha512"),
        ("digest-upper-case", "payload.digest", "BLAKE3"),
        ("leaf-one-less", "payload.leaf", LEAF - 1),
        ("leaf-half", "payload.leaf", LEAF // 2),
        ("root-upper-case", "payload.root", root.upper()),
        ("root-short", "payload.root", root[:-2]),
        ("root-newline", "payload.root", root + "\n"),
        ("root-wide-digits", "payload.root", "\uff10" * 64),
        ("no-members", "members", []),
        ("kind-empty", "members.0.kind", ""),
        ("kind-65", "members.0.kind", "k" * 65),
        ("kind-upper-case", "members.0.kind", "File"),
        ("kind-space", "members.0.kind", "my file"),
        ("kind-newline", "members.0.kind", "file\n"),
        ("kind-arabic-digit", "members.0.kind", "file\u0661"),
        ("size-negative", "members.0.size", -21),
        ("offset-negative", "members.0.offset", -64),
        ("arrays-count-negative", "arrays.count", -1),
        ("globals-unsorted", "globals", ["sklearn.svm.SVC", "numpy.dtype"]),
        ("globals-twice", "globals", ["numpy.dtype", "numpy.dtype"]),
        ("model-version-0", "model.version", 0),
        ("model-version-negative", "model.version", -1),
    ):
        shown = to_json(value).decode()
        about = f"{path} is {shown}." if len(shown) < 70 else f"{path} is not what it may be."
        yield refused(f"value-{name}", "bad-value", about, full().put(path, value))


def times() -> Iterator[Vector]:
    for name, value in (
        ("offset", "2026-01-02T03:04:05+00:00"),
        ("no-zone", "2026-01-02T03:04:05"),
        ("fraction", "2026-01-02T03:04:05.5Z"),
        ("lower-case", "2026-01-02t03:04:05z"),
        ("space", "2026-01-02 03:04:05Z"),
        ("no-seconds", "2026-01-02T03:04Z"),
        ("basic", "20260102T030405Z"),
        ("one-digit", "2026-1-2T03:04:05Z"),
        ("month-13", "2026-13-02T03:04:05Z"),
        ("february-30", "2026-02-30T03:04:05Z"),
        ("hour-24", "2026-01-02T24:00:00Z"),
        ("newline", "2026-01-02T03:04:05Z\n"),
        ("wide-digits", "\uff12\uff10\uff12\uff16-01-02T03:04:05Z"),
        ("empty", ""),
    ):
        about = f"created is {to_json(value).decode()}."
        yield refused(f"created-{name}", "bad-value", about, draft().put("created", value))
    rough = full().put("model.expires", "2099-02-29T00:00:00Z")
    yield refused("expires-february-29", "bad-value", "A day that 2099 does not have.", rough)
    rough = full().put("model.expires", "2026-01-02T03:04:06Z")
    yield refused("expired", "expired", "The model expired a second after it was made.", rough)
    rough = full().put("model.expires", "1970-01-01T00:00:00Z")
    yield refused("expired-1970", "expired", "The model expired before it was made, at the clock's zero.", rough)


def crowd(count: int) -> Draft:
    return draft(*(Member(f"{index // 256:03}/{index % 256:03}", b"") for index in range(count)))
