"""The analysis of streams: what it sees, and that it sees what CPython's unpickler does."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload.errors import LimitError, StreamError
from safeload.readers.buffer import Buffer
from safeload.readers.joblib import analyse
from testkit.estimators import plain_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.observations import Stream

P4 = b"\x80\x04"


def sbu(text: str) -> bytes:
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data


def seen(data: bytes) -> Stream:
    return analyse(memoryview(data))


def names(data: bytes) -> list[tuple[str, str]]:
    return [(used.path, used.use.words) for used in seen(data).globals]


FACTS: dict[str, bytes] = {
    "computed-name": P4 + sbu("os") + b"\x8c\x01a\x85\x93.",
    "odd-name": P4 + sbu("os") + sbu("path join") + b"\x93.",
    "call-on-value": P4 + b"K\x01)R.",
    "build-on-value": P4 + sbu("os") + sbu("x") + b"\x93}b.",
    "built-twice": P4 + sbu("a") + sbu("B") + b"\x93)\x81}b}b.",
    "fill-on-value": P4 + b"K\x01K\x02a.",
    "memo-overwritten": P4 + b"K\x01q\x00q\x00.",
    "stack-at-stop": P4 + b"K\x01K\x02.",
    "frame-crossed": P4 + b"\x95" + struct.pack("<Q", 3) + b"K\x01K\x02\x86.",
    "proto-inside": P4 + b"\x80\x04K\x01.",
    "extension": P4 + b"\x82\x01.",
    "persistent-id": P4 + b"K\x01Q.",
    "out-of-band": b"\x80\x05\x97.",
    "dup": P4 + b"K\x012\x86.",
    "inst": b"(ios\nsystem\n.",
    "obj": b"(cos\nsystem\no.",
    "huge-integer": P4 + b"\x8b" + struct.pack("<I", 70_000) + bytes(70_000) + b".",
    "odd-text": b"I0x1\n.",
    "external-array": P4 + sbu("joblib.numpy_pickle_compat") + sbu("NDArrayWrapper") + b"\x93)\x81}b.",
    "unfinished-object": P4 + sbu("numpy") + sbu("dtype") + b"\x93\x8c\x02f8\x89\x88\x87R\x94h\x00b.",
}


@pytest.mark.parametrize("kind", FACTS)
def test_what_no_pickler_writes_is_a_fact_and_never_loads(kind: str) -> None:
    if kind == "unfinished-object":
        stream = analyse(memoryview(FACTS[kind]), watch=frozenset({("numpy", "dtype")}))
    else:
        stream = seen(FACTS[kind])
    assert kind in {fact.kind for fact in stream.facts}
    with pytest.raises(safeload.SafeloadError):
        safeload.load_untrusted(io.BytesIO(FACTS[kind]))


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no stop": P4 + b"K\x01",
    "cut number": P4 + b"J\x01",
    "cut string": P4 + b"\x8c\x05ab",
    "cut long string": P4 + b"X\xff\xff\xff\x7fab",
    "bytes of an exabyte": P4 + b"\x8e" + struct.pack("<Q", 1 << 60) + b".",
    "frame of an exabyte": P4 + b"\x95" + struct.pack("<Q", 1 << 63) + b".",
    "memo entry two billion": P4 + b"K\x01r\xff\xff\xff\x7f.",
    "get of nothing": P4 + b"h\x05.",
    "empty stack": P4 + b"\x94.",
    "no mark": P4 + b"t.",
    "protocol 6": b"\x80\x06K\x01.",
    "not an opcode": P4 + b"\xff.",
    "line without end": b"cos",
    "key that is no number": b"K\x01px\n.",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_stream_is_a_stream_error_with_its_offset(name: str) -> None:
    with pytest.raises(StreamError) as caught:
        seen(MALFORMED[name])
    assert 0 <= caught.value.offset <= len(MALFORMED[name])


def test_globals_are_seen_with_their_use() -> None:
    made = P4 + sbu("m") + sbu("C") + b"\x93\x94)\x81}b"
    assert names(made + b".") == [("m.C", "instantiated and built")]
    assert names(P4 + sbu("m") + sbu("f") + b"\x93)R.") == [("m.f", "called")]
    assert names(P4 + sbu("m") + sbu("f") + b"\x93.") == [("m.f", "referenced")]
    assert names(P4 + sbu("m") + sbu("f") + b"\x93\x94)Rh\x00\x86.") == [("m.f", "referenced and called")]


def test_names_of_python_2_are_shown_as_what_they_become() -> None:
    used = seen(b"c__builtin__\neval\n.").globals[0]
    assert (used.path, used.stream_module) == ("builtins.eval", "__builtin__")
    with pytest.raises(
        safeload.errors.DisallowedGlobalError, match=r'builtins\.eval \(written as "__builtin__\.eval"\)'
    ):
        safeload.load_untrusted(io.BytesIO(b"c__builtin__\neval\n."))


def test_a_disallowed_global_is_named_with_its_place() -> None:
    data = P4 + sbu("posix") + sbu("system") + b"\x93" + sbu("true") + b"\x85R."
    with pytest.raises(safeload.errors.DisallowedGlobalError) as caught:
        safeload.load_untrusted(io.BytesIO(data))
    error = caught.value
    assert (error.module, error.name, error.use, error.offset) == ("posix", "system", "called", data.index(b"\x93"))


def test_raw_array_bytes_cannot_be_taken_for_opcodes() -> None:
    hostile = np.frombuffer(b"cposix\nsystem\n(S'true'\ntR." * 100, dtype="u1")
    buffer = io.BytesIO()
    joblib.dump({"a": hostile, "b": 1}, buffer)
    stream = seen(buffer.getvalue())
    assert "posix.system" not in {used.path for used in stream.globals}
    assert safeload.load_untrusted(io.BytesIO(buffer.getvalue()))["a"].tobytes() == hostile.tobytes()


def test_a_payload_behind_an_array_or_inside_an_object_array_is_seen() -> None:
    class Bad:
        def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
            return print, ("hello",)

    for value in ([np.arange(10), Bad()], np.array([Bad(), 1], dtype=object)):
        buffer = io.BytesIO()
        joblib.dump(value, buffer)
        buffer.seek(0)
        with pytest.raises(safeload.errors.DisallowedGlobalError) as caught:
            safeload.load_untrusted(buffer)
        assert (caught.value.module, caught.value.name) == ("builtins", "print")


def test_a_second_object_behind_the_first_is_refused() -> None:
    data = pickle.dumps([1]) + pickle.dumps([2])
    with pytest.raises(safeload.errors.UnsafeStreamError) as caught:
        safeload.load_untrusted(io.BytesIO(data))
    assert caught.value.fact == "after-stop"


def test_old_wrappers_without_alignment_are_read() -> None:
    buffer = io.BytesIO()
    joblib.dump(np.arange(4.0), buffer, protocol=2)
    data = buffer.getvalue()
    # What joblib 1.1 wrote: no such key, no padding byte, the items right behind BUILD.
    key = b"X\x1b\x00\x00\x00numpy_array_alignment_bytes"
    start = data.index(key)
    end_of_value = data.index(b"K\x10", start) + 2
    build = data.index(b"ub", end_of_value)
    old = data[:start] + data[end_of_value : build + 2] + np.arange(4.0).tobytes() + b"."
    loaded = safeload.load_untrusted(io.BytesIO(_renumbered(old, data[start:end_of_value])))
    assert loaded.tolist() == [0.0, 1.0, 2.0, 3.0]


def _renumbered(old: bytes, removed: bytes) -> bytes:
    """The memo key that went with the removed key leaves a gap only if something follows; nothing does."""
    assert removed.count(b"q") == 1
    return old


class _Recorder(pickle.Unpickler):
    """CPython's own unpickler, which answers with nothing but notes what it was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.asked: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        self.asked.append((module, name))
        return super().find_class(module, name)


def _plain_pickles() -> Iterator[tuple[str, bytes]]:
    for name, value in plain_objects():
        for protocol in range(6):
            try:
                yield f"{name}-{protocol}", pickle.dumps(value, protocol=protocol)
            except (TypeError, pickle.PicklingError):
                continue


def test_the_analysis_reports_exactly_the_globals_that_cpython_asks_for() -> None:
    for name, data in _plain_pickles():
        recorder = _Recorder(data)
        recorder.load()
        assert [(used.stream_module, used.stream_name) for used in seen(data).globals] == recorder.asked, name


@settings(max_examples=1_500, deadline=None)
@given(data=st.binary(max_size=300), proto=st.sampled_from([b"", b"\x80\x02", P4, b"\x80\x05"]))
def test_random_bytes_are_analysed_or_malformed_and_nothing_else(data: bytes, proto: bytes) -> None:
    with contextlib.suppress(StreamError):
        seen(proto + data + b".")


BASES = [pickle.dumps({"a": [1, 2.5, None, "x" * 300], "b": (True, b"y")}, protocol=p) for p in range(6)]


@settings(max_examples=1_500, deadline=None)
@given(base=st.sampled_from(BASES), data=st.data())
def test_damaged_streams_are_refused_or_harmless(base: bytes, data: st.DataObject) -> None:
    changed = bytearray(base)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(safeload.SafeloadError):
        safeload.load_untrusted(io.BytesIO(bytes(changed)))


NESTED = {
    "lists": lambda depth: b"]" * depth + b"a" * (depth - 1) + b".",
    "tuples": lambda depth: b")" + b"\x85" * (depth - 1) + b".",
    "dicts": lambda depth: b"}" + b"K\x01}" * (depth - 1) + b"s" * (depth - 1) + b".",
    "marked tuples": lambda depth: b"(" * depth + b"t" * depth + b".",
}


_KEYS = st.sampled_from([0, 1, 2, 3, 5, 9, 300, 2_000_000])
_STEPS = st.one_of(
    st.sampled_from([sbu("os"), sbu("system"), sbu("posix"), b"\x94", b"0", b"2"]),
    st.builds(lambda key: b"r" + struct.pack("<I", key), _KEYS),
    st.builds(lambda key: b"j" + struct.pack("<I", key), _KEYS),
    st.builds(lambda key: b"q" + bytes([key % 256]), _KEYS),
    st.builds(lambda key: b"h" + bytes([key % 256]), _KEYS),
    st.builds(lambda key: b"p%d\n" % key, _KEYS),
)


@given(st.lists(_STEPS, max_size=12), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=1_000, deadline=None)
def test_a_memo_with_holes_counts_as_that_of_cpython(steps: list[bytes], module: int, name: int) -> None:
    """MEMOIZE writes under the number of entries, wherever they stand; an attack on what is described hid names so."""
    data = P4 + sbu("a") + b"".join(steps) + b"h" + bytes([module]) + b"h" + bytes([name]) + b"\x93."
    asked: list[tuple[str, str]] = []

    class Asked(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            asked.append((module, name))
            return object

    with contextlib.suppress(Exception):
        Asked(io.BytesIO(data)).load()
    buffer = Buffer(memoryview(data))
    buffer.describe = True
    try:
        found = analyse(buffer)
    except StreamError:
        (found,) = buffer.seen
    assert [(used.module, used.name) for used in found.globals] == asked


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_has_a_bound_and_costs_no_recursion(kind: str) -> None:
    data = NESTED[kind](5_000)
    assert seen(data).end == len(data)
    with pytest.raises(LimitError, match="5,000 deep"):
        seen(NESTED[kind](1_000_000))


def test_a_stream_full_of_oddities_does_not_become_a_list_full_of_them() -> None:
    assert len(seen(P4 + b"(" + b"K\x01Q" * 50_000 + b"t.").facts) == 1
