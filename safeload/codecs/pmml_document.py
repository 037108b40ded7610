"""A PMML document as the evaluator gets it: written anew from the elements that were looked at.

So there is one reading of the file, ours. Encodings, entities, comments and instructions are not there any more, and
neither are extensions, which the evaluator would pass over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO
from xml.sax.saxutils import escape, quoteattr

from safeload.codecs.base import missing
from safeload.errors import CodecError
from safeload.readers.files.xmls import pieces
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rewrite"]

_PMML = re.compile(r"(?:http://www\.dmg\.org/PMML-\d+(?:_\d+)*)?")
_PLAIN = re.compile(r'[^&<>"\t\n\r]*')
_PREFIX = re.compile(r"[A-Za-z_][\w.-]{0,50}", re.ASCII)
# What Java makes memory for by the number alone (PMML 4.4.1: arrays, matrices, and what stands in vectors).
_COUNTS = frozenset({
    "n", "nbCols", "nbRows", "numberOfAttributes", "numberOfClusters", "numberOfCoefficients", "numberOfFields",
    "numberOfLayers", "numberOfNeurons", "numberOfSupportVectors", "numberOfVectors",
})  # fmt: skip
_DIGITS_MAX, _CELLS = 18, 16


def rewrite(view: memoryview, file: TextIO) -> None:
    """Write the document in `view`, which the readers of scan took for PMML. Raises CodecError."""
    try:
        from defusedxml.ElementTree import XMLParser
    except ImportError as error:
        raise missing("a document of PMML", "pmml") from error
    parser: Any = XMLParser(target=_Writer(file, len(view)), forbid_dtd=True)
    for piece in pieces(view):
        parser.feed(piece)
    parser.close()


class _Name(NamedTuple):
    """An element's name, what declares its prefix, and whether it is passed over."""

    written: str
    declared: str
    extension: bool


class _Writer:
    """Given each element as it comes; keeps none."""

    def __init__(self, file: TextIO, size: int) -> None:
        self._write, self._size = file.write, size
        self._prefixes: dict[str, str] = {}
        self._names: dict[str, _Name] = {}
        self._passed_over = 0  # how deep within an extension
        self._root = True

    def start_ns(self, prefix: str, uri: str) -> None:
        if _PREFIX.fullmatch(prefix or ""):
            self._prefixes[uri] = prefix

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = self._names.get(tag) or self._named(tag)
        if self._passed_over or name.extension:
            self._passed_over += 1
            return
        if not _COUNTS.isdisjoint(attributes):
            self._check_counts(name.written, attributes)
        written = "".join(f" {key}={_quoted(value)}" for key, value in attributes.items() if key[0] != "{")
        if self._root:
            self._root = False
            written += f" xmlns={_quoted(_parted(tag)[0])}"
        self._write(f"<{name.written}{written}{name.declared}>")

    def end(self, tag: str) -> None:
        if self._passed_over:
            self._passed_over -= 1
        else:
            self._write(f"</{self._names[tag].written}>")

    def data(self, text: str) -> None:
        if not self._passed_over:
            self._write(escape(text, {"\r": "&#13;"}))

    def close(self) -> None:
        """Nothing was kept."""

    def _named(self, tag: str) -> _Name:
        """Rows of tables have names of their own, which the evaluator knows by their prefix too."""
        uri, name = _parted(tag)
        prefix = "" if _PMML.fullmatch(uri) else self._prefixes.get(uri, "")
        written, declared = (f"{prefix}:{name}", f" xmlns:{prefix}={_quoted(uri)}") if prefix else (name, "")
        self._names[tag] = _Name(written, declared, name == "Extension")
        return self._names[tag]

    def _check_counts(self, name: str, attributes: Mapping[str, str]) -> None:
        counts = {key: _count(attributes[key]) for key in _COUNTS & attributes.keys()}
        cells = counts.get("nbRows", 0) * counts.get("nbCols", 0)
        if max(counts.values()) > self._size or cells > _CELLS * self._size:
            raise CodecError(f"<{printable(name, 40)}> says that it is larger than the file that it stands in")


def _quoted(value: str) -> str:
    return f'"{value}"' if _PLAIN.fullmatch(value) else quoteattr(value)


def _count(text: str) -> int:
    """Java takes blanks and a sign, too; what is no number is none for Java either."""
    digits = text.strip().lstrip("+-")[: _DIGITS_MAX + 1]
    return int(digits) if digits.isdecimal() else 0


def _parted(tag: str) -> tuple[str, str]:
    uri, _, name = tag.rpartition("}")
    return uri.removeprefix("{"), name
