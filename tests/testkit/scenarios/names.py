"""Format 6: names of members. Every file here is well signed."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from testkit.container import Member, draft, verbatim
from testkit.vector import Vector, accepted, refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def vectors() -> Iterator[Vector]:
    yield from shapes()
    yield from characters()
    yield from devices()
    yield from twins()
    yield from allowed()


def wrong(slug: str, about: str, name: str) -> Vector:
    return refused(f"name-{slug}", "member-name", about, draft(Member(name)))


def shapes() -> Iterator[Vector]:
    yield wrong("empty", "No name.", "")
    yield wrong("absolute", "An absolute path.", "/etc/cron.d/job")
    yield wrong("folder", "A slash at the end.", "weights/")
    yield wrong("two-slashes", "An empty part.", "weights//layer")
    yield wrong("slash", "A slash alone.", "/")
    yield wrong("dot", "The folder itself.", ".")
    yield wrong("dot-inside", "A part that is a dot.", "weights/./layer")
    yield wrong("dot-dot", "The folder above.", "..")
    yield wrong("traversal", "A way out of the folder.", "../../.ssh/authorized_keys")
    yield wrong("traversal-inside", "A way out and back.", "weights/../../weights/layer")
    yield wrong("three-dots", "A part that ends with a dot.", "weights/...")
    yield wrong("dot-last", "Windows drops a dot at the end.", "model.bin.")
    yield wrong("dot-last-in-folder", "A folder that ends with a dot.", "weights./layer")
    yield wrong("space-last", "Windows drops a space at the end.", "model.bin ")
    yield wrong("space-first", "A space first.", " model.bin")
    yield wrong("space-first-in-file", "A part that begins with a space.", "weights/ layer")
    yield wrong("space", "A space alone.", " ")
    yield wrong("part-256", "A part of 256 bytes.", "n" * 256)
    yield wrong("part-256-utf8", "A part of 128 characters and 256 bytes.", "\u00e9" * 128)
    yield wrong("1025", "1,025 bytes in parts of 127.", "/".join(["n" * 127] * 7 + ["n" * 129]))
    yield wrong("not-nfc", "An accent as a character of its own.", unicodedata.normalize("NFD", "mod\u00e8le"))
    yield wrong("kelvin", "The Kelvin sign, which normalisation form C makes a K.", "\u212a")


def characters() -> Iterator[Vector]:
    for code in (0x00, 0x01, 0x0A, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F):
        yield wrong(f"control-{code:02x}", f"The control character U+{code:04X}.", f"model{chr(code)}bin")
    for slug, character in (
        ("backslash", "\\"),
        ("colon", ":"),
        ("star", "*"),
        ("question-mark", "?"),
        ("quote", '"'),
        ("less", "<"),
        ("greater", ">"),
        ("pipe", "|"),
    ):
        yield wrong(slug, f"The character {character}", f"model{character}bin")
    yield wrong("drive", "A drive of Windows.", "C:/model.bin")
    for code in (0x061C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069):
        yield wrong(f"bidi-{code:04x}", f"The bidirectional control U+{code:04X}.", f"model{chr(code)}nib")
    rough = draft().put("members.0.name", verbatim('"model\\u0000.bin"'))
    yield refused("name-nul-in-the-middle", "member-name", "A name that C would cut at the zero byte.", rough)


def devices() -> Iterator[Vector]:
    for name in ("CON", "prn", "Aux.txt", "nul.tar.gz", "COM0", "com9.bin", "LPT0", "lpt9", "weights/con", "nul/layer"):
        slug = name.lower().replace("/", "-in-").replace(".", "-")
        yield wrong(f"device-{slug}", f"Windows opens a device for {name}.", name)


def twins() -> Iterator[Vector]:
    for slug, about, first, second in (
        ("equal", "One name twice.", "model", "model"),
        ("case", "Names that differ in case.", "Model", "mODEL"),
        ("sharp-s", "Sharp s folds to ss.", "stra\u00dfe", "STRASSE"),
        ("long-s", "Long s folds to s.", "s", "\u017f"),
        ("ligature", "A ligature folds to its letters.", "\ufb01le", "file"),
        ("sigma", "Both small sigmas fold to one.", "\u03c2", "\u03c3"),
        ("cherokee", "Cherokee folds to capitals.", "\u13a0", "\uab70"),
        ("file-then-folder", "A file that is a folder too.", "model", "model/layer"),
        ("folder-then-file", "A folder that is a file too.", "model/layer", "model"),
        ("folder-far-above", "A file where a folder far above should be.", "a/b/c/d", "a"),
        ("folder-case", "A file where a folder should be, in another case.", "MODEL/layer", "model"),
    ):
        rough = draft(Member(first), Member("between"), Member(second))
        yield refused(f"twins-{slug}", "duplicate-name", about, rough)


def allowed() -> Iterator[Vector]:
    rough = draft(
        Member("n" * 255),
        Member("/".join(["n" * 127] * 8)),
        Member("\u00e9" * 127 + "/" + "\u00e9"),
        Member("z"),
    )
    yield accepted("names-longest", "255 bytes in a part, and 1,023 in all.", rough)
    rough = draft(Member("/".join(["n" * 127] * 7 + ["n" * 128])))
    yield accepted("name-1024", "1,024 bytes in all.", rough)
    names = (
        *(".hidden", "a b", "a..b", "...a", "-rf", "~", "$HOME", "%TEMP%", "a=b", "'", "`id`", "{}", "#", "&", ";"),
        *("console", "com", "com10", "lpt", "aux1", "xnul", "a.con", "con_", "nul-.txt"),
        *("mod\u00e8le", "\u6a21\u578b", "\u043c\u043e\u0434\u0435\u043b\u044c", "\U0001f600", "\u05d0\u05d1"),
    )
    rough = draft(*(Member(name) for name in names))
    yield accepted("names-unusual", "Names that look wrong and are not.", rough)
    rough = draft(Member("a/b/c"), Member("a/b/d"), Member("a/bc"), Member("ab"), Member("a.b"), Member("A/x"))
    yield accepted("names-folders", "Names that share folders, and one folder in another case.", rough)
