"""codecs/joblib_stream.py: what joblib.dump writes, byte for byte, unless a frame of the C pickler ends elsewhere."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload.codecs.joblib_frames import framed, unframed
from safeload.codecs.joblib_stream import dump_stream
from safeload.engine.tables import WATCHED
from safeload.errors import CodecError
from safeload.readers.joblib import analyse
from test_repeats import MODELS
from testkit.estimators import same

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

EDGE = 64 << 10  # of a frame, and of what is written without one
ARRAY = np.arange(1_000.0)


def by_joblib(value: Any, protocol: int) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, protocol=protocol)
    return file.getvalue()


def by_us(value: Any, protocol: int) -> bytes:
    file = io.BytesIO()
    dump_stream(value, file, protocol)
    return file.getvalue()


def ordered(folder: Path) -> dict[str, Any]:
    mapped = np.memmap(folder / "mapped", "f8", "w+", shape=(30,))
    mapped[:] = range(30)
    grid = ARRAY.reshape(20, 50)
    return {
        "one": ARRAY,
        "twice": [ARRAY, ARRAY, {"again": ARRAY, "a view": ARRAY[:10]}],
        "rows, columns and others": [grid, grid.T, grid[::2], grid[:, ::3], grid.reshape(4, 5, 50).transpose(1, 0, 2)],
        "no item, no dimension": [np.zeros(0), np.zeros((3, 0), order="F"), np.array(5), np.array([], "U3")],
        "other items": [
            np.array(["2020-01-01"], "M8[D]"),
            np.array([1, 2], "m8[s]"),
            np.array(["a", "ünï"]),
            np.array([b"ab"]),
            np.zeros(3, [("a", "i1"), ("b", ">f8", (2,))]),
            np.array([1 + 2j]),
            np.array([True]),
            np.zeros(2, "V3"),
            np.float16(1.5),
        ],
        "objects": [np.array([ARRAY, None, "text"], dtype=object), np.array([[{}]], dtype=object)],
        "matrix": np.array([[1, 2]]).view(np.matrix),
        "mapped": [mapped, mapped],
        "masked": np.ma.masked_array(ARRAY, ARRAY > 5),
        "large texts and bytes": ["x" * EDGE, b"y" * (EDGE + 1), bytearray(3 * EDGE), ARRAY, "ü" * EDGE, ARRAY],
        "large ones one behind the other": [b"a" * EDGE] * 3 + ["b" * EDGE, b"c" * EDGE],
        "many texts": {
            f"word{n}": n for n in range(49_999)
        },  # of a multiple of 1,000 the C pickler writes one more batch
        "many arrays": [np.arange(n) for n in range(5_000)],
        "a cycle": _cycle(),
        "what a mark looks like": [int.from_bytes(bytes(range(16)) + b"\x01", "little"), b"\x8a\x11" * 40, ARRAY],
        "nothing": None,
    }


def _cycle() -> list[Any]:
    found: list[Any] = [ARRAY]
    found.append(found)
    return found


@pytest.mark.parametrize("protocol", [4, 5])
def test_values_of_all_kinds_are_written_as_joblib_does(protocol: int, tmp_path: Path) -> None:
    for name, value in ordered(tmp_path).items():
        assert by_us(value, protocol) == by_joblib(value, protocol), name


@pytest.mark.parametrize("name", MODELS)
def test_models_are_written_as_joblib_does(name: str) -> None:
    assert by_us(MODELS[name], pickle.DEFAULT_PROTOCOL) == by_joblib(MODELS[name], pickle.DEFAULT_PROTOCOL)


MADE: dict[str, Any] = {
    "text": lambda n: "t" * n,
    "bytes": lambda n: b"b" * n,
    "short text": lambda n: "s" * (n % 50),
    "array": lambda n: np.arange(n % 2_000),
    "the same array": lambda n: ARRAY,
    "numbers": lambda n: [*range(n % 6_000)],
    "number": lambda n: n,
}
recipes = st.tuples(st.sampled_from([*MADE]), st.integers(EDGE - 40, EDGE + 40))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(recipes, recipes), max_size=6))
def test_wherever_frames_end_joblib_reads_it_and_so_do_we(pairs: list[Any]) -> None:
    value = [tuple(MADE[kind](n) for kind, n in pair) for pair in pairs]
    written = by_us(value, 4)
    for loaded in (joblib.load(io.BytesIO(written)), safeload.load_untrusted(io.BytesIO(written))):
        assert same(loaded, value)
    mine, theirs = (analyse(memoryview(data), watch=WATCHED) for data in (written, by_joblib(value, 4)))
    assert [(one.dtype, one.shape) for one in mine.every_array()] == [
        (one.dtype, one.shape) for one in theirs.every_array()
    ]
    assert (mine.depth, len(mine.globals)) == (theirs.depth, len(theirs.globals))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 700))
def test_a_frame_may_end_at_each_byte_of_what_stands_for_an_array(more: int) -> None:
    """Opcodes of one byte each bring the frame's end to every place around the array."""
    value = [b"f" * (EDGE - 700), 1, [None] * more, ARRAY, ARRAY, [b"f" * (EDGE - 1_000 + more), ARRAY]]
    np.testing.assert_equal(joblib.load(io.BytesIO(by_us(value, 4))), value)


def test_it_is_written_where_the_file_stands() -> None:
    file, other = io.BytesIO(b"12345"), io.BytesIO(b"12345")
    for each in (file, other):
        each.seek(5)
    dump_stream([ARRAY, "x"], file, 4)
    joblib.dump([ARRAY, "x"], other, protocol=4)
    assert file.getvalue() == other.getvalue()


class Lends:
    """Of a user: all share one buffer, which has the numbers of whoever is asked."""

    buffer = np.zeros(0)

    def __init__(self, number: float) -> None:
        self.number = number

    def __getstate__(self) -> dict[str, Any]:
        self.buffer[...] = self.number
        return {"numbers": self.buffer}


class Grows:
    """Of a user: it enlarges an array that was there before."""

    def __init__(self, array: Any, shape: tuple[int, ...]) -> None:
        self.array, self.shape = array, shape

    def __reduce__(self) -> tuple[Any, ...]:
        self.array.resize(self.shape, refcheck=False)
        return list, ()


@pytest.mark.parametrize("size", [1, 1_000, 8_192, 8_193, 100_000])
def test_numbers_are_those_of_the_moment_in_which_they_came(size: int) -> None:
    Lends.buffer = np.zeros(size)
    assert by_us([Lends(1), Lends(2), Lends(3)], 4) == by_joblib([Lends(1), Lends(2), Lends(3)], 4)
    pairs = [[array, Grows(array, (2 * size, 2)), array] for array in (np.arange(float(size)), np.arange(float(size)))]
    assert by_us(pairs[0], 4) == by_joblib(pairs[1], 4)


def test_objects_in_arrays_are_those_of_the_moment_too() -> None:
    def value() -> list[Any]:
        items: list[Any] = [1]
        array = np.array([items, None], dtype=object)
        return [array, Appends(items), array]

    assert by_us(value(), 4) == by_joblib(value(), 4)


class Appends:
    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __reduce__(self) -> tuple[Any, ...]:
        self.items.append(2)
        return list, ()


def test_arrays_in_the_metadata_of_a_dtype_are_written_too() -> None:
    for size in (3, 20_000):
        dtype = np.dtype("f8", metadata={"about": np.arange(size)})
        value = [np.zeros(20_000, dtype), np.zeros(3, dtype)]
        loaded = joblib.load(io.BytesIO(by_us(value, 4)))
        assert np.array_equal(loaded[0].dtype.metadata["about"], np.arange(size))
        assert same(loaded, value)


class Refusing:
    def __reduce__(self) -> str:
        raise ValueError("not this one")


def test_what_cannot_be_pickled_leaves_nothing_behind(tmp_path: Path, team: Keys) -> None:
    for value in (Refusing(), [ARRAY, lambda: 1]):
        with pytest.raises(CodecError, match="cannot be pickled"):
            safeload.dump(value, tmp_path / "m.safeload", signer=team.key)
        assert not (tmp_path / "m.safeload").exists()


def test_protocols_without_frames_are_left_to_joblib(tmp_path: Path, team: Keys) -> None:
    for protocol in range(4):
        safeload.dump([ARRAY], tmp_path / "m.safeload", signer=team.key, protocol=protocol)
        assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub)[0], ARRAY)


FRAME, LARGE = b"\x95\5\0\0\0\0\0\0\0hello", b"B\0\0\1\0"


@pytest.mark.parametrize(
    ("piece", "parts"),
    [
        (FRAME, (b"hello", b"", 0)),
        (b"u.", (b"u.", b"", 0)),
        (b"", (b"", b"", 0)),
        (FRAME + LARGE, (b"hello", LARGE, EDGE)),
        (b"aa." + LARGE, (b"aa.", LARGE, EDGE)),
        (LARGE, (b"", LARGE, EDGE)),
        (b"u" + b"\x96" + EDGE.to_bytes(8, "little"), (b"u", b"\x96" + EDGE.to_bytes(8, "little"), EDGE)),
    ],
)
def test_pieces_of_the_pickler_are_taken_apart(piece: bytes, parts: tuple[bytes, bytes, int]) -> None:
    assert unframed(piece) == parts


@pytest.mark.parametrize("piece", [FRAME + b"12345", b"1234" + LARGE, b"x" * 40, FRAME + LARGE + LARGE])
def test_a_piece_of_another_shape_is_refused(piece: bytes) -> None:
    with pytest.raises(ValueError, match="otherwise than is known"):
        unframed(piece)


def test_short_opcodes_have_no_frame() -> None:
    assert [framed(b"abc"), framed(b"hello")] == [b"abc", FRAME]
