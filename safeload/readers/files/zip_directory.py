"""The directory of a zip archive, and what is no member of it. Source: PKWARE's APPNOTE 6.3.10, 4.3.9 to 4.3.16."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safeload.readers.files.plain import behind_zeros
from safeload.text import printable

if TYPE_CHECKING:
    import zipfile

    from safeload.readers.files.look import Look

__all__ = ["behind", "check_end", "hidden", "twins"]

_LOCATOR, _RECORD = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_END, _END_MAGIC = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
_ELSEWHERE = "the end of the archive leads to another directory than stands before it"
_DESCRIPTOR = 24  # behind a member whose sizes were not known before


def twins(look: Look, infos: list[zipfile.ZipInfo]) -> None:
    """Names that are one and the same file to some reader, or on some system."""
    seen: dict[str, str] = {}
    for info in infos:
        key = info.filename.casefold().replace("\\", "/").rstrip("/")
        if key in seen:
            shown = printable(info.filename, 80)
            same = info.filename == seen[key]
            text = f"{shown} is there twice" if same else f"{shown} and {printable(seen[key], 80)} differ only in case"
            look.say("archive-twins" if same else "archive-name", max(info.header_offset, 0), text)
        seen.setdefault(key, info.filename)


def hidden(look: Look, view: memoryview, members: list[tuple[int, int, str]], first: int) -> None:
    """What stands before, between or behind the members, `(start, end, name)`: other readers may find it."""
    at = 0
    for start, end, name in sorted(members):
        if start < at:
            look.say("archive-overlap", start, f"{printable(name, 80)} shares its bytes with another member")
        _between(look, view, at, start)
        at = max(at, end)
    _between(look, view, at, min(first, len(view)))


def behind(look: Look, view: memoryview, comment: bytes) -> None:
    """The comment of the archive, and what comes after it."""
    tail = max(0, len(view) - _END.size - (1 << 16))
    end = tail + bytes(view[tail:]).rfind(_END_MAGIC) + _END.size
    if comment:
        look.into("the comment", view[end : end + len(comment)], end)
    end += len(comment) + behind_zeros(view[end + len(comment) :])
    if end < len(view):
        look.say("after-stop", end, f"{len(view) - end:,} bytes follow after the archive")
        look.into("behind the archive", view[end:], end)


def check_end(look: Look, view: memoryview, count: int) -> None:
    """The end, and that of zip64, lead to one directory. Python reads the record before the locator; others follow it.

    APPNOTE, 4.3.14 to 4.3.16.
    """
    tail = max(0, len(view) - _END.size - (1 << 16))
    end = tail + bytes(view[tail:]).rfind(_END_MAGIC)
    _, disk, other, here, entries, size, offset, _ = _END.unpack_from(view, end)
    if disk or other:
        look.say("archive-header", end, "the archive says that it is one of several disks")
    locator = end - _LOCATOR.size
    if locator >= 0 and bytes(view[locator : locator + 4]) == b"PK\x06\x07":
        _, _, record, _ = _LOCATOR.unpack_from(view, locator)
        if record != locator - _RECORD.size or bytes(view[record : record + 4]) != b"PK\x06\x06":
            look.say("archive-hidden", locator, _ELSEWHERE)
            return
        fields = _RECORD.unpack_from(view, record)
        end, entries, here, size, offset = record, fields[7], fields[6], fields[8], fields[9]
    if entries != here or entries != count:
        look.say(
            "archive-header", end, f"the archive says that it has {entries:,} members, and its directory has {count:,}"
        )
    if offset + size != end and bytes(view[offset : offset + 4]) == b"PK\x01\x02":
        look.say("archive-hidden", end, _ELSEWHERE)


def _between(look: Look, view: memoryview, start: int, end: int) -> None:
    piece = view[start:end]
    if end - start <= _DESCRIPTOR or behind_zeros(piece) == len(piece):  # which is padding
        return
    look.say("archive-hidden", start, f"{end - start:,} bytes stand in the archive that are no member of it")
    look.into("between the members" if start else "before the archive", piece, start)
