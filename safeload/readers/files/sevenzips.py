"""7z archives, by py7zr: into memory, within limits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from safeload.errors import LimitError
from safeload.readers.files.names import tricks_of
from safeload.readers.files.views import ViewFile
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["read"]

_MEMORY = 256 << 20


def read(look: Look, view: memoryview) -> None:
    try:
        import py7zr
    except ImportError:
        look.unread(0, "7z archives are read with py7zr, which is not installed", extra="scan")
        return
    file: Any = io.BufferedReader(ViewFile(view))
    try:
        with py7zr.SevenZipFile(file) as archive:
            products = _unpacked(look, archive)
    except LimitError as error:
        look.unread(0, error.message)
        return
    except Exception as error:  # each of its decoders has errors of its own
        look.unread(0, f"the archive cannot be read: {printable(str(error), 80)}")
        return
    look.span(0, len(view), "nested")
    for name, made in products.items():
        for text in tricks_of(name):
            look.say("archive-name", 0, text)
        made.seek(0)
        look.into(name, memoryview(made.read()))


def _unpacked(look: Look, archive: Any) -> dict[str, Any]:
    """Name -> what can be read. Raises LimitError."""
    from py7zr.io import BytesIOFactory

    size = sum(info.uncompressed for info in archive.list())
    if size > _MEMORY:
        raise LimitError("expansion", f"the archive unpacks to {size:,} bytes, more than are taken into memory")
    look.budget.expand(size)
    factory = BytesIOFactory(_MEMORY)
    archive.extractall(factory=factory)
    products: dict[str, Any] = factory.products
    return products
