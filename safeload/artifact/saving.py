"""One member, saved: written, described, signed, and put in place when all of it is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from safeload.artifact.description import describe
from safeload.artifact.needs import loading_needs
from safeload.artifact.writer import ArtifactWriter
from safeload.codecs.summary import summarise
from safeload.container.atomic import atomic_file
from safeload.container.names import check_name
from safeload.container.strictjson import to_bytes
from safeload.errors import FormatError
from safeload.limits import DEFAULT_LIMITS
from safeload.text import printable
from safeload.warn import warn_caller

if TYPE_CHECKING:
    from safeload.codecs.summary import Summary
    from safeload.container.encodings import Compression
    from safeload.container.manifest import Manifest
    from safeload.keys import Audience, Signer

__all__ = ["PolicyWarning", "json_object", "save_member"]

File = str | os.PathLike[str] | IO[bytes]


class PolicyWarning(UserWarning):
    """What was saved will not load with the default policy alone."""


def save_member(
    filename: File,
    member: str,
    kind: Callable[[Summary], str],
    write: Callable[[IO[bytes]], None],
    compression: Compression,
    signer: Signer,
    digest: str,
    metadata: dict[str, Any],
    *,
    name: str | None = None,
    audience: Audience | None = None,
    warn: bool = True,
) -> Manifest:
    """Write a file of one member; `kind` names its kind when its summary is known; `warn` of what loading will need.

    `name` is the model's. Raises ValueError if it is none.
    """
    if name is not None:
        _check_name(name)
    with _target(filename) as (fd, scratch):
        writer = ArtifactWriter(fd, digest=digest, compression=compression, scratch=scratch, audience=audience)
        plain = writer.add(member, write)
        summary = summarise(plain, DEFAULT_LIMITS)
        manifest = writer.finish(signer, describe(summary, metadata, name), kinds=[kind(summary)])
    if warn and (needs := loading_needs(summary, manifest)):
        warn_caller(needs, PolicyWarning)
    return manifest


def _check_name(name: str) -> None:
    """The names of models are made like those of members: a trust store's patterns go by their parts."""
    try:
        check_name(name)
    except FormatError as error:
        raise ValueError(f"{printable(name)!r} is no name for a model: {error.message}") from None


@contextmanager
def _target(file: File) -> Iterator[tuple[int, str | None]]:
    """A descriptor to write to, and the folder for scratch files.

    A file object gets the bytes only when all are there.
    """
    if isinstance(file, (str, os.PathLike)):
        with atomic_file(file) as fd:
            yield fd, str(Path(os.path.realpath(file)).parent)
        return
    if not hasattr(file, "write"):
        raise ValueError(f"filename must be a path or a file object, got {type(file).__name__}")
    with tempfile.TemporaryFile() as temporary:
        yield temporary.fileno(), None
        temporary.seek(0)
        shutil.copyfileobj(temporary, file, 4 << 20)


def json_object(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata must be a dict of JSON values, got {type(metadata).__name__}")
    try:
        to_bytes(dict(metadata))
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata must be JSON: {error}") from None
    return dict(metadata)
