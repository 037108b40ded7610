"""What archives can hide: each trick is found, and what it hides is looked into."""

from __future__ import annotations

import io
import pickle
import stat
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

import safeload
from testkit.hiding import P4, stack_global

if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD = P4 + stack_global("os", "system") + b"\x8c\x0atouch MARK\x85R."
GOOD = pickle.dumps({"a": 1})


def scanned(data: bytes) -> safeload.Report:
    return safeload.scan(io.BytesIO(data))


def rules(data: bytes) -> set[str]:
    return {each.rule for each in scanned(data).findings if each.severity >= safeload.Severity.MEDIUM}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def linked(name: str = "model.pkl", mode: int = stat.S_IFLNK) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (mode | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def twice(first: bytes, last: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.pkl", first)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("model.pkl", last)
    return buffer.getvalue()


def edited(data: bytes, place: Callable[[bytes], int], new: bytes) -> bytes:
    at = place(data)
    return data[:at] + new + data[at + len(new) :]


def at_local(offset: int) -> Callable[[bytes], int]:
    return lambda data: data.index(b"PK\x03\x04") + offset


def at_central(offset: int) -> Callable[[bytes], int]:
    return lambda data: data.index(b"PK\x01\x02") + offset


def in_a_gap() -> bytes:
    """A member whose entry in the directory was taken out."""
    data = zipped({"good.pkl": GOOD, "hidden.pkl": PAYLOAD, "last.txt": b"x"})
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    third = data.index(b"PK\x01\x02", second + 4)
    end = data.index(b"PK\x05\x06")
    directory = data[first:second] + data[third:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), first, 0)
    return data[:first] + directory + tail


def overlapping() -> bytes:
    """Two entries of the directory for one member."""
    data = zipped({"a.pkl": PAYLOAD})
    first, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[first:end]
    directory = entry + entry.replace(b"a.pkl", b"b.pkl")
    return data[:first] + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), first, 0)


ONE = zipped({"model.pkl": PAYLOAD})
TRICKS: dict[str, tuple[bytes, str, bool]] = {
    "a wrong checksum": (edited(edited(ONE, at_central(16), b"\1\2\3\4"), at_local(14), b"\1\2\3\4"), "SL403", True),
    "another name in the member": (edited(ONE, at_local(30), b"other.txt"), "SL401", True),
    "another method in the member": (edited(ONE, at_local(8), b"\x08\0"), "SL402", True),
    "another flag in the member": (edited(ONE, at_local(6), b"\x01\0"), "SL402", True),
    "two members of one name": (twice(GOOD, PAYLOAD), "SL404", True),
    "two members of one name, the other way round": (twice(PAYLOAD, GOOD), "SL404", True),
    "names that differ in case": (zipped({"Model.pkl": GOOD, "model.pkl": PAYLOAD}), "SL401", True),
    "bytes before the archive": (PAYLOAD + zipped({"a": b"x"}), "SL310", True),
    "an archive in a stored member": (zipped({"a.txt": zipped({"b.txt": PAYLOAD})}), "SL101", True),
    "a member without an entry": (in_a_gap(), "SL406", True),
    "two entries for one member": (overlapping(), "SL405", True),
    "a link": (linked(), "SL401", False),
    "a device": (linked(mode=stat.S_IFCHR), "SL401", False),
    "an absolute path": (zipped({"/etc/cron.d/x": GOOD}), "SL401", False),
    "a path upwards": (zipped({"a/../../x": GOOD}), "SL401", False),
    "a path of Windows": (zipped({"C:\\x": GOOD}), "SL401", False),
    "a path upwards, of Windows": (zipped({"..\\..\\x": GOOD}), "SL401", False),
    "something behind it": (zipped({"a": b"x"}) + b"\x80\x04K\x01.", "SL301", False),
}


@pytest.mark.parametrize("how", TRICKS)
def test_a_trick_of_zip_is_found_and_so_is_what_it_hides(how: str) -> None:
    data, rule, hides = TRICKS[how]
    found = rules(data)
    assert rule in found
    assert not hides or found & {"SL101"}


def test_a_comment_is_looked_into() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "x")
        archive.comment = PAYLOAD
    assert "SL101" in rules(buffer.getvalue())


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
def test_what_is_encrypted_or_patched_is_not_read(flag: int) -> None:
    raw = struct.pack("<H", flag)
    report = scanned(edited(edited(ONE, at_central(8), raw), at_local(6), raw))
    assert report.exit_code != 0
    assert "encrypted" in report.files[0].unread[0].text


def test_a_broken_member_does_not_keep_the_others_from_being_read() -> None:
    data = bytearray(zipped({"a.bin": bytes(range(256)) * 4, "model.pkl": PAYLOAD}, zipfile.ZIP_DEFLATED))
    data[40:60] = bytes(20)
    report = scanned(bytes(data))
    assert not report.complete
    assert {each.rule for each in report.findings} >= {"SL101"}


def test_what_a_broken_member_held_until_then_is_judged() -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = stream.compress(PAYLOAD + bytes(5_000)) + stream.flush(zlib.Z_SYNC_FLUSH)
    data = zipped({"model.pkl": packed + b"\xff" * 20})
    data = edited(edited(data, at_central(10), b"\x08\0"), at_local(8), b"\x08\0")
    assert "SL101" in rules(data)


def tarred(info: tarfile.TarInfo, data: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def of_type(kind: bytes, name: str = "x") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_in_a_tar_is_found(kind: bytes) -> None:
    assert rules(tarred(of_type(kind))) == {"SL401"}


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x"])
def test_a_path_that_leads_out_of_a_tar_is_found(name: str) -> None:
    assert rules(tarred(tarfile.TarInfo(name), GOOD)) == {"SL401"}


def test_what_stands_behind_a_tar_is_looked_into() -> None:
    assert "SL101" in rules(tarred(tarfile.TarInfo("a"), GOOD) + PAYLOAD)


def test_a_tar_of_many_members_is_read_in_bounded_memory() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(3_000):
            archive.addfile(tarfile.TarInfo(f"m{number}"))
    limits = safeload.ScanLimits(members=1_000)
    report = safeload.scan(io.BytesIO(buffer.getvalue()), limits=limits)
    assert report.exit_code == 2
    assert len(report.files[0].parts) <= 1_001
