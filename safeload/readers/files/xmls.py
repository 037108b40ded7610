"""XML, PMML above all: entities, references to other files, functions of somebody's own, extensions.

Source: https://dmg.org/pmml/v4-4-1. defusedxml refuses entities before they are expanded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safeload.readers.files.kinds import is_text
from safeload.readers.files.templates import is_template
from safeload.readers.files.texts import read_text
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safeload.readers.files.look import Look

__all__ = ["pieces", "read"]

_CHUNK, _PIECES, _TEMPLATE_MAX = 1 << 16, 16, 1 << 20
_DEPTH_MAX = 10_000
_INCLUDE = "{http://www.w3.org/2001/XInclude}include"
_REFERENCES = frozenset({"href", "{http://www.w3.org/1999/xlink}href", "schemaLocation"})


class _Target:
    """Given each element as it comes; keeps none."""

    def __init__(self, look: Look) -> None:
        self._look, self._depth, self.root = look, 0, ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise ValueError(f"elements stand in one another more than {_DEPTH_MAX:,} deep")
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        if tag == _INCLUDE or name == "TableLocator":
            self._look.once("external", 0, f"<{printable(name, 40)}> reads another file")
        for key in sorted(_REFERENCES & attributes.keys()):
            self._look.once("external", 0, f'<{printable(name, 40)}> refers to "{printable(attributes[key], 80)}"')
        if name == "Apply" and "." in attributes.get("function", ""):
            function = printable(attributes["function"], 80)
            self._look.once("custom-operation", 0, f'the function "{function}" is looked for among the classes of Java')
        if name == "Extension":
            who = printable(attributes.get("extender", "") or attributes.get("name", ""), 80)
            self._look.once("pmml-extension", 0, f"an extension of {who or 'nobody in particular'}")

    def end(self, tag: str) -> None:
        self._depth -= 1

    def data(self, text: str) -> None:
        """Numbers."""

    def pi(self, target: str, text: str | None = None) -> None:
        if target == "xml-stylesheet":
            self._look.once("external", 0, "a stylesheet is another file")

    def close(self) -> None:
        """Nothing was kept."""


def _is_text_in_brackets(root: str, data: bytes) -> bool:
    """HTML, or a template of chats, which may begin with a token in brackets; nothing that declares entities."""
    page = root.lower() in ("", "html") and b"<html" in data[:_CHUNK].lower()
    return page or (b"<!" not in data and not data.lstrip().startswith(b"<?") and is_template(data))


def pieces(view: memoryview) -> Iterator[bytes]:
    """What a parser is fed with, few times: expat begins anew with a token that ends in none of the pieces so far."""
    size = max(_CHUNK, -(-len(view) // _PIECES))
    for at in range(0, len(view), size):
        yield bytes(view[at : at + size])


def read(look: Look, view: memoryview) -> None:
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import XMLParser
    except ImportError:
        look.unread(0, "XML is read with defusedxml, which is not installed", extra="scan")
        return
    target = _Target(look)
    parser: Any = XMLParser(target=target, forbid_dtd=True)
    try:
        for piece in pieces(view):
            parser.feed(piece)
        parser.close()
    except DefusedXmlException as error:
        look.say("xml-entities", 0, f"a document type or entities are declared: {type(error).__name__}")
        look.unread(0, "what stands behind a document type is not read")
        return
    except Exception as error:  # SyntaxError of expat, ValueError, and what encodings raise
        if is_text(view) and _is_text_in_brackets(target.root, bytes(view[:_TEMPLATE_MAX])):
            look.part.kind = "text"
            read_text(look, view)
            return
        look.unread(0, f"the document cannot be read to its end: {printable(str(error), 80)}")
        return
    look.part.kind = "pmml" if target.root == "PMML" else "xml"
    look.span(0, len(view), "data")
