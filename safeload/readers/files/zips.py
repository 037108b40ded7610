"""Zip archives: npz, PyTorch since 1.6, ``.keras``, skops, and plain ones.

What stands in the central directory is held against the local headers, for readers differ in which they believe; the
directory itself, and what is in none, is zip_directory.py's. A member whose checksum is wrong is read all the same,
since some loaders do not look. Source: PKWARE's APPNOTE 6.3.10.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from safeload.errors import LimitError, StreamError
from safeload.readers.compressed import ZlibDecoder
from safeload.readers.files.embedded import hdf5_elsewhere
from safeload.readers.files.kinds import kind_of
from safeload.readers.files.names import tricks_of
from safeload.readers.files.packages import of_archive
from safeload.readers.files.pickles import names_something
from safeload.readers.files.plain import collected, decoded
from safeload.readers.files.squeezed import ENCODINGS
from safeload.readers.files.views import ViewFile
from safeload.readers.files.zip_directory import behind, check_end, hidden, twins
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safeload.readers.files.look import Look
    from safeload.readers.files.plain import Decoder

__all__ = ["NEVER_NUMBERS", "read"]

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_PIECE = 1 << 20
# What loaders take for pickles, whatever it begins with; and what no numbers begin with.
_PICKLES = ("/data.pkl", "/constants.pkl")
NEVER_NUMBERS = frozenset({"npy", "zip", "hdf5", "safeload", "7z"})
_ENCRYPTED, _PATCHED, _STRONG, _MASKED = 0x1, 0x20, 0x40, 0x2000


class _Member(NamedTuple):
    info: zipfile.ZipInfo
    start: int  # of the local header
    data: int
    end: int


def read(look: Look, view: memoryview) -> None:
    try:
        with zipfile.ZipFile(ViewFile(view)) as archive:
            infos, first, comment = archive.infolist(), archive.start_dir, archive.comment
    except Exception as error:  # struct.error, OverflowError, NotImplementedError and others besides its own
        look.unread(0, f"the archive's directory cannot be read: {printable(str(error), 80)}")
        _without_directory(look, view)
        hdf5_elsewhere(look, view, ())
        return
    behind(look, view, comment)
    check_end(look, view, len(infos))
    package = of_archive([info.filename for info in infos])
    look.part.kind = package.kind
    members: list[_Member] = []
    stored = 0
    for info in infos:
        member = _located(look, view, info)
        if member is None:
            continue
        members.append(member)
        stored += max(info.compress_size, 0)
        if stored > len(view):
            look.unread(member.start, "the members that follow share the bytes of those before: they are not read")
            break
        _member(look, view, member, is_data=package.is_data(info.filename))
    twins(look, infos)
    stored_at = [each.data for each in members if each.info.compress_type == zipfile.ZIP_STORED]
    hdf5_elsewhere(look, view, stored_at)
    hidden(look, view, [(each.start, each.end, each.info.filename) for each in members], first)


def _located(look: Look, view: memoryview, info: zipfile.ZipInfo) -> _Member | None:
    start, name = info.header_offset, printable(info.filename, 80)
    raw = bytes(view[start : start + _LOCAL.size]) if start >= 0 else b""
    if len(raw) < _LOCAL.size or not raw.startswith(_LOCAL_MAGIC):
        look.unread(max(start, 0), f"{name} is not where the directory says")
        return None
    fields = _LOCAL.unpack(raw)
    flags, method, length, extra = fields[2], fields[3], fields[9], fields[10]
    local = bytes(view[start + _LOCAL.size : start + _LOCAL.size + length])
    data = start + _LOCAL.size + length + extra
    if _decoded(local, flags) != info.orig_filename:
        shown = printable(str(local, "utf-8", "replace"), 80)
        look.say("archive-name", start, f"the directory says {name}, and the member itself {shown}")
    if method != info.compress_type:
        look.say("archive-header", start, f"the directory and the member say differently how {name} is compressed")
    if (flags ^ info.flag_bits) & (_ENCRYPTED | _PATCHED | _STRONG):
        look.say("archive-header", start, f"the directory and the member have different flags for {name}")
    return _Member(info, start, data, data + info.compress_size)


def _without_directory(look: Look, view: memoryview) -> None:
    """Members by their local headers alone, as they follow each other."""
    at = _find(view, _LOCAL_MAGIC, 0)
    while at + _LOCAL.size <= len(view):
        fields = _LOCAL.unpack_from(view, at)
        name, data = fields[9], at + _LOCAL.size + fields[9] + fields[10]
        info = zipfile.ZipInfo(_decoded(bytes(view[at + _LOCAL.size : at + _LOCAL.size + name]), fields[2]) or "?")
        info.header_offset, info.flag_bits, info.compress_type = at, fields[2], fields[3]
        info.CRC, info.compress_size, info.file_size = fields[6], fields[7], fields[8]
        following = _find(view, b"PK", data)
        if info.flag_bits & 0x8 or data + info.compress_size > len(view):  # the sizes stand behind the data
            info.compress_size, info.file_size, info.CRC = following - data, -1, 0
        _member(look, view, _Member(info, at, data, data + info.compress_size), is_data=False)
        at = _find(view, _LOCAL_MAGIC, max(data + info.compress_size, at + 4))


def _find(view: memoryview, magic: bytes, start: int) -> int:
    """Where `magic` stands from `start` on; the end, if nowhere."""
    at, step = start, 1 << 12
    while at < len(view):
        found = bytes(view[at : at + step + len(magic)]).find(magic)
        if found >= 0:
            return at + found
        at, step = at + step, min(4 * step, _PIECE)
    return len(view)


def _decoded(name: bytes, flags: int) -> str:
    try:
        return str(name, "utf-8" if flags & 0x800 else "cp437")
    except UnicodeDecodeError:
        return str(name, "cp437")


def _member(look: Look, view: memoryview, member: _Member, *, is_data: bool) -> None:
    info, name = member.info, printable(member.info.filename, 80)
    for text in tricks_of(info.filename, info.external_attr >> 16):
        look.say("archive-name", member.start, text)
    look.span(member.start, member.data, "header", name)
    look.span(member.data, member.end, "data" if is_data else "nested", name)
    if info.flag_bits & (_ENCRYPTED | _STRONG | _MASKED | _PATCHED):
        look.unread(member.start, f"{name} is encrypted, or patched, and cannot be read")
        return
    if info.filename.endswith("/") and not info.file_size:
        return
    if member.end > len(view):
        look.unread(member.start, f"{name} reaches past the end of the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        return
    try:
        plain, broken = _plain(look, view[member.data : member.end], info)
    except LimitError as error:
        look.unread(member.start, f"{name}: {error.message}")
        return
    if broken is not None:
        look.unread(member.start, f"{name}: {broken.message}")
    elif info.file_size >= 0 and (len(plain) != info.file_size or (info.CRC and zlib.crc32(plain) != info.CRC)):
        look.say("archive-checksum", member.start, f"size or checksum of {name} is not what the directory says")
    if not is_data or names_something(look, plain) or kind_of(plain) in NEVER_NUMBERS:
        kind = "pickle" if info.filename.endswith(_PICKLES) else ""
        look.into(info.filename, plain, member.data, kind=kind, packed=info.compress_type != zipfile.ZIP_STORED)


def _plain(look: Look, stored: memoryview, info: zipfile.ZipInfo) -> tuple[memoryview, StreamError | None]:
    if info.compress_type == zipfile.ZIP_STORED:
        look.budget.expand(len(stored))  # many entries may name one member
        return stored, None
    make = _METHODS.get(info.compress_type)
    if make is None:
        return memoryview(b""), StreamError(f"compression method {info.compress_type} is not known here", offset=0)
    return collected(decoded(make, stored), look.budget)


_METHODS: Mapping[int, Callable[[], Decoder]] = {
    zipfile.ZIP_DEFLATED: lambda: ZlibDecoder(-zlib.MAX_WBITS),  # raw
    zipfile.ZIP_BZIP2: ENCODINGS["bz2"],
    93: ENCODINGS["zstd"],
}
