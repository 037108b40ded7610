"""Integers of which no two hash alike, and which lead to the same places of a dict's table all the same."""

from __future__ import annotations

import functools
import io
import pickle
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.errors import LimitError

pytestmark = pytest.mark.once

P4 = b"\x80\x04"
SIZE = 1 << 15


@functools.cache
def along_one_path() -> tuple[int, ...]:
    """15,000 integers that lie along the path of a table, and 6,500 which come to it when their hashes are used up.

    The table is as large from 10,923 keys on, up to 21,845.
    """
    path = [1]
    while len(path) < 15_000:
        path.append((path[-1] * 5 + 1) % SIZE)
    lies, first = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    lies[path], first[path[:7_500]] = True, True
    generator = np.random.default_rng(0)
    found: set[int] = set()
    while len(found) < 6_500:
        values = generator.integers(SIZE, 1 << 40, 1 << 21)
        values = values[lies[values % SIZE]]
        places, rest = values % SIZE, values
        while rest.any():
            rest = rest >> 5
            places = (places * 5 + rest + 1) % SIZE
            values, places, rest = (each[lies[places]] for each in (values, places, rest))
        found.update(values[first[places]].tolist())
    return *path, *sorted(found)[:6_500]


def pushed(behind: bytes) -> bytes:
    return b"".join(pickle.dumps(number, 2)[2:-1] + behind for number in along_one_path())


@pytest.mark.parametrize(
    "data",
    [
        P4 + b"}(" + pushed(b"N") + b"u.",
        P4 + b"}" + pushed(b"Ns") + b".",
        P4 + b"(" + pushed(b"N") + b"d.",
        P4 + b"}(" + b"".join(b"\x8c\x05%05dN" % n for n in range(300)) + b"u(" + pushed(b"N") + b"u.",
        P4 + b"}(" + b"".join(b"\x8c\x05%05dN" % n for n in range(300)) + pushed(b"N") + b"u.",
        P4 + b"ccollections\nOrderedDict\n)R(" + pushed(b"N") + b"u.",
    ],
    ids=["many at once", "one by one", "DICT", "with strings", "among strings", "an ordered dict"],
)
def test_integers_along_one_path_are_refused(data: bytes) -> None:
    assert len(set(map(hash, along_one_path()))) == 21_500
    with pytest.raises(LimitError, match="each other's way"):
        safeload.load_untrusted(io.BytesIO(data))


def test_numbers_are_found_among_many_words() -> None:
    words = [b"\x8c\x06%06dN" % n for n in range(100_000)]
    numbers = [pickle.dumps(n * ((1 << 61) - 1), 2)[2:-1] + b"N" for n in range(8_000)]
    mixed = b"".join(word + numbers[n // 12] if n % 12 == 0 and n < 96_000 else word for n, word in enumerate(words))
    with pytest.raises(LimitError, match="each other's way"):
        safeload.load_untrusted(io.BytesIO(P4 + b"}(" + mixed + b"u."))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_long_list_of_what_hashes_alike_becomes_no_set(protocol: int) -> None:
    alike = [n * ((1 << 61) - 1) for n in range(21_000)]
    data = pickle.dumps(alike, 2)
    assert data[:3] == b"\x80\x02]"
    call = b"c__builtin__\nset\n" if protocol == 2 else b"cbuiltins\nset\n"
    forged = b"\x80%c" % protocol + call + data[2:-1] + b"\x85R."
    with pytest.raises(LimitError, match="each other's way"):
        safeload.load_untrusted(io.BytesIO(forged))


@pytest.mark.parametrize(
    "value",
    [
        dict.fromkeys(range(100_000)),
        dict.fromkeys(n * 0.001 for n in range(100_000)),
        dict.fromkeys((n + 1) ** 9 % (1 << 64) for n in range(100_000)),
        {(n + 1) ** 9 % (1 << 64) for n in range(100_000)},
        {n << 22 for n in range(100_000)},
        dict.fromkeys(n << 39 for n in range(100_000)),
        dict.fromkeys((n % 60 - 30, n // 60 % 60 - 30, n // 3_600) for n in range(100_000)),
        dict.fromkeys([*(f"word {n}" for n in range(50_000)), *range(50_000)]),
    ],
    ids=["integers", "floats", "ids", "a set of ids", "a set of multiples", "multiples", "a grid", "words and numbers"],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_many_keys_that_people_have_load(value: Any, protocol: int) -> None:
    result = safeload.load_untrusted(io.BytesIO(pickle.dumps(value, protocol)))
    assert result == value
