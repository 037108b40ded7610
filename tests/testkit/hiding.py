"""Gadgets, and the ways in which a stream may use one: called, instantiated, nested, compressed, behind others."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np

__all__ = [
    "BOOSTERS",
    "CALLS",
    "GADGETS",
    "INSTANTIATED",
    "P4",
    "REFERENCED",
    "nested",
    "sbu",
    "stack_global",
    "text_global",
]

P4 = b"\x80\x04"
GADGETS = [
    tuple(line.split("\t")[:2])
    for line in (Path(__file__).parent.parent / "data" / "gadgets.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
# Listed for what happens when something is done *to* them; docs/threat-model.md says why they may be referenced.
REFERENCED = {("joblib.numpy_pickle", "NumpyArrayWrapper"), ("numpy", "prod")}
# Discrete distributions hold one; without their state, or called, it is refused by the loader.
INSTANTIATED = {("numpy", "vectorize")}
# Policy.default() lets these be made, of text that their library checks; what such a stream lacks is that state.
BOOSTERS = {("lightgbm.basic", "Booster")}


def sbu(text: str) -> bytes:
    data = text.encode()
    return (b"\x8c" + bytes([len(data)]) if len(data) < 256 else b"X" + struct.pack("<I", len(data))) + data


def stack_global(module: str, name: str) -> bytes:
    return sbu(module) + sbu(name) + b"\x93"


def text_global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def nested(stream: bytes) -> bytes:
    """`stream` in the place of the pickle that stands behind an object array."""
    buffer = io.BytesIO()
    joblib.dump(np.array([None], dtype=object), buffer)
    outer = buffer.getvalue()
    # The nested pickle reaches to the STOP of the outer one, which is the last byte.
    return outer[: outer.index(b"\x80\x05")] + stream + outer[-1:]


Disguise = Callable[[str, str], bytes]
CALLS: dict[str, Disguise] = {
    "called": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R.",
    "called, protocol 0": lambda m, n: text_global(m, n) + b"(S'true'\ntR.",
    "called, names from the memo": lambda m, n: (
        P4 + sbu(m) + b"\x94" + sbu(n) + b"\x94" + b"00h\x00h\x01\x93" + sbu("true") + b"\x85R."
    ),
    "instantiated": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85\x81.",
    "instantiated with keywords": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85}\x92.",
    "INST": lambda m, n: f"(S'true'\ni{m}\n{n}\n.".encode(),
    "OBJ": lambda m, n: b"(" + text_global(m, n) + b"S'true'\no.",
    "behind copyreg": lambda m, n: (
        P4
        + stack_global("copyreg", "_reconstructor")
        + stack_global(m, n)
        + stack_global("builtins", "object")
        + b"N\x87R."
    ),
    "in a nested stream": lambda m, n: nested(P4 + stack_global(m, n) + sbu("true") + b"\x85R."),
    "popped": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R0K\x01.",
    "before a broken end": lambda m, n: P4 + stack_global(m, n) + sbu("true") + b"\x85R\xff\xff",
    "compressed": lambda m, n: zlib.compress(P4 + stack_global(m, n) + sbu("true") + b"\x85R."),
    "through map": lambda m, n: (
        P4 + b"](" + stack_global("builtins", "map") + stack_global(m, n) + sbu("true") + b"\x85\x86Re."
    ),
    "as a default factory": lambda m, n: (
        P4 + stack_global("collections", "defaultdict") + stack_global(m, n) + b"\x85R."
    ),
    "in a partial": lambda m, n: P4 + stack_global("functools", "partial") + stack_global(m, n) + b"\x85R.",
}
