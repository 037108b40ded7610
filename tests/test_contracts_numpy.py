"""Random generators, masked arrays and dtypes come back as they were, and none of their states points elsewhere."""

from __future__ import annotations

import copy
import io
import pickle
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import numpy.random._pickle as ctors
import pytest

import safeload
from safeload.errors import CodecError, SafeloadError
from testkit.estimators import same
from testkit.forging import forged, forged_joblib
from testkit.mutations import assert_no_crash

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
CTOR: Any = ctors.__dict__["__bit_generator_ctor"]
GENERATOR_CTOR: Any = ctors.__dict__["__generator_ctor"]
RANDOM_STATE_CTOR: Any = ctors.__dict__["__randomstate_ctor"]


class Unmet:
    """Of this class no object is pickled: nothing is changed."""


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data))


def _mask_of(*arguments: Any, **keywords: Any) -> Any:
    return np.ma.masked_array(*arguments, **keywords)


def _round_trips(value: Any) -> list[Any]:
    written = [forged(value, Unmet, lambda r: r, protocol) for protocol in range(6)]
    for protocol in range(6):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        written.append(buffer.getvalue())
    return [_load(data) for data in written]


def _edited(state: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of `state` with `value` at `path`; ``...`` takes the item out."""
    state = copy.deepcopy(state)
    inner = state
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return state


def _forms(bits: Any, state: Any) -> list[tuple[Any, Callable[[Any], Any]]]:
    """Each object that has `state` as that of its bit generator, as numpy 2 and numpy 1.26 reduce it."""
    name, kind = type(bits).__name__, type(bits)
    random_state, generator = np.random.RandomState(bits), np.random.Generator(bits)
    whole = {**state, "has_gauss": 0, "gauss": 0.0} if type(state) is dict else state
    return [
        (bits, lambda r: (CTOR, (kind,), (state, None))),
        (bits, lambda r: (CTOR, (name,), state)),
        (generator, lambda r: (GENERATOR_CTOR, (name, CTOR), state)),
        (random_state, lambda r: (RANDOM_STATE_CTOR, (bits,), whole)),
        (random_state, lambda r: (RANDOM_STATE_CTOR, (name, CTOR), whole)),
    ]


# --- random generators, what is right -----------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_bit_generators_go_on_where_they_were(name: str) -> None:
    bits = getattr(np.random, name)(7)
    bits.random_raw(3)
    for loaded in _round_trips(bits):
        assert same(loaded, bits)
        expected, children = copy.deepcopy(bits), bits.seed_seq.spawn(0)
        assert loaded.random_raw(2000).tolist() == expected.random_raw(2000).tolist()
        assert loaded.seed_seq.entropy == bits.seed_seq.entropy
        assert children == []


@pytest.mark.parametrize("name", NAMES)
def test_generators_and_random_states_go_on_where_they_were(name: str) -> None:
    generator = np.random.Generator(getattr(np.random, name)(7))
    generator.integers(5, size=3, dtype=np.uint32)
    state = np.random.RandomState(getattr(np.random, name)(8))
    state.normal(size=3)
    for loaded in _round_trips(generator):
        assert same(loaded, generator)
        np.testing.assert_array_equal(loaded.normal(size=1000), copy.deepcopy(generator).normal(size=1000))
    for loaded in _round_trips(state):
        assert same(loaded, state)
        np.testing.assert_array_equal(loaded.normal(size=1000), copy.deepcopy(state).normal(size=1000))


@pytest.mark.parametrize("name", NAMES)
def test_generators_of_older_releases_load(name: str) -> None:
    bits = getattr(np.random, name)(7)
    np.random.Generator(bits).integers(5, size=3, dtype=np.uint32)
    for value, change in _forms(bits, bits.state):
        for protocol in range(6):
            loaded = _load(forged(value, type(value), change, protocol))
            assert type(loaded) is type(value)
            assert same(loaded, value)


def test_a_bit_generator_without_a_seed_sequence_comes_back_without() -> None:
    for bits in (np.random.Philox(key=5), np.random.RandomState(3)._bit_generator):
        for loaded in _round_trips(bits):
            assert loaded.seed_seq is None
            assert same(loaded, bits)


def test_two_generators_on_one_bit_generator_stay_together() -> None:
    bits = np.random.PCG64(1)
    for first, second in _round_trips([np.random.Generator(bits), np.random.Generator(bits)]):
        assert first.bit_generator is second.bit_generator


@pytest.mark.parametrize("position", [0, 1, 623, 624])
def test_every_position_of_a_twister_is_right(position: int) -> None:
    bits = np.random.MT19937(1)
    twisted: Any = bits.state
    for value, change in _forms(bits, _edited(twisted, ("state", "pos"), position)):
        _load(forged(value, type(value), change))


@pytest.mark.parametrize(
    "seed",
    [
        np.random.SeedSequence(5),
        np.random.SeedSequence(),
        np.random.SeedSequence([1, 2**70, 0]),
        np.random.SeedSequence((1, 2)),
        np.random.SeedSequence(np.arange(4)),
        np.random.SeedSequence(np.arange(4, dtype=np.uint32)),
        np.random.SeedSequence(0, pool_size=8),
        np.random.SeedSequence(2**3000),
        np.random.SeedSequence(3, spawn_key=(1, 2**40)),
        np.random.SeedSequence(5).spawn(3)[2].spawn(2)[1],
    ],
)
def test_seed_sequences_come_back_and_spawn_the_same_children(seed: Any) -> None:
    for loaded in _round_trips(seed):
        assert same(loaded.state, seed.state)
        np.testing.assert_array_equal(loaded.pool, seed.pool)
        ours, theirs = loaded.spawn(1)[0], copy.deepcopy(seed).spawn(1)[0]
        assert ours.generate_state(4).tolist() == theirs.generate_state(4).tolist()


# --- random generators, what is not -------------------------------------------------------------

NO_POSITIONS = (625, -1, 2**31 - 1, -(2**31), 2**64, 1.0, True, "1", None, np.int64(3), ...)
NOTHING: tuple[Any, ...] = (None, [], {}, 5, ...)
NO_HALVES = (2**32, -1, 0.5, None, "1", ...)
BAD_STATES: list[tuple[str, tuple[Any, ...], Any]] = [
    *[("MT19937", ("state", "pos"), value) for value in NO_POSITIONS],
    ("MT19937", ("state", "key"), np.zeros(623, np.uint32)),
    ("MT19937", ("state", "key"), np.zeros(625, np.uint32)),
    ("MT19937", ("state", "key"), np.zeros((624, 1), np.uint32)),
    ("MT19937", ("state", "key"), np.zeros(624, np.int32)),
    ("MT19937", ("state", "key"), np.zeros(624)),
    ("MT19937", ("state", "key"), [0] * 624),
    ("MT19937", ("state", "key"), None),
    ("MT19937", ("state", "key"), np.zeros(624, np.uint32)),  # zeros for ever: a normal number is never drawn
    ("MT19937", ("state", "extra"), 1),
    *[("Philox", ("buffer_pos",), value) for value in (5, -1, -(2**28), 2**31 - 1, None, ...)],
    ("Philox", ("buffer",), np.zeros(3, np.uint64)),
    ("Philox", ("buffer",), np.zeros(4, np.int64)),
    ("Philox", ("state", "counter"), np.zeros(1, np.uint64)),
    ("Philox", ("state", "key"), np.zeros(1, np.uint64)),
    ("Philox", ("state", "key"), np.zeros(4, np.uint64)),
    ("SFC64", ("state", "state"), np.zeros(1, np.uint64)),
    ("SFC64", ("state", "state"), np.zeros((), np.uint64)),
    ("SFC64", ("state", "state"), np.zeros(4)),
    *[
        (name, ("state", part), value)
        for name in ("PCG64", "PCG64DXSM")
        for part in ("state", "inc")
        for value in (2**128, -1, 0.5, "1", None, ...)
    ],
    *[
        (name, ("state", "inc"), value)
        for name in ("PCG64", "PCG64DXSM")
        for value in (0, 2, 2**127)  # an even step: from 0 come zeros for ever
    ],
    *[(name, ("uinteger",), value) for name in NAMES[1:] for value in NO_HALVES],
    *[(name, ("has_uint32",), value) for name in NAMES[1:] for value in (2, -1, True, None, ...)],
    *[(name, ("bit_generator",), value) for name in NAMES for value in ("MT1993", "", None, 5, ...)],
    *[(name, ("state",), value) for name in NAMES for value in NOTHING],
    *[(name, ("buffer_pos2",), 1) for name in NAMES],
]


@pytest.mark.parametrize(("name", "path", "value"), BAD_STATES)
def test_no_state_of_a_bit_generator_points_elsewhere(name: str, path: tuple[Any, ...], value: Any) -> None:
    bits = getattr(np.random, name)(7)
    for target, change in _forms(bits, _edited(bits.state, path, value)):
        for write in (forged, forged_joblib):
            with pytest.raises(CodecError):
                _load(write(target, type(target), change))


@pytest.mark.parametrize(("name", "path", "value"), BAD_STATES)
def test_numpy_does_not_see_the_state_that_a_generator_brings_before_it_was_checked(
    name: str, path: tuple[Any, ...], value: Any
) -> None:
    bits = getattr(np.random, name)(7)
    generator = np.random.Generator(bits)
    state = _edited(bits.state, path, value)
    # The second on a bit generator that was right when it was made.
    for target, args in ((generator, (name, CTOR)), ([bits, generator], (bits,))):
        with pytest.raises(CodecError, match=re.escape("the state of a numpy.random._pickle.__generator_ctor")):
            _load(forged(target, np.random.Generator, partial(_replaced, (GENERATOR_CTOR, args, state))))


def _replaced(reduction: tuple[Any, ...], _original: Any) -> tuple[Any, ...]:
    return reduction


OTHER_STATES: tuple[Any, ...] = (np.random.PCG64DXSM(7).state, np.random.MT19937(7).state, (), [], 5)


@pytest.mark.parametrize("state", OTHER_STATES)
def test_a_generator_takes_no_state_of_another_bit_generator(state: Any) -> None:
    generator = np.random.Generator(np.random.PCG64(7))
    reduction = (GENERATOR_CTOR, ("PCG64", CTOR), state)
    with pytest.raises(SafeloadError):
        _load(forged(generator, np.random.Generator, partial(_replaced, reduction)))


@pytest.mark.parametrize(("has_gauss", "gauss"), [(2, 0.0), (-1, 0.0), (True, 0.0), (1, "x"), (1, 1), (1, None)])
def test_the_spare_number_of_a_random_state_is_one(has_gauss: Any, gauss: Any) -> None:
    state = {**np.random.RandomState(1).get_state(legacy=False), "has_gauss": has_gauss, "gauss": gauss}
    target = np.random.RandomState(1)
    with pytest.raises(CodecError):
        _load(forged(target, np.random.RandomState, lambda r: (*r[:2], state)))


SEED = np.random.SeedSequence(5)
SEED_STATE: Any = SEED.__reduce_ex__(4)[2]


@pytest.mark.parametrize(
    "state",
    [
        5,
        (),
        SEED_STATE[:4],
        (*SEED_STATE, {}),
        (6, *SEED_STATE[1:]),
        ("5", *SEED_STATE[1:]),
        (None, *SEED_STATE[1:]),
        (-5, *SEED_STATE[1:]),
        (2 ** (32 * 5000), *SEED_STATE[1:]),
        ([5.0], *SEED_STATE[1:]),
        ([[5]], *SEED_STATE[1:]),
        (np.array([[5]]), *SEED_STATE[1:]),
        (np.array([5.0]), *SEED_STATE[1:]),
        (5, -1, *SEED_STATE[2:]),
        (5, "0", *SEED_STATE[2:]),
        (5, 0, np.zeros(4, np.uint32), 4, ()),
        (5, 0, SEED_STATE[2].astype(np.int64), 4, ()),
        (5, 0, SEED_STATE[2][:2].copy(), 4, ()),
        (5, 0, None, 4, ()),
        (5, 0, SEED_STATE[2], 2**30, ()),
        (5, 0, SEED_STATE[2], 3, ()),
        (5, 0, SEED_STATE[2], 4, (1,)),
        (5, 0, SEED_STATE[2], 4, []),
        (5, 0, SEED_STATE[2], 4, ("a",)),
    ],
)
def test_the_pool_of_a_seed_sequence_is_made_of_its_entropy(state: Any) -> None:
    with pytest.raises(CodecError):
        _load(forged(SEED, np.random.SeedSequence, lambda r: (*r[:2], state)))


BITS = np.random.PCG64(1)
ORDERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "bit generator without state": (BITS, lambda r: r[:2]),
    "bit generator of nothing": (BITS, lambda r: (CTOR, (), r[2])),
    "bit generator of another name": (BITS, lambda r: (CTOR, ("Generator",), r[2])),
    "bit generator of any class": (BITS, lambda r: (CTOR, (dict,), r[2])),
    "bit generator of another class": (BITS, lambda r: (CTOR, (np.random.MT19937,), r[2])),
    "bit generator with a number as seed": (BITS, lambda r: (*r[:2], (r[2][0], 5))),
    "bit generator with a longer state": (BITS, lambda r: (*r[:2], (*r[2], None))),
    "random state without state": (np.random.RandomState(1), lambda r: r[:2]),
    "random state of nothing": (np.random.RandomState(1), lambda r: (RANDOM_STATE_CTOR, (), r[2])),
    "random state of itself": (np.random.RandomState(1), lambda r: (RANDOM_STATE_CTOR, (5,), r[2])),
    "random state that calls": (np.random.RandomState(1), lambda r: (RANDOM_STATE_CTOR, ("MT19937", print), r[2])),
    "random state that calls itself": (
        np.random.RandomState(1),
        lambda r: (RANDOM_STATE_CTOR, ("MT19937", RANDOM_STATE_CTOR), r[2]),
    ),
    "random state of another's name": (np.random.RandomState(1), lambda r: (RANDOM_STATE_CTOR, ("PCG64",), r[2])),
    "generator of nothing": (np.random.Generator(BITS), lambda r: (GENERATOR_CTOR, ())),
    "generator that calls": (np.random.Generator(BITS), lambda r: (GENERATOR_CTOR, ("PCG64", print))),
    "seed sequence without state": (SEED, lambda r: r[:2]),
    "seed sequence of any class": (SEED, lambda r: (r[0], (dict, *r[1][1:]), r[2])),
    "seed sequence with early state": (SEED, lambda r: (r[0], (*r[1][:2], r[2]))),
}


@pytest.mark.parametrize("how", ORDERS)
def test_generators_are_made_in_one_way_only(how: str) -> None:
    value, change = ORDERS[how]
    with pytest.raises(SafeloadError):
        _load(forged(value, type(value), change))


# --- masked arrays ------------------------------------------------------------------------------

MASKED = _mask_of(np.arange(6.0).reshape(2, 3), mask=[[0, 1, 0], [1, 0, 0]], fill_value=9.0)
NESTED = np.dtype([("a", "<i4"), ("b", "<f8", (2,)), ("c", [("d", "S2"), ("e", "<U1")])])


def _masked_arrays() -> dict[str, Any]:
    arrays = {
        f"{code} {shape}": _mask_of(np.ones(shape).astype(code), mask=np.arange(np.prod(shape)) % 2 == 0)
        for code in ("?", "i1", "i8", "f4", "f8", "c16", "S3", "U2", "M8[ns]", "m8[s]")
        for shape in ((0,), (1,), (6,))
    }
    return arrays | {
        "matrix": MASKED,
        "fortran": _mask_of(np.asfortranarray(MASKED.data), mask=np.asfortranarray(MASKED.mask)),
        "one number": _mask_of(2.5, mask=True),
        "no mask": _mask_of([1, 2, 3]),
        "records": _mask_of(np.zeros(3, NESTED), mask=[True, False, True]),
        "filled records": _mask_of(np.zeros(2, [("a", "i4"), ("b", "f8")]), fill_value=(7, 2.5)),
        "objects": _mask_of(np.array([1, "a", None], object), mask=[True, False, False]),
        "objects filled": _mask_of(np.array([1, "a"], object), mask=[True, False], fill_value="x"),
    }


@pytest.mark.parametrize("name", _masked_arrays())
def test_masked_arrays_come_back(name: str) -> None:
    array = _masked_arrays()[name]
    for loaded in _round_trips(array):
        assert type(loaded) is np.ma.MaskedArray
        assert loaded.dtype == array.dtype
        assert same(np.asarray(loaded.data), np.asarray(array.data))
        assert same(np.ma.getmaskarray(loaded), np.ma.getmaskarray(array))
        assert same(np.asarray(loaded.fill_value), np.asarray(array.fill_value))


MASKED_STATE: Any = MASKED.__reduce__()[2]


def _at(place: int, value: Any) -> tuple[Any, ...]:
    return (*MASKED_STATE[:place], value, *MASKED_STATE[place + 1 :])


@pytest.mark.parametrize(
    "state",
    [
        (),
        5,
        MASKED_STATE[:6],
        _at(1, (2, 4)),
        _at(1, (-2, -3)),
        _at(1, (2**62, 4)),
        _at(1, (6,) + (1,) * 70),
        _at(1, 6),
        _at(2, "f8"),
        _at(2, np.dtype("f4")),
        _at(2, np.dtype("O")),
        _at(2, np.dtype([("a", "f8"), ("b", "O")])),
        _at(2, np.dtype(("f8", (2,)))),
        _at(4, MASKED_STATE[4][:-1]),
        _at(4, [1.0] * 6),
        _at(4, None),
        _at(4, 48),
        _at(5, MASKED_STATE[5][:-1]),
        _at(5, MASKED_STATE[5] + b"\0"),
        _at(5, b""),
        _at(5, None),
        _at(6, "nine"),
        _at(6, [1.0, 2.0]),
        _at(6, np.arange(3.0)),
        _at(6, {}),
    ],
)
def test_a_masked_array_has_the_bytes_that_its_shape_asks_for(state: Any) -> None:
    with pytest.raises(CodecError):
        _load(forged(MASKED, np.ma.MaskedArray, lambda r: (*r[:2], state)))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r[:2],
        lambda r: (r[0], (dict, *r[1][1:]), r[2]),
        lambda r: (r[0], (r[1][0], dict, *r[1][2:]), r[2]),
        lambda r: (r[0], (r[1][0], r[1][0], *r[1][2:]), r[2]),
        lambda r: (r[0], (*r[1][:2], (1000,), "b"), r[2]),
        lambda r: (r[0], (*r[1][:2], (0,), "O"), r[2]),
        lambda r: (r[0], r[1][:3], r[2]),
    ],
)
def test_masked_arrays_are_made_in_one_way_only(change: Any) -> None:
    with pytest.raises(SafeloadError):
        _load(forged(MASKED, np.ma.MaskedArray, change))


def test_the_fill_value_of_an_empty_masked_array_takes_no_memory_of_its_own() -> None:
    state = (1, (0,), np.dtype("S200000000"), False, b"", b"", None)
    with pytest.raises(CodecError):
        _load(forged(MASKED, np.ma.MaskedArray, lambda r: (*r[:2], state)))


# --- dtypes -------------------------------------------------------------------------------------

DTYPES: tuple[Any, ...] = (
    NESTED,
    np.dtype([("a", "i1"), ("b", "f8")], align=True),
    np.dtype([(("title", "a"), "i1"), ("b", "f8")]),
    np.dtype([("a", "i4", (2, 3)), ("o", "O")]),
    np.dtype([("o", "O"), ("p", "O", (2,))]),
    np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2]}),
    np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [8], "itemsize": 32}),
    np.dtype([]),
    np.dtype(("f8", (2, 3))),
    np.dtype([("a", [("b", [("c", ">i8")])])]),
    np.dtype("M8[25s]"),
    np.dtype("m8"),
    np.dtype("V0"),
    np.dtype("U1000"),
    np.dtype([("a", "M8[us]"), ("s", "S0")]),
)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes_come_back_with_offsets_flags_and_titles(dtype: Any) -> None:
    for loaded in _round_trips(dtype):
        assert loaded == dtype
        assert (loaded.fields, loaded.itemsize, loaded.alignment) == (dtype.fields, dtype.itemsize, dtype.alignment)
        assert (loaded.flags & 0xFF, loaded.isalignedstruct) == (dtype.flags & 0xFF, dtype.isalignedstruct)


@pytest.mark.parametrize("dtype", [each for each in DTYPES if each.itemsize and not each.subdtype], ids=str)
def test_arrays_of_every_dtype_come_back(dtype: Any) -> None:
    array = np.zeros((2, 2), dtype)
    for loaded in _round_trips(array):
        assert loaded.dtype == dtype
        assert repr(loaded) == repr(array)


F8, OBJECT = np.dtype("f8"), np.dtype("O")
WIDE = np.dtype("V200000000")


def _record(fields: Any, itemsize: Any, names: Any = None, flags: Any = 16) -> tuple[Any, ...]:
    return (3, "|", None, tuple(fields) if names is None else names, fields, itemsize, 1, flags)


def _sub(base: Any, shape: Any, itemsize: int = -1) -> tuple[Any, ...]:
    return (3, "|", (base, shape), None, None, itemsize, 1, 0)


@pytest.mark.parametrize(
    "state",
    [
        _record({"a": (F8, 4)}, 8),
        _record({"a": (F8, 8)}, 8),
        _record({"a": (F8, -1)}, 16),
        _record({"a": (F8, 2**31 - 4)}, 8),  # numpy's sum overflows, and the field passes
        _record({"a": (F8, 2**31 - 4)}, 2**31 - 1),
        _record({"a": (F8, 2**32)}, 8),
        _record({"a": (F8, 0)}, -1),
        _record({"a": (F8, 0)}, 2**31 - 1),
        _record({"a": (OBJECT, 0)}, 2**20),
        _record({"a": (OBJECT, 0), "b": (F8, 0)}, 8),
        _record({"a": (OBJECT, 0), "b": (OBJECT, 4)}, 16),
        _record({"a": (OBJECT, 0), "b": (np.dtype("V8"), 0)}, 8),
        _record({"a": (F8, 0), "hidden": (OBJECT, 8)}, 16, names=("a",)),
        _record({"a": (F8, 0)}, 8, names=("a", "b")),
        _record({"a": (F8, 0)}, 8, names=("a", "a")),
        _record({"a": (F8, 0)}, 8, names=["a"]),
        _record({5: (F8, 0)}, 8),
        _record({"a": (F8, 0, 5), 5: (F8, 0, 5)}, 8, names=("a",)),
        _record({"a": (F8, 0, "t")}, 8),
        _record({"a": (F8, 0.0)}, 8),
        _record({"a": (F8, True)}, 16),
        _record({"a": (F8,)}, 8),
        _record({"a": ("O", 0)}, 8),
        _record({"a": [F8, 0]}, 8),
        _record({"a": (F8, 1)}, 16, flags=0x80),
        _record(None, 8, names=("a",)),
        _record({"a": (np.dtype("i4"), 4), "b": (WIDE, 24)}, 4),
        _sub(F8, (2**31 - 1, 2**31 - 1)),
        _sub(F8, (-1,)),
        _sub(F8, [2]),
        _sub(F8, 2),
        _sub(F8, (2.0,)),
        _sub(F8, (True,)),
        _sub(F8, (1,) * 70),
        _sub(F8, OBJECT),
        _sub(F8, "O"),
        _sub(F8, {"a": ("O", 0)}),
        _sub(np.dtype("S0"), (2**30, 2**30)),
        _sub("f8", (2,)),
        _sub(F8, (2,), 8),
        (3, "|", (F8,), None, None, -1, 1, 0),
        (3, "|", 5, None, None, -1, 1, 0),
        (3, "|", None, None, None, 4, 1, 0),
        (3, "|", None, None, None, 2**31, 1, 0),
        (3, "x", None, None, None, -1, 1, 0),
        (2, "|", None, None, None, -1, 1, 0),
        (3, "|", None, None, None, "8", 1, 0),
        (3, "|", None, None, None, -1, 1),
        [],
        5,
    ],
)
@pytest.mark.parametrize("letters", ["V8", "f8", "O8"])
def test_no_dtype_has_a_field_beyond_its_item(letters: str, state: Any) -> None:
    if letters != "V8" and (state in ([], 5) or state[3] is not None or type(state[2]) is tuple):
        return
    if letters != "V8" and state[1] == "|" and len(state) == 8 and state[0] == 3 and state[5] == -1:
        return
    with pytest.raises(SafeloadError):
        _load(forged(NESTED, type(NESTED), lambda r: (np.dtype, (letters, False, True), state)))


@pytest.mark.parametrize(
    ("letters", "metadata"),
    [
        ("M8", None),
        ("M8", (None, ("ns", 1, 1))),
        ("M8", (None, (b"xs", 1, 1, 1))),
        ("M8", (None, (b"ns", 0, 1, 1))),
        ("M8", (None, (b"ns", -1, 1, 1))),
        ("M8", (None, (b"ns", 2**31, 1, 1))),
        ("m8", (None, (b"ns", 1, 7, 1))),
        ("m8", (None, (b"ns]", 1, 1, 1))),
        ("m8", (None, (5, 1, 1, 1))),
    ],
)
def test_the_unit_of_a_date_is_one_that_numpy_has(letters: str, metadata: Any) -> None:
    state = (4, "<", None, None, None, -1, -1, 0, metadata)
    with pytest.raises(CodecError):
        _load(forged(NESTED, type(NESTED), lambda r: (np.dtype, (letters, False, True), state)))


@pytest.mark.parametrize(
    "letters", ["S999999999", "U99999999", "V999999999", "f3", "O9", "T", "i4,f8", "8", "", "object"]
)
def test_no_dtype_is_larger_than_any_that_is_used(letters: str) -> None:
    state = (3, "|", None, None, None, -1, 1, 0)
    with pytest.raises(CodecError):
        _load(forged(NESTED, type(NESTED), lambda r: (np.dtype, (letters, False, True), state)))


@pytest.mark.parametrize("code", ["S0", "U0", "V0"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_items_without_bytes_are_not_filled_with_memory_that_nobody_wrote(code: str, protocol: int) -> None:
    plain = np.zeros(0, "S1")
    reduction: Any = plain.__reduce_ex__(protocol)
    if protocol == 5:
        reduction = (reduction[0], (b"", np.dtype(code), (1000,), "C"))
    else:
        reduction = (*reduction[:2], (1, (1000,), np.dtype(code), False, b""))
    with pytest.raises(CodecError):
        _load(forged(plain, np.ndarray, lambda r: reduction, protocol))


FUZZER = """
import copy, io, random, sys
import numpy as np
import safeload
from safeload.errors import SafeloadError
from testkit.forging import forged

chance = random.Random(int(sys.argv[1]))
names = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
values = [getattr(np.random, n)(1) for n in names] + [np.random.Generator(getattr(np.random, n)(2)) for n in names]
values += [np.random.RandomState(3), np.random.SeedSequence(5), np.random.SeedSequence(5).spawn(1)[0]]
record = np.dtype([("a", "i4"), ("b", "O"), ("c", "f8", (2,)), ("d", [("e", "S3")])])
values += [np.ma.masked_array(np.arange(6.0).reshape(2, 3), mask=[[0, 1, 0], [1, 0, 0]]), record]
values += [np.ma.masked_array(np.zeros(2, record), mask=True), np.zeros((2, 2), record), np.arange(6.0).reshape(2, 3)]
numbers = (0, 1, -1, 2, 5, 7, 624, 625, 2**31 - 1, -(2**31), 2**32, 2**62, 2**128)

def changed(value):
    if isinstance(value, np.ndarray) and value.ndim:
        return chance.choice([value[:-1].copy(), value[..., None].copy(), np.concatenate([value, value]), value * 0])
    if isinstance(value, np.dtype):
        return chance.choice([np.dtype("O"), np.dtype("f8"), np.dtype("S0"), record, np.dtype("V3"), np.dtype("i2")])
    if isinstance(value, (tuple, list)) and value:
        place = chance.randrange(len(value))
        return type(value)([*value[:place], changed(value[place]), *value[place + 1:]])
    if isinstance(value, dict) and value:
        name = chance.choice(list(value))
        return {**value, name: changed(value[name])}
    if isinstance(value, bytes):
        return chance.choice([value[:-1], value + b"a", b"", bytes(len(value)), value[::-1]])
    return chance.choice(numbers) if isinstance(value, (int, bool)) else chance.choice([value, None, "a", 2.5])

def used(value):
    if isinstance(value, np.random.BitGenerator):
        value = np.random.Generator(value)
    if isinstance(value, (np.random.Generator, np.random.RandomState)):
        value.normal(size=2000), value.permutation(9)
    elif isinstance(value, np.random.SeedSequence):
        value.generate_state(9), value.spawn(1)
    elif isinstance(value, np.dtype) and value.itemsize < 10**5:
        used(np.zeros(3, value))
    elif isinstance(value, np.ndarray) and value.nbytes < 10**6:
        repr(value), value.copy(), value.tolist(), value[::-1].copy()

loaded = refused = 0
for turn in range(int(sys.argv[2])):
    value = chance.choice(values)
    protocol = chance.randrange(2, 6)
    reduction = value.__reduce_ex__(2)
    change = lambda r: (*reduction[:2], changed(reduction[2]) if len(reduction) > 2 else chance.choice([None, {}]))
    try:
        result = safeload.load_untrusted(io.BytesIO(forged(value, type(value), change, protocol)))
    except SafeloadError:
        refused += 1
        continue
    loaded += 1
    try:
        used(result)
    except (ValueError, TypeError, IndexError) as error:
        pass
print(loaded, refused)
"""


@pytest.mark.parametrize("seed", range(3))
def test_changed_states_never_crash_the_process(seed: int) -> None:
    assert_no_crash(FUZZER, seed, 500)


ORDERED: dict[str, Any] = {
    "objects": np.asfortranarray(np.array([[1, 2, 3], ["a", "b", "c"]], object)),
    "objects of three dimensions": np.asfortranarray(np.arange(24).reshape(2, 3, 4).astype(object)),
    "transposed": np.array([[1, 2, 3], ["a", "b", "c"]], object).T,
    "records that hold objects": np.asfortranarray(np.array([[(1, "a"), (2, "b")], [(3, "c"), (4, "d")]], "i4,O")),
    "numbers": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "masked objects": np.ma.MaskedArray(
        np.asfortranarray(np.arange(6).reshape(2, 3).astype(object)), mask=np.asfortranarray([[0, 1, 0], [1, 0, 0]])
    ),
}


@pytest.mark.parametrize("name", ORDERED)
def test_items_stand_where_they_stood_in_whatever_order_they_lay(name: str) -> None:
    """numpy writes objects in the order of C, and raw items in that of memory: mixed frames came back scrambled."""
    value = ORDERED[name]
    for protocol in range(6):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        for data in (pickle.dumps(value, protocol), buffer.getvalue()):
            loaded = safeload.load_untrusted(io.BytesIO(data))
            expected = pickle.loads(pickle.dumps(value, protocol))
            assert loaded.tolist() == expected.tolist() == value.tolist()
            assert loaded.flags.f_contiguous == expected.flags.f_contiguous


@pytest.mark.parametrize("make", ["values", "describe", "stacked", "turned"])
def test_mixed_frames_keep_every_value_in_its_place(make: str) -> None:
    pandas: Any = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [1.5, None, 2.5]})
    made = {
        "values": lambda: frame.to_numpy(),
        "describe": lambda: frame.describe(include="all").T.to_numpy(),
        "stacked": lambda: frame.melt(id_vars="a").pivot(index="a", columns="variable", values="value").to_numpy(),
        "turned": lambda: frame.T.to_numpy(),
    }[make]()
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps({"x": made, "frame": frame.T})))
    assert repr(loaded["x"].tolist()) == repr(made.tolist())
    pandas.testing.assert_frame_equal(loaded["frame"], frame.T)
