"""Ways in which a pickle hides what it does. Each would run a command with `pickle.load`; here none gets that far.

`PAYLOAD` names what would leave the mark. A case is refused before anything runs; where the name of what would be
called can be read, the error says which global at which byte.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zlib
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import DisallowedGlobalError, SafeloadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

P2, P4, P5 = b"\x80\x02", b"\x80\x04", b"\x80\x05"


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def line(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


COMMAND = text("touch MARK")
PAYLOAD = line("os", "system") + COMMAND + b"\x85R"
REFERENCE = line("os", "system")
BENIGN = b"K\x01"


def frame(body: bytes, length: int | None = None) -> bytes:
    return b"\x95" + struct.pack("<Q", len(body) if length is None else length) + body


def array_stream(nested: bytes | None = None) -> bytes:
    """A joblib file of one array; of objects, if there is a `nested` stream to stand behind it."""
    file = io.BytesIO()
    joblib.dump(np.arange(4.0) if nested is None else np.array([None], dtype=object), file)
    data = file.getvalue()
    return data if nested is None else data[: data.index(b"\x80\x05", 2)] + nested + data[-1:]


ARRAY = array_stream()
# 46 bytes of padding, where a scanner that has lost its place would see STOP
PADDED = ARRAY[: ARRAY.index(b"ub") + 2] + b"." + ARRAY[ARRAY.index(b"ub") + 3 :]


SEEN: Mapping[str, bytes] = {
    # 1
    "behind a harmless object that is popped": P4 + PAYLOAD + b"0" + BENIGN + b".",
    "before a cut tail": P4 + PAYLOAD + b"0X\xff\xff",
    "before a broken tail": P4 + PAYLOAD + b"\xff",
    # 2
    "by INST": b"(S'touch MARK'\nios\nsystem\n.",
    "by OBJ": b"(" + REFERENCE + b"S'touch MARK'\no.",
    "by OBJ, then popped": b"(" + REFERENCE + b"S'touch MARK'\no0N.",
    "by NEWOBJ": P2 + REFERENCE + b"X\x0a\x00\x00\x00touch MARK\x85\x81.",
    "by NEWOBJ_EX": P4 + REFERENCE + b")}" + text("command") + COMMAND + b"s\x92.",
    "by a lazy map in a list": P4
    + line("builtins", "list")
    + line("builtins", "map")
    + REFERENCE
    + b"]"
    + COMMAND
    + b"a\x86R\x85R.",
    "by a lazy map in APPENDS": P4 + b"](" + line("builtins", "map") + REFERENCE + b"]" + COMMAND + b"a\x86Re.",
    # 3
    "names by PUT and GET": P4 + text("os") + b"p0\n0" + text("system") + b"p1\n0g0\ng1\n\x93" + COMMAND + b"\x85R.",
    "names by MEMOIZE": P4 + text("os") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93" + COMMAND + b"\x85R.",
    "names by BINPUT": P4 + text("os") + b"q\x000" + text("system") + b"q\x010h\x00h\x01\x93" + COMMAND + b"\x85R.",
    # 4
    "frames and marks between the names": P4
    + text("os")
    + frame(b"")
    + b"(1"
    + text("system")
    + b"\x93"
    + COMMAND
    + b"\x85R.",
    # 5
    "a dotted name at protocol 4": P4 + line("joblib.numpy_pickle", "os.system") + COMMAND + b"\x85R.",
    "a dotted name of an allowed class": P4 + named("numpy", "ndarray.tofile") + COMMAND + b"\x85R.",
    "a dunder name": P4 + named("numpy", "__builtins__") + b".",
    "an attribute of an allowed function": P4 + named("sklearn.metrics._scorer", "get_scorer.__globals__") + b".",
    # 6
    "a module of Python 2": b"c__builtin__\neval\n(S'1'\ntR.",
    "a function of Python 2": b"c__builtin__\nreduce\n(NNtR.",
    "urllib of Python 2": P2 + b"curllib\nurlopen\n(U\x04httptR.",
    "commands of Python 2": P2 + b"ccommands\ngetoutput\n(U\x04truetR.",
    "posix": P4 + line("posix", "system") + COMMAND + b"\x85R.",
    # 9
    "the registry of extensions, filled": P4
    + line("copyreg", "add_extension")
    + text("os")
    + text("system")
    + b"K\x01\x87R0\x82\x01.",
    # 12
    **{
        f"{module}.{name} of bytes": P4 + named(module, name) + b"C\x05\x80\x04K\x01.\x85R."
        for module, name in (
            ("pickle", "loads"),
            ("_pickle", "loads"),
            ("cloudpickle", "loads"),
            ("dill", "loads"),
            ("joblib.externals.cloudpickle", "loads"),
            ("torch.storage", "_load_from_bytes"),
            ("numpy", "load"),
            ("pandas", "read_pickle"),
            ("joblib", "load"),
            ("marshal", "loads"),
        )
    },
    "bytes that are decoded first": P4
    + named("pickle", "loads")
    + named("base64", "b64decode")
    + text("gARLAS4=")
    + b"\x85R\x85R.",
    # 14
    "a nested stream in an object array": array_stream(P5 + PAYLOAD + b"."),
    "a nested stream, the name only referenced": array_stream(P5 + REFERENCE + b"."),
    # 16
    "zlib": zlib.compress(P4 + PAYLOAD + b"."),
    "gzip": gzip.compress(P4 + PAYLOAD + b"."),
    "bz2": bz2.compress(P4 + PAYLOAD + b"."),
    "xz": lzma.compress(P4 + PAYLOAD + b"."),
    "lzma": lzma.compress(P4 + PAYLOAD + b".", format=lzma.FORMAT_ALONE),
    "joblib's oldest header": b"ZF0x" + b"%-16x" % len(P4 + PAYLOAD + b".") + b" " + zlib.compress(P4 + PAYLOAD + b"."),
    "the ending says nothing": P4 + PAYLOAD + b".",
}

REFUSED: Mapping[str, bytes] = {
    # 1
    "a second pickle behind the first": P4 + BENIGN + b"." + P4 + PAYLOAD + b".",
    "a second pickle behind an array": array_stream() + P4 + PAYLOAD + b".",
    # 3
    "a memo entry overwritten": P4
    + text("math")
    + b"q\x000"
    + text("os")
    + b"q\x000h\x00"
    + text("system")
    + b"\x93"
    + COMMAND
    + b"\x85R.",
    "a GET put under another key": P4 + text("os") + b"\x940h\x00r\x00\x00\x00\x000h\x00" + text("system") + b"\x93.",
    "MEMOIZE beside explicit keys": P4 + BENIGN + b"q\x05" + text("os") + b"\x94h\x01" + text("system") + b"\x93.",
    "the memo of the stream before": P4 + text("os") + b"\x94." + P4 + b"h\x00" + text("system") + b"\x93.",
    # 4
    "a name as STRING": P4 + b"S'os'\n" + text("system") + b"\x93" + COMMAND + b"\x85R.",
    "a name as BINSTRING": P4 + b"U\x02os" + text("system") + b"\x93" + COMMAND + b"\x85R.",
    "a name as UNICODE with escapes": P4 + b"V\\u006fs\n" + text("system") + b"\x93" + COMMAND + b"\x85R.",
    "a name that a call makes": P4
    + line("_codecs", "encode")
    + text("os")
    + text("latin1")
    + b"\x86R"
    + text("system")
    + b"\x93.",
    "a name by DUP": P4 + text("os") + b"2\x93.",
    # 7
    **{
        f"a number as {number!r}": number + b"\n."
        for number in (b"I0x1", b"L0x1L", b"I1_0", b"I+1", b"I 1", b"I1\r", b"L1 ", b"F1_0", b"F 1.0", b"F0x1p1")
    },
    "PUT with spaces": BENIGN + b"p 0\n.",
    "GET with a plus": BENIGN + b"p0\ng+0\n.",
    # 8
    "a frame that ends inside an argument": P4 + frame(b"\x8c\x20" + PAYLOAD.ljust(32, b"N"), 3) + b".",
    "a frame in a frame": P4 + frame(frame(BENIGN + b".")),
    "a frame that is never full": P4 + frame(BENIGN + b".", 1),
    "an opcode across two frames": P4 + frame(b"K", 1) + frame(b"\x01."),
    # 9
    "EXT1": P4 + b"\x82\x01.",
    "EXT2": P4 + b"\x83\x01\x00.",
    "EXT4": P4 + b"\x84\x01\x00\x00\x00.",
    # 10
    "__setstate__ planted by a state": P4
    + named("sklearn.linear_model._ridge", "Ridge")
    + b")\x81}"
    + text("__setstate__")
    + named("numpy", "sum")
    + b"sb.",
    "slot state on a class": P4
    + named("sklearn.linear_model._ridge", "Ridge")
    + b"N}"
    + text("predict")
    + named("numpy", "sum")
    + b"s\x86b.",
    "slot state on a function": P4 + named("numpy", "sum") + b"N}" + text("x") + b"Ns\x86b.",
    "a state with __class__": P4
    + named("sklearn.linear_model._ridge", "Ridge")
    + b")\x81}"
    + text("__class__")
    + named("sklearn.linear_model._ridge", "RidgeCV")
    + b"sb.",
    "a state with __dict__": P4
    + named("sklearn.linear_model._ridge", "Ridge")
    + b")\x81}"
    + text("__dict__")
    + b"}sb.",
    "SETITEM on a class": P4 + named("sklearn.linear_model._ridge", "Ridge") + text("a") + b"Ns.",
    "APPEND on an object": P4 + named("sklearn.linear_model._ridge", "Ridge") + b")\x81Na.",
    "ADDITEMS on a string": P4 + text("a") + b"(N\x90.",
    # 11
    "PERSID": b"Pos.system\n.",
    "BINPERSID": P4 + text("os.system") + b"Q.",
    "NEXT_BUFFER": P5 + b"\x97.",
    "READONLY_BUFFER": P5 + b"C\x01a\x98.",
    "a name with a space": P4 + named("os", "system ") + b".",
    "a name with a zero": P4 + named("os", "sys\0tem") + b".",
    "a name with a surrogate": P4 + b"\x8c\x03\xed\xb2\x80" + text("system") + b"\x93.",
    "a name of a megabyte": P4 + b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + text("system") + b"\x93.",
    # 13
    "padding that begins like STOP": PADDED,
    # 15
    "an array larger than the file": array_stream().replace(b"K\x04\x85", b"J\x04\x00\x00\x7f\x85"),
    "an array of negative size": array_stream().replace(b"K\x04\x85", b"J\xff\xff\xff\xff\x85"),
    "a shape that is a truth": array_stream().replace(b"K\x04\x85", b"\x88\x85"),
    "a wrapper that is BUILT twice": array_stream()[:-1] + b"}b.",
    "a wrapper without a state": P4 + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81.",
    "a wrapper by REDUCE": array_stream().replace(b")\x81", b")R"),
    # 16
    **{
        f"joblib's {name}": P4 + named(module, name) + b")\x81}" + text("filename") + text("/etc/passwd") + b"sb."
        for module in ("joblib.numpy_pickle", "joblib.numpy_pickle_compat")
        for name in ("NDArrayWrapper", "ZNDArrayWrapper")
    },
}


def refusal(data: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> SafeloadError:
    """The error; and nobody has left the mark."""
    monkeypatch.chdir(folder)
    for path in ("model.joblib", "model.pkl", "weights.npy"):
        (folder / path).write_bytes(data)
        with pytest.raises(SafeloadError) as caught:
            safeload.load_untrusted(path)
    assert not (folder / "MARK").exists()
    return caught.value


@pytest.mark.parametrize("how", SEEN)
def test_what_would_run_is_named_with_its_place(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = refusal(SEEN[how], tmp_path, monkeypatch)
    if how.startswith("before a"):  # the whole stream is read first: that it is broken is as good a reason
        return
    assert isinstance(error, DisallowedGlobalError)
    assert error.offset >= 0
    assert error.name in str(error)


@pytest.mark.parametrize("how", REFUSED)
def test_what_no_pickler_writes_is_refused(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal(REFUSED[how], tmp_path, monkeypatch)


@pytest.mark.parametrize("how", ["behind a harmless object that is popped", "by INST", "zlib"])
def test_the_cases_are_real(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = zlib.decompress(SEEN[how]) if how == "zlib" else SEEN[how]
    pickle.loads(data)
    assert (tmp_path / "MARK").exists()
