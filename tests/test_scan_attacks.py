"""What once got past scan: bytes that one loader takes for this, and we took for that. Each must count."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import joblib
import numpy as np
import pytest

import safeload
from test_scan_recall import in_npy, in_tar, in_zip

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once

CALL = b"cposix\nsystem\n(S'touch MARK'\ntR."
# Unpicklers put into their memo whatever comes, in any order.
MEMO_GAP = b"I1\np5\n0" + CALL
SSTABLE = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
PNG = b"\x89PNG\r\n\x1a\n"
DATA = Path(__file__).parent / "data" / "scan"


def in_frame(data: bytes) -> bytes:
    return b"\x95" + struct.pack("<Q", len(data)) + data


def hdf5() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["x"] = np.zeros(3)
    return buffer.getvalue()


def in_hdf5(data: Any, name: str = "data") -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file[name] = data
    return buffer.getvalue()


def in_attribute(data: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("data").attrs["type"] = data
    return buffer.getvalue()


def padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def in_torch(data: bytes, numbers: bytes = b"\0" * 16) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", data)
        archive.writestr("a/version", "3\n")
        archive.writestr("a/data/0", numbers)
    return buffer.getvalue()


def behind(start: bytes, data: bytes, at: int) -> bytes:
    return start.ljust(at, b"\0") + data


def odd_type(data: bytes) -> bytes:
    """Extracting takes a type that it does not know for a file."""
    packed = bytearray(in_tar(data))
    packed[156:157] = b"Z"
    packed[148:156] = b"%06o\0 " % (sum(packed[:148]) + 8 * 0x20 + sum(packed[156:512]))
    return bytes(packed)


def with_keras(change: Callable[[bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(DATA / "bad-lambda.keras") as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == "config.json" else data)
    return buffer.getvalue()


def skops_set(loader: str = "SetNode") -> bytes:
    """skops makes a set of the class that the schema names."""
    node = {
        "__class__": "Popen",
        "__module__": "subprocess",
        "__loader__": loader,
        "__id__": 1,
        "content": [{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"touch"'}],
        "protocol": 0,
        "_skops_version": "0.11",
    }
    return in_zip(json.dumps(node).encode(), "schema.json")


def _local(name: bytes, data: bytes) -> bytes:
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0)
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, *sizes) + name + data


def _central(name: bytes, data: bytes, offset: int) -> bytes:
    sizes = (zlib.crc32(data), len(data), len(data), len(name), 0, 0, 0, 0, 0)
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, *sizes, offset & 0xFFFFFFFF) + name


def _directory(members: list[tuple[bytes, bytes]], start: int) -> tuple[bytes, bytes]:
    body, entries = b"", b""
    for name, data in members:
        entries += _central(name, data, start + len(body))
        body += _local(name, data)
    return body, entries


def two_directories() -> bytes:
    """Python reads the directory before the end, others that which the end leads to: here in a member of numbers."""
    name = b"a/data/0"
    first = _local(b"a/data.pkl", b"\x80\x02}.")
    evil_start = len(first) + 30 + len(name)
    body, entries = _directory([(b"a/data.pkl", CALL), (name, b"")], evil_start)
    blob = body + entries
    out = first + _local(name, blob)
    shift = len(out) - (evil_start + len(body))
    seen = _central(b"a/data.pkl", b"\x80\x02}.", -shift) + _central(name, blob, len(first) - shift)
    assert len(seen) == len(entries)
    return out + seen + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(seen), evil_start + len(body), 0)


def exported(text: str) -> bytes:
    return in_zip(json.dumps({"graph": {"sym": {"expr_str": text}}}).encode(), "m/models/model.json")


def hdf5_between_members(gap: bytes) -> bytes:
    """h5py looks at 512 and at each doubling of that."""
    first = _local(b"a", b"x")
    at = 1 << 21
    data = (DATA / "bad-lambda.h5").read_bytes()
    body = behind(first + gap, data, at)
    entries = _central(b"a", b"x", 0)
    return body + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entries), len(body), 0)


def hdf5_in_numbers() -> bytes:
    """A model of Keras in what a state dict says are weights."""
    data = (DATA / "bad-lambda.h5").read_bytes()
    start = len(_local(b"a/data.pkl", b"\x80\x02}.")) + 30 + len(b"a/data/0")
    numbers = b"\x07" * ((1 << 12) - start - len(_local(b"a/version", b"3\n"))) + data
    members = [(b"a/data.pkl", b"\x80\x02}."), (b"a/version", b"3\n"), (b"a/data/0", numbers)]
    body, entries = _directory(members, 0)
    assert body[1 << 12 :].startswith(b"\x89HDF")
    return body + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(entries), len(body), 0)


def of_torch(**changes: bytes) -> bytes:
    """A tar of PyTorch's, with other members."""
    with tarfile.open(DATA / "old-tar.pt") as archive:
        members = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as archive:
        for name, data in {**members, **changes}.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def storages(numbers: bytes) -> bytes:
    """One storage of bytes, as that tar has it."""
    head = pickle.dumps(1, 2) + b"\x80\x02(K\x00X\x03\x00\x00\x00cpuctorch\nByteStorage\nt."
    return head + struct.pack("<q", len(numbers)) + numbers + pickle.dumps([], 2)


def hdf5_in_a_tar() -> bytes:
    """The numbers of a storage are HDF5 at 8,192 in the archive, and at no such place in the member."""
    start = next(at for at in range(512, 1 << 20, 512) if of_torch(storages=b"mark" * 200)[at:].startswith(b"mark"))
    numbers = b"\x07" * ((1 << 13) - start - storages(b"").index(pickle.dumps([], 2)))
    data = of_torch(storages=storages(numbers + (DATA / "bad-lambda.h5").read_bytes()))
    assert data[1 << 13 :].startswith(b"\x89HDF")
    return data


ATTACKS: dict[str, Callable[[], bytes]] = {
    "a gap in the memo": lambda: MEMO_GAP,
    "a gap in the memo, in an array": lambda: in_npy(MEMO_GAP),
    "a gap in the memo, in a state dict": lambda: in_torch(MEMO_GAP),
    "a gap in the memo, in hickle": lambda: in_hdf5(np.void(b"\x80\x02Nq\x050" + CALL)),
    "FRAME first, and the end of a table": lambda: in_frame(CALL) + SSTABLE,
    "FRAME first, in hickle": lambda: in_hdf5(np.void(in_frame(CALL))),
    "a picture": lambda: b"GIF89a\0\0\0q\x050" + CALL,
    "an lzma stream, and the end of a table": lambda: lzma.compress(CALL, lzma.FORMAT_ALONE) + SSTABLE,
    "an archive behind CatBoost's first bytes": lambda: b"CBM1" + in_zip(CALL),
    "an archive that ends like a table": lambda: b"\x01" + in_zip(CALL)[:-2] + b"\x08\0" + SSTABLE,
    "an archive behind HDF5": lambda: hdf5() + in_zip(CALL),
    "an archive behind LightGBM's first line": lambda: b"tree\nversion=v4\n" + with_keras(bytes),
    "HDF5 behind a picture": lambda: behind(PNG, (DATA / "bad-lambda.h5").read_bytes(), 512),
    "HDF5 behind CatBoost's first bytes": lambda: behind(b"CBM1", (DATA / "bad-lambda.h5").read_bytes(), 1024),
    "HDF5 behind a million zeros in an archive": lambda: hdf5_between_members(b""),
    "HDF5 behind zeros and a byte in an archive": lambda: hdf5_between_members(bytes(1 << 20) + b"x"),
    "HDF5 in the numbers of a state dict": hdf5_in_numbers,
    "HDF5 in the numbers of a tar": hdf5_in_a_tar,
    "a call between storages": lambda: of_torch(storages=CALL + storages(b"")),
    "a call behind storages": lambda: of_torch(storages=storages(b"") + CALL),
    "a call behind tensors": lambda: of_torch(tensors=pickle.dumps(0, 2) + CALL),
    "a zlib stream before HDF5": lambda: behind(zlib.compress(CALL), hdf5(), 1024),
    "an lzma stream before HDF5": lambda: behind(lzma.compress(CALL, lzma.FORMAT_ALONE), hdf5(), 1024),
    "a tar whose first member is HDF5": lambda: in_tar(hdf5())[:-1024 * 10] + in_tar(CALL),
    "a member of a tar whose type is unknown": lambda: odd_type(CALL),
    "two directories": two_directories,
    "an array of objects for numbers": lambda: in_torch(b"\x80\x02}.", in_npy(CALL)),
    "a configuration behind blanks": lambda: with_keras(lambda data: b" " * 5_000 + data),
    "a pickle in numbers of eight bytes": lambda: in_hdf5(np.frombuffer(padded(CALL, 8), "f8")),
    "a pickle in numbers of two bytes": lambda: in_hdf5(np.frombuffer(padded(CALL, 2), "u2")),
    "a pickle in two rows": lambda: in_hdf5(np.frombuffer(padded(CALL, 2), "u1").reshape(2, -1)),
    "a pickle in an attribute of numbers": lambda: in_attribute(np.frombuffer(CALL, "i1")),
    "skops' set of another class": skops_set,
    "skops' object of another class": lambda: skops_set("ObjectNode"),
    "a module beside a pickle": lambda: in_zip(b"c__torch__\nFoo\n.", "model.pkl"),
    "sympy's expression": lambda: exported("__import__('os').system('touch MARK')"),
    "sympy's expression, of names": lambda: exported("Symbol.__init__"),
    "a SavedModel as text": lambda: b'saved_model_schema_version: 1\nmeta_graphs {\n node { op: "WriteFile" } }\n',
    "an operation that is said twice": lambda: saved_model(b"Add", b"ReadFile"),
    "a print into a file, behind much else": lambda: saved_model(b"PrintV2", attribute=bytes(8_000) + b"file:///tmp/x"),
    "an operation of ONNX that is said twice": lambda: in_onnx((4, b"Add"), (7, b"ai.onnx"), (7, b"evil")),
    "TorchScript that saves": lambda: in_zip(b"def f(self):\n  torch.save(x, y)\n", "a/code/__torch__.py"),
}  # fmt: skip


def message(*fields: tuple[int, bytes]) -> bytes:
    """Of protocol buffers."""
    data = b""
    for number, content in fields:
        size = len(content)
        data += bytes([number << 3 | 2, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + content
    return data


def saved_model(*operations: bytes, attribute: bytes = b"") -> bytes:
    node = message((1, b"n"), *((2, each) for each in operations), (5, message((1, b"key"), (2, attribute))))
    return b"\x08\x01" + message((2, message((2, message((1, node))))))


def in_onnx(*fields: tuple[int, bytes]) -> bytes:
    return b"\x08\x09" + message((7, message((1, message(*fields)))), (8, b"\x10\x11"))


@pytest.mark.parametrize("how", ATTACKS)
def test_it_counts(how: str) -> None:
    report = safeload.scan(io.BytesIO(ATTACKS[how]()))
    assert report.exit_code == 1, report


def test_what_stands_between_pickles_of_torch_is_as_long_as_its_class_says() -> None:
    for name in ("Byte", "Bool", "Double"):  # of which the last says more than is there
        data = of_torch(storages=storages(b"12345").replace(b"ByteStorage", name.encode() + b"Storage"))
        assert safeload.scan(io.BytesIO(data)).exit_code == (2 if name == "Double" else 0)
    two = storages(b"12345").replace(b"ctorch\nByte", b"ctorch\nDoubleStorage\n0ctorch\nByte")
    assert safeload.scan(io.BytesIO(of_torch(storages=two))).exit_code != 0
    archive = (DATA / "old-tar.pt").read_bytes()
    deep = archive.replace(b".\x02\0\0\0\0\0\0\0", b".\x41\0\0\0\0\0\0\0")
    assert deep != archive
    assert safeload.scan(io.BytesIO(deep)).exit_code == 2


def test_a_tar_that_begins_with_hdf5_is_no_polyglot() -> None:
    assert safeload.scan(io.BytesIO(in_tar(hdf5()))).exit_code == 0


@pytest.mark.parametrize(
    "text", ["s0", "2*s0 + 1", "Symbol('s0', integer=True, positive=True)", "FloorDiv(s0, 2)", "Max(1, s77)"]
)
def test_an_honest_expression_does_not(text: str) -> None:
    assert safeload.scan(io.BytesIO(exported(text))).exit_code == 0


def in_two_sizes(flags: int, size: int) -> bytes:
    """An array whose dtype says one thing in letters, and another in the numbers that numpy believes."""
    buffer = io.BytesIO()
    joblib.dump(np.zeros(4, "V8"), buffer, protocol=2)
    data = buffer.getvalue()
    state = b"NNNK\x08K\x01K\x00t"
    assert data.count(state) == 1
    return data.replace(state, b"NNNK" + bytes([size]) + b"K\x01K" + bytes([flags]) + b"t")


@pytest.mark.parametrize(("flags", "size"), [(0x3F, 8), (0, 16), (0, 4)])
def test_a_dtype_of_two_meanings_is_never_called_clean(flags: int, size: int) -> None:
    assert safeload.scan(io.BytesIO(in_two_sizes(0, 8))).exit_code == 0
    assert safeload.scan(io.BytesIO(in_two_sizes(flags, size))).exit_code != 0


def as_text(node: str) -> bytes:
    return b"saved_model_schema_version: 1\nmeta_graphs {\n graph_def {\n node { %s } } }\n" % node.encode()


@pytest.mark.parametrize(
    "node",
    ['op: "WriteFile"', "op: 'ReadFile'", 'op: "SaveV2" } node { op: "WriteFile"', 'op: "PrintV2" s: "file:///etc/x"'],
)
def test_an_operation_that_opens_files_counts_as_text_too(node: str) -> None:
    assert safeload.scan(io.BytesIO(as_text(node))).exit_code == 1


@pytest.mark.parametrize("name", ["SaveV2", "MergeV2Checkpoints"])
def test_where_a_graph_saves_to_is_not_guessed_from_text(name: str) -> None:
    assert safeload.scan(io.BytesIO(as_text(f'op: "{name}"'))).exit_code == 2
    assert safeload.scan(io.BytesIO(as_text('op: "AddV2"'))).exit_code == 0


def overlapping() -> bytes:
    data = b"\x80\x02(" + b"N" * 1_500_000 + b"t."
    body = _local(b"a", data)
    entries = _central(b"a", data, 0) * 30_000
    return body + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 30_000, 30_000, len(entries), len(body), 0)


def _tar_of_digits() -> bytes:
    data = bytearray(in_tar(b"9" * 1_000_000 + b" "))
    data[156:157] = b"x"
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 8 * 0x20 + sum(data[156:512]))
    return bytes(data)


def _tensors_of_powers() -> bytes:
    entry = {"dtype": "U8", "shape": [10**600] * 2_000, "data_offsets": [0, 0]}
    head = json.dumps({"a": entry}).encode()
    return struct.pack("<Q", len(head)) + head


SLOW: dict[str, Callable[[], bytes]] = {
    "a member that is named 30,000 times": overlapping,
    "100,000 empty streams": lambda: gzip.compress(b"") * 100_000,
    "local headers without a directory": lambda: (b"PK\3\4" + bytes(26)) * 120_000,
    "a million digits of a length": _tar_of_digits,
    "shapes of 600 digits": _tensors_of_powers,
    "brackets, 100,000 deep": lambda: b"[" * 100_000 + b"]" * 100_000,
    "a header of one number": lambda: in_npy(b"").replace(b"(1,)", b"(0x" + b"f" * 50 + b",)"),
}


@pytest.mark.parametrize("how", SLOW)
def test_what_costs_time_ends_and_is_not_called_clean(how: str) -> None:
    assert safeload.scan(io.BytesIO(SLOW[how]())).exit_code != 0


def test_members_that_share_their_bytes_are_read_once() -> None:
    file = safeload.scan(io.BytesIO(overlapping())).files[0]
    assert len([part for part in file.parts if part.member]) <= 2
    assert any("share the bytes" in each.text for each in file.unread)


# GitHub and Azure take lines that begin so for commands.
@pytest.mark.parametrize("module", ["::add-matcher::x", "##vso[task.setvariable variable=X]y", "##[error]boo"])
def test_no_name_from_a_file_is_a_command_of_a_pipeline(module: str, tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02c" + module.encode() + b"\nf\n)R.")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "safeload", "scan", "--all", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "::" not in done.stdout
    assert "##" not in done.stdout


def test_a_report_is_the_same_twice(tmp_path: Path) -> None:
    """In whatever order a process would go through its sets."""
    paths = {"class_name": "X", "module": "keras.layers", "config": {"vocabulary": "/a", "url": "/b", "path": "/c"}}
    (tmp_path / "a.json").write_text(json.dumps({**paths, "template": "{{ lipsum }}", "_target_": "os.system"}))
    (tmp_path / "b.h5").write_bytes(in_hdf5([CALL, MEMO_GAP, b"cx\nf\n.", b"N."]))
    command = [sys.executable, "-P", "-m", "safeload", "scan", "--all", str(tmp_path)]
    shown = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(shown) == 1, shown


def test_a_link_in_a_name_is_no_link_in_sarif(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02c[click](https://e.example)\nf\n)R.")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "safeload", "scan", "--format", "sarif", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    texts = [each["message"]["text"] for each in json.loads(done.stdout)["runs"][0]["results"]]
    assert texts
    assert not any("[click](" in text.replace("\\[", "").replace("\\]", "") for text in texts)


def test_numbers_of_variable_length_are_read() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        rows = file.create_dataset("rows", (3,), dtype=h5py.vlen_dtype("u1"))
        rows[0] = [1, 2]
    assert safeload.scan(io.BytesIO(buffer.getvalue())).exit_code == 0
    with h5py.File(buffer, "r+") as file:
        file["rows"][2] = np.frombuffer(CALL, "u1")
    assert safeload.scan(io.BytesIO(buffer.getvalue())).exit_code == 1


@pytest.mark.parametrize("make", [tempfile.TemporaryFile, tempfile.SpooledTemporaryFile])
def test_a_file_whose_name_is_a_number_or_none_is_scanned(make: Callable[[], Any]) -> None:
    with make() as file:
        file.write(pickle.dumps(1))
        file.seek(0)
        assert safeload.scan(file).exit_code == 0


@pytest.mark.parametrize("place", [512, 4096, 16384])
def test_weights_of_keras_that_begin_where_hdf5_may_are_no_polyglot(place: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        head = zipfile.ZipInfo("metadata.json")
        archive.writestr(head, b'{"a": 1}'.ljust(place - 30 - len("metadata.json") - 30 - len("model.weights.h5")))
        archive.writestr("model.weights.h5", (DATA / "model.weights.h5").read_bytes())
    data = buffer.getvalue()
    assert data[place:].startswith(b"\x89HDF")
    assert safeload.scan(io.BytesIO(data)).exit_code == 0
    shifted = data.replace(b"model.weights.h5", b"model.weights.hh", 1)  # the directory says another name
    assert safeload.scan(io.BytesIO(shifted)).exit_code == 1
