"""Tar archives, also PyTorch's of before 0.2."""

from __future__ import annotations

import re
import stat
import tarfile
from typing import TYPE_CHECKING

from safeload.readers.files import torch_tars
from safeload.readers.files.embedded import hdf5_elsewhere
from safeload.readers.files.names import tricks_of
from safeload.readers.files.plain import behind_zeros
from safeload.readers.files.views import ViewFile
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look

__all__ = ["read"]

_OCTAL = re.compile(rb"[0-7]+").fullmatch
_LONG, _LONG_MAX = (b"x", b"g", b"X", b"K", b"L"), 1 << 16
_NAME = 100  # bytes, of a header
_MODES = {
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.LNKTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}


def read(look: Look, view: memoryview) -> None:
    end, names, torch = 0, set(), _is_of_torch(view)
    starts: set[int] = set()
    if (odd := _odd_header(view)) is not None:
        look.unread(odd, "a header of the archive is longer than any")
        return
    try:
        with tarfile.open(fileobj=ViewFile(view), mode="r:") as archive:
            while (member := archive.next()) is not None:
                end = _member(look, view, member, torch_tars.MEMBERS.get(member.name, "") if torch else "")
                if not member.offset_data & (member.offset_data - 1):  # where HDF5 could be; or they would be many
                    starts.add(member.offset_data)
                if member.name in names:
                    look.say("archive-twins", member.offset, f"{printable(member.name, 80)} is there twice")
                names.add(member.name)
                vars(archive)["members"] = []  # or a million of them would be kept
                if look.part.observations and look.part.observations[-1].kind == "unread":
                    break
    except Exception as error:  # ValueError, OverflowError and others besides its own
        look.unread(end, f"the archive cannot be read to its end: {printable(str(error), 80)}")
    end = min(end, len(view))
    if end == len(view) or any(view[end : end + tarfile.BLOCKSIZE]):
        look.unread(end, "the archive ends without the block of zeros that is its end: members may be lost")
    end += behind_zeros(view[end:])
    if end < len(view) and not any(each.kind == "unread" for each in look.part.observations):
        look.say("after-stop", end, f"{len(view) - end:,} bytes follow after the archive")
        look.into("behind the archive", view[end:], end)

    hdf5_elsewhere(look, view, starts)


def _headers(view: memoryview) -> Iterator[tuple[int, bytes, int]]:
    """Where each header stands, the header, and how many bytes follow it."""
    at = 0
    while at + tarfile.BLOCKSIZE <= len(view):
        block = bytes(view[at : at + tarfile.BLOCKSIZE])
        if not any(block):
            return
        digits = block[124:136].strip(b" \0")
        # Larger ones than octal digits say are written in binary.
        size = int.from_bytes(block[125:136], "big") if block[124] & 0x80 else int(digits, 8) if _OCTAL(digits) else 0
        yield at, block, size
        at += tarfile.BLOCKSIZE * (1 + -(-size // tarfile.BLOCKSIZE))


def _odd_header(view: memoryview) -> int | None:
    """Where a header for long names is too long: what reads it takes the square of its length."""
    odd = (at for at, block, size in _headers(view) if block[156:157] in _LONG and size > _LONG_MAX)
    return next(odd, None)


def _is_of_torch(view: memoryview) -> bool:
    wanted = {name.encode() for name in torch_tars.MEMBERS}
    for _, block, _ in _headers(view):
        wanted.discard(block[:_NAME].rstrip(b"\0"))
    return not wanted


def _member(look: Look, view: memoryview, member: tarfile.TarInfo, kind: str) -> int:
    """Where it ends, in blocks of 512 bytes."""
    # One of an unknown type is unpacked as a file.
    is_file = member.isreg() or member.type not in tarfile.SUPPORTED_TYPES
    name, size = printable(member.name, 80), member.size if is_file else 0
    start, end = member.offset_data, member.offset_data + size
    for text in tricks_of(member.name, _MODES.get(member.type, 0)):
        look.say("archive-name", member.offset, text)
    look.span(member.offset, start, "header", name)
    look.span(start, min(end, len(view)), "nested", name)
    if end > len(view):
        look.unread(start, f"{name} reaches past the end of the archive")
    elif member.issparse():
        look.unread(start, f"{name} is a sparse file, which cannot be read here")
    elif is_file:
        look.into(member.name, view[start:end], start, kind=kind)
    return -(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
