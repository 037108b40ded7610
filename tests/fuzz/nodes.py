"""Which tokens make which object: every value of a stream with its span, its kind, and its place in the object above.

The spans nest, so that one can be taken out, doubled, or put in the place of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from fuzz.tokens import DEFINE, FETCH, NESTED, RAW, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Node", "Tree", "parse"]

_LEAVES = {
    "N": "none", "\x88": "bool", "\x89": "bool", "J": "int", "K": "int", "M": "int", "\x8a": "int", "\x8b": "int",
    "G": "float", "X": "str", "\x8c": "str", "\x8d": "str", "U": "bytes", "T": "bytes", "B": "bytes", "C": "bytes",
    "\x8e": "bytes", "\x96": "bytes", ")": "tuple", "]": "list", "}": "dict", "\x8f": "set", "c": "global",
}  # fmt: skip
_LENGTHS = {"X": 4, "\x8c": 1, "\x8d": 8}
_MARKED = {"t": "tuple", "\x91": "frozenset"}
_TUPLES = {"\x85": 1, "\x86": 2, "\x87": 3}
_MADE_OF_ARGUMENT = ("newObj", "_reconstructor", "__pyx_unpickle", "_ctor")


@dataclass(eq=False, slots=True, repr=False)
class Node:
    """The tokens ``start:end`` leave this value on the stack. ``text`` is a string's, or a global's dotted name."""

    start: int
    end: int
    tag: str
    text: str = ""
    parent: Node | None = None
    key: str = ""
    parts: list[Node] = field(default_factory=list)
    source: Node | None = None  # what a FETCH fetches
    build: int | None = None

    @property
    def path(self) -> str:
        names, node = [], self
        while node.parent is not None:
            names.append(node.key)
            node = node.parent
        return ".".join(reversed(names)) or "(root)"

    @property
    def owner(self) -> str:
        """The class of the object whose attribute this is, or nothing."""
        state = self.parent
        if state is None or state.tag != "dict" or state.key != "state" or state.parent is None:
            return ""
        return state.parent.tag


@dataclass(eq=False, repr=False)
class Tree:
    """A stream's tokens, and the nodes in the order in which they are complete."""

    tokens: list[Token]
    nodes: list[Node]
    defined: dict[int, Node]

    @cached_property
    def guarded(self) -> frozenset[int]:
        """Tokens of strings that name a global: their text is never changed."""
        found = set()
        for node in self.nodes:
            if node.tag == "global":
                found |= {(part.source or part).start for part in node.parts}
        return frozenset(found)

    @cached_property
    def attributes(self) -> list[Node]:
        """What objects have in a state that is a dict, at any depth."""
        return [node for node in self.nodes if node.owner and node.key[-1:] != "#"]

    @cached_property
    def by_tag(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.tag, []).append(node)
        return found


class _Parser:
    """The symbolic stack."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tree = Tree(tokens, [], {})
        self.stack: list[Node] = []
        self.marks: list[tuple[int, int]] = []

    def push(self, node: Node, *parts: Node, keys: Sequence[str] = ()) -> None:
        self.adopt(node, parts, keys)
        self.stack.append(node)
        self.tree.nodes.append(node)

    def adopt(self, node: Node, parts: Sequence[Node], keys: Sequence[str] = ()) -> None:
        for index, part in enumerate(parts):
            part.parent, part.key = node, keys[index] if index < len(keys) else f"[{len(node.parts)}]"
            node.parts.append(part)

    def taken(self) -> tuple[int, list[Node]]:
        start, height = self.marks.pop()
        items = self.stack[height:]
        del self.stack[height:]
        return start, items

    def fill(self, items: list[Node], end: int, *, keyed: bool) -> None:
        target = self.stack[-1]
        target.end = end
        if keyed:
            names = [(item.source or item).text or "?" for item in items[::2]]
            self.adopt(target, items, [part for name in names for part in (f"{name}#", name)])
        else:
            self.adopt(target, items)

    def make(self, at: int) -> None:
        arguments, callee = self.stack.pop(), self.stack.pop()
        name = (callee.source or callee).text
        given = arguments.source or arguments
        if given.parts and any(mark in name for mark in _MADE_OF_ARGUMENT):
            name = (given.parts[0].source or given.parts[0]).text or name
        self.push(Node(callee.start, at + 1, f"object {name}"), callee, arguments, keys=("()", "args"))

    def build(self, at: int) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        target.build, target.end = at, at + 1
        self.adopt(target, [state], ["state"])

    def step(self, at: int, token: Token) -> None:
        kind, raw, name = token
        if kind == DEFINE:
            self.tree.defined[name] = self.stack[-1]
            self.stack[-1].end = at + 1
        elif kind == FETCH:
            source = self.tree.defined[name]
            self.push(Node(at, at + 1, source.tag, source.text, source=source))
        elif kind in (RAW, NESTED):
            self.stack[-1].end, self.stack[-1].tag = at + 1, "array"
        else:
            self.opcode(at, chr(kind), raw)

    def opcode(self, at: int, code: str, raw: bytes) -> None:
        if code in _LEAVES:
            self.push(Node(at, at + 1, _LEAVES[code], _text(code, raw)))
        elif code == "(":
            self.marks.append((at, len(self.stack)))
        elif code in _MARKED:
            start, items = self.taken()
            self.push(Node(start, at + 1, _MARKED[code]), *items)
        elif code in _TUPLES:
            items = self.stack[-_TUPLES[code] :]
            del self.stack[-_TUPLES[code] :]
            self.push(Node(items[0].start, at + 1, "tuple"), *items)
        elif code in "ue\x90":
            self.fill(self.taken()[1], at + 1, keyed=code == "u")
        elif code in "as":
            size = 1 if code == "a" else 2
            items = self.stack[-size:]
            del self.stack[-size:]
            self.fill(items, at + 1, keyed=code == "s")
        elif code == "\x93":
            named, module = self.stack.pop(), self.stack.pop()
            text = f"{(module.source or module).text}.{(named.source or named).text}"
            self.push(Node(module.start, at + 1, "global", text), module, named)
        elif code in "R\x81":
            self.make(at)
        elif code == "\x92":
            self.stack.pop()
            self.make(at)
        elif code == "b":
            self.build(at)
        elif code == "0":
            self.stack.pop()


def _text(code: str, raw: bytes) -> str:
    if code == "c":
        return raw[1:-1].decode().replace("\n", ".")
    return raw[1 + _LENGTHS[code] :].decode("utf-8", "replace") if code in _LENGTHS else ""


def parse(tokens: list[Token]) -> Tree:
    """Raises IndexError or KeyError where the tokens are no stream."""
    parser = _Parser(tokens)
    for at, token in enumerate(tokens):
        parser.step(at, token)
    return parser.tree
