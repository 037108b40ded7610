"""Mutations of values: numbers, texts, letters of dtypes, bytes, shapes."""

from __future__ import annotations

import io
import pickle
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

import safeload
from fuzz.arrays import FLOATS, INTEGERS, mutated_array
from fuzz.cuts import closed_copy, replaced
from fuzz.family import WRITERS
from fuzz.tokens import RAW, Token, fresh, read, write

if TYPE_CHECKING:
    import random

    from fuzz.nodes import Node, Tree
    from fuzz.pool import Pool

__all__ = ["MUTATIONS", "literal"]

Mutation = tuple[list[Token], str]
_LETTERS = re.compile(r"[<>|=]?[?bBhHiIlLqQefdgFDGSUVOMm]?[0-9]*\Z")
_DTYPE_TEXTS = (
    "f4", "f8", "i4", "i8", "u1", "u8", "O", "O8", "U9", "S1", "V8", "V0", "b1", "g", "c16", "M8", "m8", "<", ">", "|",
    "=", "V64", "f2", "i1", "F", "C",
)  # fmt: skip
_WORDS = ("", "x", "auto", "precomputed", "kd_tree", "brute", "F", "C", "nan", "mean", "uniform", "euclidean", "zero")
_ARRAYS = ("array", "object numpy.ndarray", "object numpy._core.numeric._frombuffer")
_FOREIGN = (b"{L\x00\x00", b"tree\nversion", b"CBM1")
_PATTERNS = (-1, 0, 1, 2**31, 2**31 - 1, 2**63 - 1, -(2**63), 10**7, 0x7FF8000000000000, 0x7FF0000000000000)


def literal(value: Any) -> Token:
    """The one opcode of a plain value."""
    if type(value) is str:
        text = value.encode("utf-8", "surrogatepass")
        return Token(0x58, b"X" + struct.pack("<I", len(text)) + text)
    raw = pickle.dumps(value, 2)[2:-1]
    return Token(raw[0], raw)


def _one(rng: random.Random, tree: Tree, *tags: str) -> Node | None:
    """A node of one of the kinds; half of the time an attribute, not what is deep inside of one."""
    choice = [node for tag in tags for node in tree.by_tag.get(tag, ())]
    if rng.random() < 0.5:
        choice = [node for node in choice if node.owner and node.key[-1:] != "#"] or choice
    return rng.choice(choice) if choice else None


def _put(tree: Tree, node: Node, value: Any) -> Mutation:
    shown = repr(value)
    text = f"{node.tag} at {node.path} = {shown[:60]}"
    return replaced(tree, node.start, node.end, [literal(value)]), text


def number(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _one(rng, tree, "int", "int", "float", "bool")
    if node is None:
        return None
    if node.tag == "int":
        old = _integer(tree, node.source or node)
        return _put(tree, node, rng.choice((*INTEGERS, old + 1, old - 1, 2 * old, old // 2, -old, 0.5, 3, 7)))
    if node.tag == "float":
        return _put(tree, node, rng.choice((*FLOATS, 1, -1)))
    return _put(tree, node, rng.choice((True, False, None, 2, -1)))


def _integer(tree: Tree, node: Node) -> int:
    raw = tree.tokens[node.start].raw
    value = pickle.loads(b"\x80\x02" + raw + b".") if raw else 0
    return value if type(value) is int else 0


def text(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = _one(rng, tree, "str")
    if node is None or (node.source or node).start in tree.guarded or len(node.parts):
        return None
    if _foreign(tree.tokens[(node.source or node).start]):
        return None
    if rng.random() < 0.3 and node.text and _LETTERS.match(node.text):
        return _put(tree, node, rng.choice(_DTYPE_TEXTS))
    way = rng.randrange(4)
    if way == 0:
        return _put(tree, node, rng.choice(_WORDS))
    if way == 1:
        return _put(tree, node, node.text[: rng.randrange(len(node.text) + 1)] + rng.choice(("", "_", "x")))
    others = tree.by_tag["str"] if way == 2 else [each for _, each in rng.choices(pool.places, k=40)]
    texts = [each.text for each in others if each.tag == "str"]
    return _put(tree, node, rng.choice(texts)) if texts else None


def another_type(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    node = rng.choice(tree.nodes)
    if node.parent is None or node.parent.tag == "global":
        return None
    if node.key == "()":
        return None
    values: tuple[Any, ...] = (None, True, 0, 1, -1, 0.5, "", "x", (), 2**40)
    return _put(tree, node, rng.choice(values))


def raw_bytes(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """Items of 1, 2, 4 or 8 bytes in place, as arrays and byte strings hold them."""
    places = [
        at for at, token in enumerate(tree.tokens) if _head(token) >= 0 and len(token.raw) > 8 and not _foreign(token)
    ]
    if not places:
        return None
    at = rng.choice(places)
    token = tree.tokens[at]
    head, raw = _head(token), bytearray(token.raw)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        width = rng.choice((1, 2, 4, 8, 8))
        count = (len(raw) - head) // width
        if count:
            place = head + width * rng.randrange(count)
            raw[place : place + width] = _item(rng, bytes(raw), place, width, head)
    return [*tree.tokens[:at], token._replace(raw=bytes(raw)), *tree.tokens[at + 1 :]], f"bytes of token {at}"


def _foreign(token: Token) -> bool:
    """The bytes or the text of a model of xgboost, lightgbm or catboost, which their C++ parses."""
    return any(token.raw.startswith(_FOREIGN, at) for at in (2, 5, 9))


def _head(token: Token) -> int:
    """Where the bytes of an array begin in a token, or -1."""
    if token.kind == RAW:
        return 1 + token.raw[0] if token.raw else -1
    return {0x43: 2, 0x42: 5, 0x8E: 9, 0x96: 9, 0x54: 5, 0x55: 2}.get(token.kind, -1)


def _item(rng: random.Random, raw: bytes, place: int, width: int, head: int) -> bytes:
    way = rng.randrange(3)
    if way == 0:
        return (rng.choice(_PATTERNS) % (1 << 8 * width)).to_bytes(width, "little")
    if way == 1:
        other = head + width * rng.randrange((len(raw) - head) // width)
        return raw[other : other + width]
    return (int.from_bytes(raw[place : place + width], "little") ^ (1 << rng.randrange(8 * width))).to_bytes(
        width, "little"
    )


def array(rng: random.Random, tree: Tree, pool: Pool) -> Mutation | None:
    """A whole array taken out, changed, and written as the writer of the stream would have written it."""
    node = _one(rng, tree, *_ARRAYS)
    found = None if node is None else _decoded(tree, node)
    if node is None or found is None:
        return None
    changed = mutated_array(found, rng)
    if changed is None:
        return None
    new, way = changed
    tokens = fresh(read(WRITERS[pool.writer](new))[1:-1])
    how = f"array at {node.path}: {way}, {found.dtype}{found.shape} -> {new.dtype}{new.shape}"
    return replaced(tree, node.start, node.end, tokens), how


def _decoded(tree: Tree, node: Node) -> Any:
    copy = closed_copy(tree, node)
    if copy is None:
        return None
    try:
        value = safeload.load_untrusted(io.BytesIO(write((tree.tokens[0], *copy, tree.tokens[-1]))))
    except safeload.SafeloadError:  # an earlier mutation was here
        return None
    return value if isinstance(value, np.ndarray) else None


MUTATIONS = ((number, 5), (text, 3), (another_type, 2), (raw_bytes, 4), (array, 7))
