"""What a key hashes to: numbers as the file has them, and a text's or object's parts, which tell it from others.

Nothing of the file is built but numbers, short texts, and tuples of such.
"""

from __future__ import annotations

import struct
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from safeload.readers.nodes import Alias, Bag, Global, Made
from safeload.readers.plain import CHOICES, plain_value

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from safeload.readers.data import Data
    from safeload.readers.nodes import Node

__all__ = ["Hash", "hash_of", "kind_of"]

_SCALAR = frozenset((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core"))
_PATHS = ("PurePath", "PurePosixPath", "PureWindowsPath")
# Their hashes are those of strings or bytes.
_SEEDED = frozenset(
    {("_codecs", "encode"), ("builtins", "bytes"), *(("datetime", name) for name in ("date", "datetime", "time"))}
    | {(module, name) for module in ("pathlib", "pathlib._local") for name in _PATHS}
)
_ENCODE = ("_codecs", "encode")
_FROZENSET = ("builtins", "frozenset")
_MEMBERS_MAX = 64
_COMPLEX = ("builtins", "complex")
# The letters of a little-endian dtype, and of struct. Dates as numbers, which they were before numpy 2.2.
_FORMATS = {
    "f2": "<e", "f4": "<f", "f8": "<d", "i1": "<b", "i2": "<h", "i4": "<i", "i8": "<q", "u1": "<B", "u2": "<H",
    "u4": "<I", "u8": "<Q", "b1": "<?", "c8": "<ff", "c16": "<dd", "M8": "<q",
}  # fmt: skip


class Hash(Enum):
    """Of an object: it may be seeded, so that nobody chooses it; a number's, which is computed; or unknown."""

    SEEDED = auto()
    NUMBER = auto()
    UNKNOWN = auto()


def kind_of(data: Data, node: Node) -> Hash:
    """Of anything but a plain value or a tuple."""
    if node.__class__ is Alias:
        node = node.node
    if node.__class__ is Global:
        return Hash.SEEDED
    members = _members(node)
    if members is not None:
        return Hash.NUMBER if any(data.view[member] in CHOICES for member in members) else Hash.SEEDED
    if node.__class__ is Made and node.source is not None and node.source.key in _SEEDED:
        args = node.args if isinstance(node.args, tuple) else ()
        # With a time zone, a date is what its numbers are.
        return Hash.UNKNOWN if len(args) > 1 and node.source.key[0] == "datetime" else Hash.SEEDED
    try:
        value = _value(data, node)
    except (_UnknownError, struct.error):
        return Hash.UNKNOWN
    return Hash.SEEDED if isinstance(value, bytes | tuple) else Hash.NUMBER


def hash_of(data: Data, node: Node) -> int:
    """The hash of a key that is neither deep nor large; if it is unknown, one that is unlike others."""
    try:
        return hash(_value(data, node))
    except (_UnknownError, struct.error):
        return hash(str(id(node)))


class _UnknownError(Exception):
    pass


def _value(data: Data, node: Node) -> Hashable:
    """Something that hashes alike, and unlike what the key is unlike."""
    if node.__class__ is int:
        return plain_value(data, node)
    if node.__class__ is tuple:
        return tuple([_value(data, item) for item in node])
    if node.__class__ is Alias:
        node = node.node
    if node.__class__ is Global:
        return node.key  # its hash is an address
    members = _members(node)
    if members is not None:
        return frozenset([_value(data, member) for member in members])
    if node.__class__ is Made and node.source is not None and node.args.__class__ is tuple:
        return _object(data, node.source.key, node.args)
    raise _UnknownError


def _members(node: Node) -> Sequence[int] | None:
    """Of a small frozenset of plain values: from protocol 4 on an opcode makes it, before that a call with a list."""
    bag: Any = node
    if isinstance(node, Made) and node.source is not None and node.source.key == _FROZENSET:
        bag = node.args[0] if isinstance(node.args, tuple) and len(node.args) == 1 else None
    elif not isinstance(node, Bag) or node.kind != "frozenset":
        return None
    small = isinstance(bag, Bag) and bag.plain and len(bag.items) <= _MEMBERS_MAX
    return bag.items if small else None


def _object(data: Data, key: tuple[str, str], args: tuple[Node, ...]) -> Hashable:
    if key in _SCALAR and len(args) == 2:
        return _scalar(data, args[0], args[1])
    if any(arg.__class__ is not int for arg in args):
        raise _UnknownError
    values = [_value(data, arg) for arg in args]
    if key == _COMPLEX and len(values) == 2:
        real, imaginary = values
        if isinstance(real, float) and isinstance(imaginary, float):
            return complex(real, imaginary)
    if key in _SEEDED:
        return key, *values
    raise _UnknownError


def _scalar(data: Data, dtype: Node, raw: Node) -> Hashable:
    """``scalar(dtype, bytes)``: numpy's numbers hash as Python's do."""
    letters, order = _dtype(data, dtype)
    content = _content(data, raw)
    if letters[:1] in ("U", "S"):
        return content
    if letters not in _FORMATS or order not in ("<", "|") or not isinstance(content, bytes):
        raise _UnknownError
    values = struct.unpack(_FORMATS[letters], content)
    return complex(*values) if len(values) == 2 else values[0]


def _dtype(data: Data, node: Node) -> tuple[str, str]:
    """Its letters and the order of its bytes, both empty where they are no plain texts."""
    made = node.node if isinstance(node, Alias) else node
    if not isinstance(made, Made) or not isinstance(made.args, tuple) or not isinstance(made.state, tuple):
        return "", ""
    letters = data.short_string(made.args[0]) if made.args else None
    order = data.short_string(made.state[1]) if len(made.state) > 1 else None
    return letters or "", order or ""


def _content(data: Data, node: Node) -> Hashable:
    """The bytes, by an opcode of their own or as protocols below 3 spell them."""
    made = node.node if isinstance(node, Alias) else node
    if isinstance(made, Made) and made.source is not None and made.source.key == _ENCODE and made.args:
        text = data.short_string(made.args[0]) if isinstance(made.args, tuple) else None
        if text is not None and all(letter < "\u0100" for letter in text):
            return text.encode("latin1")
    if not isinstance(node, int):
        raise _UnknownError
    return plain_value(data, node)
