"""Files behind URLs, by fsspec: ``s3://``, ``gs://``, ``hf://``. Copied into a file without a name, and read there."""

from __future__ import annotations

import mmap
import tempfile
from typing import TYPE_CHECKING, Any

from safeload.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_url", "remote_files", "remote_view"]

_CHUNK = 8 << 20


def is_url(path: str) -> bool:
    scheme, colon, _ = path.partition("://")
    return bool(colon) and scheme.replace("+", "").isalnum() and len(scheme) > 1


def _filesystem(url: str) -> tuple[Any, str]:
    """Raises MissingExtraError without fsspec, or without what its scheme needs."""
    try:
        from fsspec.core import url_to_fs

        found: tuple[Any, str] = url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(
            f"{url.partition('://')[0]}:// needs {error.name or 'fsspec'}",
            extra="remote",
            hint="pip install 'safeload[remote]', and what fsspec needs for that scheme, such as s3fs",
        ) from None
    return found


def remote_files(url: str) -> Iterator[str]:
    """The URL of each file below `url`, or `url` itself. Raises MissingExtraError, and whatever a service raises."""
    filesystem, path = _filesystem(url)
    if not filesystem.isdir(path):
        yield url
        return
    for found in sorted(filesystem.find(path)):
        yield filesystem.unstrip_protocol(found)


def remote_view(url: str, most: int) -> memoryview:
    """The bytes behind `url`. Raises OSError, MissingExtraError, ValueError for more than `most`."""
    filesystem, path = _filesystem(url)
    size = 0
    with tempfile.TemporaryFile() as file:
        with filesystem.open(path, "rb", block_size=_CHUNK) as opened:
            while piece := opened.read(_CHUNK):
                size += len(piece)
                if size > most:
                    raise ValueError(f"it is larger than {most:,} bytes")
                file.write(piece)
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)) if size else memoryview(b"")
