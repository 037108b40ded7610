"""No array of pyarrow is longer than its memory, and none holds an offset, a text or an index that leads out of it."""

from __future__ import annotations

import pickle
import struct
from typing import TYPE_CHECKING, Any

import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeload.engine.contracts.arrow import GUARDS
from safeload.errors import CodecError, SafeloadError, UnsafeStreamError
from testkit.forged_frames import load
from testkit.forging import forged, with_state

if TYPE_CHECKING:
    from collections.abc import Callable

pd: Any = pandas
pa: Any = pyarrow
MANY = 2**40
TEXTS = pd.Series(["x", None, "yy", "\u00e9"], dtype="string[pyarrow]")
NUMBERS = pd.Series([1, None, 3], dtype="int64[pyarrow]")
TRUTHS = pd.Series([True, None, False], dtype="bool[pyarrow]")
NOTHING = pd.Series([None, None], dtype=pd.ArrowDtype(pa.null()))
GROUPS = pd.Series(["x", None, "y"], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
DIGITS = pd.Series([1, None], dtype=pd.ArrowDtype(pa.decimal128(5, 2)))
DAYS = pd.Series([0], dtype=pd.ArrowDtype(pa.date64()))
PARTS = ("kind", "length", "nulls", "offset", "buffers", "children", "dictionary")


def buffer(data: bytes) -> Any:
    return pa.py_buffer(data)


def offsets(*values: int) -> Any:
    return buffer(struct.pack(f"<{len(values)}q", *values))


def with_parts(**edits: Any) -> Callable[[Any], Any]:
    """Change what ``_restore_array`` is given."""

    def change(reduction: Any) -> Any:
        call, (parts,) = reduction[:2]
        return (call, (tuple(edits.get(name, part) for name, part in zip(PARTS, parts, strict=True)),))

    return change


def with_buffer(place: int, data: Any) -> Callable[[Any], Any]:
    def change(reduction: Any) -> Any:
        buffers = list(reduction[1][0][4])
        buffers[place] = data
        return with_parts(buffers=buffers)(reduction)

    return change


def kind_of(series: Any) -> type:
    return type(series.array._pa_array.combine_chunks())


def kind_buffers(series: Any) -> list[Any]:
    """Without those of a dictionary."""
    array = series.array._pa_array.combine_chunks()
    made: list[Any] = (array.indices if isinstance(array, pa.DictionaryArray) else array).buffers()
    return made


def refused(series: Any, change: Callable[[Any], Any]) -> SafeloadError:
    with pytest.raises(SafeloadError) as caught:
        load(forged(series, kind_of(series), change))
    return caught.value


def test_what_is_not_edited_loads() -> None:
    for series in (TEXTS, NUMBERS, TRUTHS, NOTHING, GROUPS, DIGITS, DAYS):
        loaded = load(forged(series, kind_of(series), with_parts()))
        assert repr(loaded) == repr(series)


@pytest.mark.parametrize("series", [TEXTS, NUMBERS, TRUTHS, GROUPS, DIGITS], ids=lambda each: str(each.dtype))
@pytest.mark.parametrize(
    "edits",
    [
        {"length": 1_000},
        {"length": MANY},
        {"length": 2**63 - 1},
        {"length": -1},
        {"length": True},
        {"length": 1.0},
        {"offset": 1_000},
        {"offset": MANY},
        {"offset": 2**63 - 1},
        {"offset": -1},
        {"nulls": -2},
        {"nulls": MANY},
        {"nulls": None},
        {"buffers": []},
        {"buffers": [None]},
        {"buffers": None},
        {"buffers": ()},
        {"children": [1]},
        {"children": None},
        {"kind": None},
        {"kind": "int64"},
        {"kind": pa.list_(pa.int64())},
        {"kind": pa.struct([("a", pa.int64())])},
        {"kind": pa.string_view()},
        {"dictionary": 5},
        {"dictionary": ()},
    ],
    ids=str,
)
def test_no_array_is_longer_than_its_memory(series: Any, edits: dict[str, Any]) -> None:
    refused(series, with_parts(**edits))


@pytest.mark.parametrize(
    "change",
    [
        with_buffer(1, offsets(0, 1, 1, 3, MANY)),
        with_buffer(1, offsets(0, 1, 1, 3, 6)),
        with_buffer(1, offsets(0, 3, 1, 3, 5)),
        with_buffer(1, offsets(-1, 1, 1, 3, 5)),
        with_buffer(1, offsets(0, 1, 1, 3, -5)),
        with_buffer(1, offsets(0, 1, 1, 3)),
        with_buffer(1, buffer(b"")),
        with_buffer(1, None),
        with_buffer(2, None),
        with_buffer(2, buffer(b"xyy")),
        with_buffer(2, buffer(b"xyy\xc3\x28")),
        with_buffer(2, buffer(b"x\xff\xff\xc3\xa9")),
        with_buffer(0, buffer(b"")),
        with_buffer(0, b"\x0d"),
        with_buffer(0, 1),
        with_parts(kind=pa.string()),
        with_parts(kind=pa.int64()),
        with_parts(kind=pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_no_offset_leads_out_of_the_texts_and_no_text_is_other_than_utf_8(change: Callable[[Any], Any]) -> None:
    refused(TEXTS, change)


@pytest.mark.parametrize("series", [TEXTS, NUMBERS, TRUTHS, GROUPS, DIGITS], ids=lambda each: str(each.dtype))
def test_an_empty_array_without_memory_is_given_some(series: Any) -> None:
    """Sorting one ended the process."""
    empty = series[:0]
    given = kind_of(empty)
    loaded = load(forged(empty, given, with_parts(buffers=[None] * len(kind_buffers(empty)), offset=0)))
    assert len(loaded.unique()) == len(loaded.drop_duplicates()) == len(loaded.fillna(series.iloc[0])) == 0
    if series is not GROUPS:  # which Arrow does not sort
        assert len(loaded.sort_values()) == 0
    assert all(part is not None for part in kind_buffers(loaded)[1:])


@pytest.mark.parametrize(
    "change",
    [
        with_buffer(1, buffer(struct.pack("<3i", 0, 0, 2))),
        with_buffer(1, buffer(struct.pack("<3i", 0, 0, -1))),
        with_buffer(1, buffer(struct.pack("<3i", 2**31 - 1, 0, 1))),
        with_buffer(1, buffer(struct.pack("<2i", 0, 0))),
        with_parts(dictionary=None),
        with_parts(dictionary=(pa.string(), MANY, 0, 0, [None, offsets(0), buffer(b"")], [], None)),
        with_parts(dictionary=(pa.int64(), 2, 0, 0, [None, offsets(1, 2)], [], None)),
        with_parts(kind=pa.dictionary(pa.int32(), pa.int64())),
    ],
)
def test_no_index_leads_out_of_a_dictionary(change: Callable[[Any], Any]) -> None:
    refused(GROUPS, change)


def test_values_that_their_type_cannot_have_are_refused() -> None:
    refused(DIGITS, with_buffer(1, buffer(b"\xff" * 15 + b"\x7f" + bytes(16))))
    refused(DAYS, with_buffer(1, offsets(1)))


def test_nulls_without_memory_are_no_more_than_an_index_can_count() -> None:
    refused(NOTHING, with_parts(length=MANY, nulls=MANY))
    refused(NOTHING, with_parts(buffers=[buffer(b"")]))


def test_how_many_values_are_null_is_counted_and_not_read() -> None:
    loaded = load(forged(NUMBERS, kind_of(NUMBERS), with_parts(nulls=0)))
    assert loaded.isna().sum() == 1


@pytest.mark.parametrize("index", [2**31 - 1, -1, 2, -(2**31)])
def test_an_index_below_a_null_is_put_right(index: int) -> None:
    """Arrow's validation does not look there; bringing two dictionaries together reads there, and ended the process."""
    data = struct.pack("<3i", 0, index, 1)
    loaded = load(forged(GROUPS, kind_of(GROUPS), with_buffer(1, buffer(data))))
    assert loaded.tolist() == ["x", pd.NA, "y"]
    raw = loaded.array._pa_array.combine_chunks().indices.buffers()[1]
    assert struct.unpack("<3i", raw.to_pybytes()[:12]) == (0, 0, 1)
    assert pd.concat([loaded, GROUPS]).nunique() == 2


def test_a_dictionary_has_values() -> None:
    """Of nulls it has none, and Arrow reads them all the same: an honest one ends the process, too."""
    with pytest.raises(CodecError):
        GUARDS["pyarrow.lib", "dictionary"](pa.int8(), pa.null(), False)


def test_columns_of_nulls_together_are_no_longer_than_an_index_can_be() -> None:
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.nulls(1 << 20)))
    few, many = pd.DataFrame(dict.fromkeys(range(4), column)), pd.DataFrame(dict.fromkeys(range(40), column))
    assert load(pickle.dumps(few)).shape == (1 << 20, 4)
    with pytest.raises(CodecError):
        load(pickle.dumps(many))


def test_sides_of_intervals_are_numbers_or_times() -> None:
    """A dictionary is decoded to be compared: 120 KB of file became 4 GB."""
    sides = {"left": pd.Index(GROUPS.array), "right": pd.Index(GROUPS.array), "closed": "right", "name": None}
    index = pd.interval_range(0, 3)
    with pytest.raises(CodecError):
        load(forged(index, type(index), lambda given: (given[0], (given[1][0], sides))))


def test_one_memory_is_not_in_two_arrays() -> None:
    """Each look is as long as the memory, and a name costs three bytes."""
    array = TEXTS.array._pa_array.combine_chunks()
    buffers = array.buffers()

    def share(reduction: Any) -> Any:
        return with_parts(buffers=buffers)(reduction)

    with pytest.raises(CodecError):
        load(forged([TEXTS, TEXTS.copy()], kind_of(TEXTS), share))


def test_a_bytearray_that_the_file_names_again_is_not_read_again() -> None:
    memory = bytearray(struct.pack("<20000q", *range(20_000)))

    class Named:
        def __reduce__(self) -> Any:
            return pa.lib.py_buffer, (memory,)

    columns = [NUMBERS.copy() for _ in range(20)]
    change: Callable[[Any], Any] = lambda given: with_parts(length=20_000, nulls=0, buffers=[None, Named()])(given)  # noqa: E731
    for protocol in (4, 5):
        with pytest.raises(UnsafeStreamError):
            load(forged(columns, kind_of(NUMBERS), change, protocol))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("py_buffer", ("text",)),
        ("py_buffer", (5,)),
        ("py_buffer", ()),
        ("type_for_alias", ("list",)),
        ("type_for_alias", ("string_view",)),
        ("type_for_alias", ("INT64",)),
        ("type_for_alias", (b"int64",)),
        ("type_for_alias", ("int64", "int64")),
        ("timestamp", ("us", "../../dev/zero")),
        ("timestamp", ("us", "UTC\n")),
        ("timestamp", ("us", b"UTC")),
        ("timestamp", ("us", "x" * 100)),
        ("timestamp", ("D", None)),
        ("timestamp", ("us",)),
        ("decimal128", (39, 0)),
        ("decimal128", (0, 0)),
        ("decimal128", (5, 6)),
        ("decimal128", (5, -(2**31))),
        ("decimal128", (5.0, 2)),
        ("decimal256", (77, 0)),
        ("binary", (0,)),
        ("binary", (-1,)),
        ("binary", (2**31,)),
        ("binary", ()),
        ("dictionary", (pa.string(), pa.string(), False)),
        ("dictionary", (pa.float64(), pa.string(), False)),
        ("dictionary", (pa.int8(), pa.list_(pa.int8()), False)),
        ("dictionary", (pa.int8(), pa.dictionary(pa.int8(), pa.int8()), False)),
        ("dictionary", (pa.int8(), pa.int8(), 1)),
        ("dictionary", ("int8", "int8", False)),
        ("_restore_array", ()),
        ("_restore_array", (None,)),
        ("_restore_array", ((),)),
    ],
    ids=str,
)
def test_types_and_memory_are_made_only_as_pyarrow_writes_them(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(CodecError):
        GUARDS["pyarrow.lib", name](*args)


@pytest.mark.parametrize("name", ["decimal32", "decimal64", "decimal128", "decimal256"])
def test_decimal_types_of_all_sizes_are_made(name: str) -> None:
    if not hasattr(pa, name):
        pytest.skip("a later release has it")
    assert GUARDS["pyarrow.lib", name](7, 2) == getattr(pa, name)(7, 2)


@pytest.mark.parametrize(
    "edits",
    [
        {"_dtype": pd.StringDtype("python")},
        {"_dtype": pd.ArrowDtype(pa.large_string())},
        {"_dtype": None},
        {"_pa_array": None},
        {"_pa_array": "abc"},
        {"_pa_array": ...},
        {"_readonly": 1},
        {"more": 1},
    ],
    ids=str,
)
def test_texts_of_pandas_are_what_their_dtype_says(edits: dict[str, Any]) -> None:
    with pytest.raises(SafeloadError):
        load(forged(TEXTS, type(TEXTS.array), with_state(**edits)))


@pytest.mark.parametrize(
    "edits",
    [
        {"_dtype": pd.ArrowDtype(pa.int32())},
        {"_dtype": pd.StringDtype("pyarrow")},
        {"_dtype": None},
        {"_pa_array": None},
        {"more": 1},
    ],
    ids=str,
)
def test_columns_of_pandas_are_what_their_dtype_says(edits: dict[str, Any]) -> None:
    with pytest.raises(SafeloadError):
        load(forged(NUMBERS, type(NUMBERS.array), with_state(**edits)))


def test_texts_are_no_numbers() -> None:
    with pytest.raises(SafeloadError):
        load(forged(TEXTS, type(TEXTS.array), with_state(_pa_array=NUMBERS.array._pa_array.combine_chunks())))


@pytest.mark.parametrize("edits", [{"pyarrow_dtype": None}, {"pyarrow_dtype": "int64"}, {"more": 1}], ids=str)
def test_dtypes_hold_a_type_and_nothing_else(edits: dict[str, Any]) -> None:
    with pytest.raises(SafeloadError):
        load(forged(NUMBERS.dtype, pd.ArrowDtype, with_state(**edits)))


def test_arrays_types_and_memory_come_back_outside_of_columns_too() -> None:
    for value in (pa.array(["x", None]), pa.int8(), pa.timestamp("us", "UTC")):
        assert load(pickle.dumps(value)) == value
    assert load(pickle.dumps(pa.py_buffer(b"x"))).to_pybytes() == b"x"


def test_one_array_is_not_in_a_hundred_columns() -> None:
    array = pa.array(["x", "y", "", "z"], pa.string())
    one = load(forged([TEXTS], type(TEXTS.array), with_state(_pa_array=array)))
    assert one[0].tolist() == ["x", "y", "", "z"]
    with pytest.raises(CodecError):
        load(forged([TEXTS.copy() for _ in range(100)], type(TEXTS.array), with_state(_pa_array=array)))


SMALL = st.integers(-2, 12) | st.sampled_from([2**31 - 1, 2**31, 2**62, -(2**63), 2**63 - 1])


@given(
    st.lists(SMALL, min_size=0, max_size=6),
    st.binary(max_size=8),
    st.none() | st.binary(max_size=2),
    st.integers(-1, 6),
    st.integers(-1, 6),
)
def test_whatever_is_written_an_array_that_loads_can_be_read(
    places: list[int], data: bytes, nulls: bytes | None, length: int, offset: int
) -> None:
    memory = [None if nulls is None else buffer(nulls), offsets(*places), buffer(data)]
    parts = with_parts(length=length, nulls=-1, offset=offset, buffers=memory)
    try:
        loaded = load(forged(TEXTS.array, kind_of(TEXTS), parts))
    except SafeloadError:
        return
    loaded._pa_array.validate(full=True)
    assert len(loaded.tolist()) == length
    assert all(value is pd.NA or value.encode() in data for value in loaded)
