"""Format 5: the manifest as JSON. Every file here is well signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testkit.container import Draft, draft, swapped, verbatim
from testkit.vector import Vector, accepted, refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def vectors() -> Iterator[Vector]:
    yield from encodings()
    yield from grammar()
    yield from duplicates()
    yield from numbers()
    yield from depth()
    yield from surrogates()


def noted(text: str) -> Draft:
    """A file whose metadata holds `text` as it is."""
    return draft().put("metadata", {"note": verbatim(text)})


def encodings() -> Iterator[Vector]:
    marked = draft().put("metadata", {"note": "@"}).raw()
    for name, about, piece in (
        ("bare-ff", "A byte that is in no UTF-8.", b"\xff"),
        ("latin-1", "A letter in Latin-1.", b"\xe9"),
        ("overlong", "A slash in two bytes.", b"\xc0\xaf"),
        ("surrogate", "Half of a surrogate pair in three bytes.", b"\xed\xa0\x80"),
        ("cesu-8", "A surrogate pair in six bytes.", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("above-10ffff", "A code point above U+10FFFF.", b"\xf4\x90\x80\x80"),
        ("cut", "A character that ends early.", b"\xe2\x82"),
    ):
        yield refused(f"utf8-{name}", "not-utf8", about, draft().seal(swapped(marked, b"@", piece)))
    raw = draft().raw()
    yield refused("utf8-bom", "not-utf8", "A byte order mark stands first.", draft().seal(b"\xef\xbb\xbf" + raw))
    utf16 = raw.decode().encode("utf-16")
    yield refused("utf16-bom", "not-utf8", "UTF-16 with its byte order mark.", draft().seal(utf16))
    utf16 = raw.decode().encode("utf-16-le")
    yield refused("utf16-bare", "not-json", "UTF-16 without a mark: zero bytes between letters.", draft().seal(utf16))


def grammar() -> Iterator[Vector]:
    raw = draft().raw()
    for name, about, text in (
        ("array", "An array that holds the manifest.", b"[" + raw + b"]"),
        ("empty-array", "An empty array.", b"[]"),
        ("null", "The value null.", b"null"),
        ("string", "A string.", b'"manifest"'),
        ("two-objects", "The manifest twice.", raw + raw),
        ("brace-after", "One closing brace too many.", raw + b"}"),
        ("nul-after", "A zero byte after the object.", raw + b"\0"),
        ("form-feed-after", "A form feed is no white space of JSON.", raw + b"\f"),
        ("no-break-space-before", "A no-break space is no white space of JSON.", b"\xc2\xa0" + raw),
        ("no-end", "The last brace is missing.", raw[:-1]),
        ("comma-after", "A comma after the last key.", raw[:-1] + b",}"),
        ("single-quotes", "A key in single quotes.", swapped(raw, b'"v":', b"'v':")),
        ("bare-key", "A key without quotes.", swapped(raw, b'"v":', b"v:")),
        ("comment", "A comment.", b"/* safeload */" + raw),
    ):
        yield refused(f"json-{name}", "not-json", about, draft().seal(text))
    for name, about, value in (
        ("leading-zero", "An integer with a leading zero.", "01"),
        ("plus", "A plus sign.", "+1"),
        ("hex", "A hexadecimal number.", "0x10"),
        ("bare-fraction", "A fraction without its integer.", ".5"),
        ("bare-point", "A point without its fraction.", "1."),
        ("underscore", "An underscore between digits.", "1_000"),
        ("undefined", "A word that is not JSON's.", "undefined"),
        ("capital-true", "Python's True.", "True"),
        ("raw-newline", "A newline inside a string, not escaped.", '"a\nb"'),
        ("raw-tab", "A tab inside a string, not escaped.", '"a\tb"'),
        ("bad-escape", "An escape that JSON does not have.", '"\\x41"'),
        ("short-escape", "A Unicode escape of three digits.", '"\\u041"'),
    ):
        yield refused(f"json-{name}", "not-json", about, noted(value))


def duplicates() -> Iterator[Vector]:
    raw = draft().raw()
    for name, about, text in (
        ("top", "The key v twice, with one value.", swapped(raw, b'"v":1', b'"v":1,"v":1')),
        ("other-value", "The key created twice.", raw[:-1] + b',"created":"2030-01-01T00:00:00Z"}'),
        ("escaped", "The key v twice, once as an escape.", swapped(raw, b'"v":1', b'"v":1,"\\u0076":1')),
        ("member", "A member has two sizes.", swapped(raw, b'"size":', b'"size":1,"size":')),
        ("extension", "An extension key twice.", raw[:-1] + b',"x-a":1,"x-a":1}'),
    ):
        yield refused(f"duplicate-{name}", "duplicate-key", about, draft().seal(text))
    yield refused("duplicate-deep", "duplicate-key", "Deep in the metadata.", noted('[{"a":[{"b":1,"b":2}]}]'))
    yield refused("duplicate-empty", "duplicate-key", "The empty key twice.", noted('{"":1,"":1}'))
    rough = draft().put("x-note", verbatim('{"a":1,"a":1}'))
    yield refused("duplicate-in-extension", "duplicate-key", "Inside of an extension that nobody reads.", rough)


def numbers() -> Iterator[Vector]:
    for name, about, text in (
        ("nan", "NaN.", "NaN"),
        ("infinity", "Infinity.", "Infinity"),
        ("minus-infinity", "Minus infinity.", "-Infinity"),
        ("overflow", "A number that no double can hold.", "1e400"),
        ("minus-overflow", "Its negative.", "-1E400"),
        ("overflow-digits", "The same, written out with a point.", "1" + "0" * 400 + ".0"),
        ("2-to-64", "2^64, one above the largest integer.", "18446744073709551616"),
        ("below-int64", "One below the smallest integer.", "-9223372036854775809"),
        ("5000-digits", "An integer of 5,000 digits.", "1" + "0" * 4999),
    ):
        yield refused(f"number-{name}", "number", about, noted(text))
    rough = draft().put("members.0.offset", 1 << 64)
    yield refused("number-offset-2-to-64", "number", "An offset of 2^64.", rough)
    rough = draft().put("x-note", verbatim("NaN"))
    yield refused("number-in-extension", "number", "NaN inside of an extension that nobody reads.", rough)
    for name, about, text in (
        ("largest", "2^64 - 1, the largest integer.", "18446744073709551615"),
        ("smallest", "-2^63, the smallest integer.", "-9223372036854775808"),
        ("zeros", "Zeros of every form.", "[0,-0,0.0,-0.0,0e0,0E+5,-0e-5]"),
        ("floats", "Floats of every form.", "[1.5,1e3,1E+3,-1e-3,1.7976931348623157e308,5e-324,1e-400]"),
    ):
        yield accepted(f"number-{name}", about, noted(text))
    rough = draft().put("members.0.offset", verbatim("-0"))
    yield accepted("number-offset-minus-zero", "An offset of -0: an integer, and 0.", rough)


def depth() -> Iterator[Vector]:
    # The manifest is the first level, its metadata the second.
    for name, about, text in (
        ("33", "One level too many, all arrays.", "[" * 31 + "]" * 31),
        ("33-objects", "One level too many, all objects.", '{"a":' * 30 + "{}" + "}" * 30),
        ("100000", "Deep enough to exhaust a stack.", "[" * 100_000 + "]" * 100_000),
    ):
        yield refused(f"depth-{name}", "too-deep", about, noted(text))
    rough = draft().put("x-note", verbatim("[" * 32 + "]" * 32))
    yield refused("depth-in-extension", "too-deep", "One level too many, in an extension that nobody reads.", rough)
    yield accepted(
        "depth-32", "The 32 levels that are allowed.", noted("[" * 15 + '{"a":' * 15 + "1" + "}" * 15 + "]" * 15)
    )
    yield accepted("depth-in-a-string", "Brackets in a string are no levels.", noted('"\\"' + "[{" * 100 + '\\\\"'))


def surrogates() -> Iterator[Vector]:
    for name, about, text in (
        ("high", "The first half alone.", r'"\ud800"'),
        ("low", "The second half alone.", r'"\udfff"'),
        ("reversed", "The halves in the wrong order.", r'"\ude00\ud83d"'),
        ("high-then-letter", "A letter where the second half should be.", r'"\ud83d\u0041"'),
        ("key", "In a key.", r'{"\udc00":1}'),
    ):
        yield refused(f"surrogate-{name}", "surrogate", about, noted(text))
    rough = draft().put("members.0.name", verbatim(r'"\ud800"'))
    yield refused("surrogate-name", "surrogate", "In the name of a member.", rough)
    yield accepted("surrogate-pair", "A whole pair is one character.", noted(r'["\ud83d\ude00","\uD83D\uDE00"]'))
    yield accepted("surrogate-escaped", "A backslash, then the letters of an escape.", noted(r'"\\ud800"'))
