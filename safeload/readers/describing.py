"""What a call is given, in words: ``'curl ...', 5, a dict``. For people; nothing decides by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.readers import opcodes as op
from safeload.readers.nodes import Alias, Bag, Global, Made
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.data import Data
    from safeload.readers.nodes import Node

__all__ = ["arguments_of"]

_SHOWN = 4
_LETTERS = 120
_DEPTH = 3
_CONSTANTS = {op.NONE: "None", op.NEWTRUE: "True", op.NEWFALSE: "False"}
_TEXTS = {op.SHORT_BINUNICODE: 1, op.BINUNICODE: 4, op.BINUNICODE8: 8, op.BINSTRING: 4, op.SHORT_BINSTRING: 1}
_BYTES = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8}


def arguments_of(data: Data, source: Global) -> str:
    """The arguments of the first call of `source`; empty where it was not called."""
    args = source.arguments
    if args is None:
        return ""
    return _listed(data, args, _DEPTH) if isinstance(args, tuple) else _shown(data, args, _DEPTH)


def _listed(data: Data, items: tuple[Node, ...], depth: int) -> str:
    shown = [_shown(data, item, depth) for item in items[:_SHOWN]]
    return ", ".join([*shown, "..."] if len(items) > _SHOWN else shown)


def _shown(data: Data, node: Node, depth: int) -> str:
    if isinstance(node, Alias):
        node = node.node
    if isinstance(node, int):
        return _plain(data, node)
    if isinstance(node, Global):
        return printable(f"{node.module}.{node.name}", _LETTERS)
    if isinstance(node, tuple):
        return f"({_listed(data, node, depth - 1)})" if depth else "(...)"
    if isinstance(node, Bag):
        return f"a {node.kind}"
    if isinstance(node, Made) and node.source is not None:
        name = printable(f"{node.source.module}.{node.source.name}", _LETTERS)
        inner = _listed(data, node.args, depth - 1) if depth and isinstance(node.args, tuple) else "..."
        return f"{name}({inner})"
    return "an object"


def _plain(data: Data, token: int) -> str:
    kind = data.view[token]
    if kind in _CONSTANTS:
        return _CONSTANTS[kind]
    width = _TEXTS.get(kind) or _BYTES.get(kind)
    if width:
        return _text(data, token, width, is_bytes=kind in _BYTES)
    number = data.integer(token)
    if number is not None:
        return str(number)
    text = data.short_string(token)
    return "a number" if text is None else f"'{printable(text, _LETTERS)}'"


def _text(data: Data, token: int, width: int, *, is_bytes: bool) -> str:
    start = token + 1 + width
    end = min(start + data.number(token + 1, width), start + _LETTERS + 1, data.size)
    text = str(bytes(data.view[start:end]), "latin1" if is_bytes else "utf-8", "replace")
    return f"{'b' if is_bytes else ''}'{printable(text, _LETTERS)}'"
