"""Numbers are bytes of any kind, and many of them begin like a pickle, a document or an archive by chance."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import struct
from typing import Any

import numpy as np
import pytest

from safeload.engine.tables import WATCHED
from safeload.limits import ScanLimits
from safeload.readers.files.look import Budget, Look
from safeload.readers.files.parts import Part
from safeload.readers.files.pickles import names_something
from safeload.readers.files.table import is_numbers, read_part

_MANY = 40_000
_PROGRAMS = 8_000


def look_at(view: memoryview) -> Look:
    part = Part((), "numbers", 0, len(view), view=view)
    return Look(part, [part], Budget(ScanLimits(), len(view)), read_part, WATCHED)


@pytest.mark.parametrize("kind", ["f4", "f8", "u1"])
def test_of_many_arrays_none_is_taken_for_anything_else(kind: str) -> None:
    """One in 1,000 was, by a memo key far away, a key that is no number, or a short pickle that names nothing."""
    generator = np.random.default_rng(0)
    shape = _MANY, 128
    rows = generator.integers(0, 256, shape) if kind == "u1" else generator.normal(size=shape)
    taken = []
    for row in rows.astype(kind):
        view = memoryview(row.tobytes())
        if names_something(look_at(view), view) or not is_numbers(look_at(view), view):
            taken.append(bytes(view[:16]))
    assert taken == []


def _texts() -> list[bytes]:
    made = []
    for text in (b"os", b"system", b"a", b"\xc3\xa9"):
        size = len(text)
        made += [b"\x8c" + bytes([size]) + text, b"X" + struct.pack("<I", size) + text, b"V" + text + b"\n"]
        made += [b"\x8d" + struct.pack("<Q", size) + text, b"U" + bytes([size]) + text, b"S'" + text + b"'\n"]
    return made


def _memo() -> list[bytes]:
    made = [b"\x94"]
    for key in (0, 1, 2, 3, 7, 300):
        made += [b"q" + bytes([key % 256]), b"h" + bytes([key % 256])]
        made += [kind + struct.pack("<I", key) for kind in (b"r", b"j")]
        made += [form % key for form in (b"p%d\n", b"g%d\n", b"p +%d \n", b"g 0%d\n", b"p%d\0z\n", b"g%d\0z\n")]
    return made


_PLAIN = [
    b"K\1",
    b"J\1\0\0\0",
    b"I 7 \n",
    b"I01\n",
    b"L5L\n",
    b"I1_0\n",
    b"F nan\n",
    b"\x8a\0",
    b"G" + bytes(8),
    b"C\0",
]
_FRAMES = [b"\x95" + struct.pack("<Q", size) for size in (0, 1, 3, 9)]
_OTHERS = [bytes([each]) for each in b"(012tld)]}\x85\x86\x87aesu\x8f\x90\x91N\x88\x89b\x98"]
_NAMED = [b"cos\nsystem\n", b"(ios\nsystem\n", b"\x8c\x02os\x8c\x06system\x93", b"S'os'\nV'x'\n\x93", b"h\0h\1\x93"]


class _Asked(pickle.Unpickler):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.names: list[str] = []

    def find_class(self, module: str, name: str) -> Any:
        self.names.append(f"{module}.{name}")
        return dict


@pytest.mark.once
def test_whatever_numbers_would_name_as_a_pickle_is_seen() -> None:
    """Odd programs of all opcodes before a name, which CPython's own unpickler runs."""
    chance, asked, missed = random.Random(0), 0, []  # noqa: S311  # the same each time
    kinds = [_texts(), _PLAIN, _memo(), _OTHERS, [*_OTHERS, *_FRAMES]]
    for _ in range(_PROGRAMS):
        program = [chance.choice(chance.choice(kinds)) for _ in range(chance.randrange(1, 9))]
        data = b"".join([chance.choice([b"", b"\x80\4"]), *program, chance.choice(_NAMED), b"."])
        unpickler = _Asked(data)
        with contextlib.suppress(Exception):
            unpickler.load()
        if any(all(part.isidentifier() for part in name.split(".")) for name in unpickler.names):
            asked += 1
            view = memoryview(data.ljust(300, b"\0"))
            missed += [] if names_something(look_at(view), view) else [data]
    assert asked > _PROGRAMS // 10
    assert missed == []
