"""Pickle's opcodes as numbers, and how long those are that push one plain value (PEP 307, 3154, 574)."""

from __future__ import annotations

import pickle
from typing import Final

__all__ = ["LARGE", "LEAF_SIZES", "TEXT_LEAVES", "opcode_name"]

MARK: Final = 0x28
STOP: Final = 0x2E
MEMOIZE: Final = 0x94
FRAME: Final = 0x95
NEXT_BUFFER: Final = 0x97
READONLY_BUFFER: Final = 0x98
PROTO: Final = 0x80
SHORT_BINUNICODE: Final = 0x8C
BINUNICODE: Final = 0x58
BINUNICODE8: Final = 0x8D
SHORT_BINBYTES: Final = 0x43
SHORT_BINSTRING: Final = 0x55
BINBYTES: Final = 0x42
BINBYTES8: Final = 0x8E
BYTEARRAY8: Final = 0x96
BINSTRING: Final = 0x54
BINGET: Final = 0x68
LONG_BINGET: Final = 0x6A
GET: Final = 0x67
BINPUT: Final = 0x71
LONG_BINPUT: Final = 0x72
PUT: Final = 0x70
EMPTY_TUPLE: Final = 0x29
TUPLE: Final = 0x74
TUPLE1: Final = 0x85
TUPLE2: Final = 0x86
TUPLE3: Final = 0x87
EMPTY_LIST: Final = 0x5D
EMPTY_DICT: Final = 0x7D
EMPTY_SET: Final = 0x8F
FROZENSET: Final = 0x91
LIST: Final = 0x6C
DICT: Final = 0x64
APPEND: Final = 0x61
APPENDS: Final = 0x65
SETITEM: Final = 0x73
SETITEMS: Final = 0x75
ADDITEMS: Final = 0x90
GLOBAL: Final = 0x63
STACK_GLOBAL: Final = 0x93
REDUCE: Final = 0x52
NEWOBJ: Final = 0x81
NEWOBJ_EX: Final = 0x92
BUILD: Final = 0x62
INST: Final = 0x69
OBJ: Final = 0x6F
LONG1: Final = 0x8A
LONG4: Final = 0x8B
NONE: Final = 0x4E
BININT: Final = 0x4A
BININT1: Final = 0x4B
BININT2: Final = 0x4D
NEWTRUE: Final = 0x88
NEWFALSE: Final = 0x89
BINFLOAT: Final = 0x47
INT: Final = 0x49
LONG: Final = 0x4C
FLOAT: Final = 0x46
STRING: Final = 0x53
UNICODE: Final = 0x56
BINPERSID: Final = b"Q"

# Whole length, opcode included, of those that push a value of fixed size; 0 for all others.
LEAF_SIZES: Final = bytes(
    {NONE: 1, NEWTRUE: 1, NEWFALSE: 1, BININT1: 2, BININT2: 3, BININT: 5, BINFLOAT: 9}.get(op, 0) for op in range(256)
)

# From here on a string is one object, however long, and its bytes are not counted as opcodes.
LARGE: Final = 4_096

# Those whose value is the rest of a line.
TEXT_LEAVES: Final = frozenset({INT, LONG, FLOAT, STRING, UNICODE})

_NAMES: Final = {
    getattr(pickle, name)[0]: name
    for name in pickle.__all__
    if name.isupper() and isinstance(getattr(pickle, name), bytes) and len(getattr(pickle, name)) == 1
}


def opcode_name(op: int) -> str:
    return _NAMES.get(op, f"byte 0x{op:02x}")
