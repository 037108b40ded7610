"""Members, saved: written, described, signed, and put in place when all of it is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from safeload.artifact.description import describe
from safeload.artifact.needs import loading_needs
from safeload.artifact.writer import ArtifactWriter
from safeload.codecs.packed import packed_kind
from safeload.codecs.stated import stated_versions
from safeload.codecs.summary import merged, summarise
from safeload.container.atomic import atomic_file
from safeload.container.manifest import ModelInfo
from safeload.container.names import check_name
from safeload.container.strictjson import to_bytes
from safeload.errors import FormatError
from safeload.kinds import OUT_OF_BAND
from safeload.limits import DEFAULT_LIMITS, ScanLimits
from safeload.readers.files.table import numbers_beside
from safeload.text import printable
from safeload.warn import PolicyWarning, warn_caller

if TYPE_CHECKING:
    from safeload.codecs.base import Part
    from safeload.container.encodings import Compression
    from safeload.container.manifest import Manifest
    from safeload.keys import Audience, Signer

__all__ = ["Writing", "json_object", "model_info", "save"]

File = str | os.PathLike[str] | IO[bytes]


class Writing(NamedTuple):
    """How a file is written and signed, whatever is in it."""

    signer: Signer
    compression: Compression
    digest: str = "blake3"
    audience: Audience | None = None
    warn: bool = True  # of what loading will need


def save(
    filename: File,
    parts: Sequence[Part],
    writing: Writing,
    metadata: dict[str, Any],
    model: ModelInfo | None,
    libraries: tuple[str, ...] = (),
) -> Manifest:
    """Write a file of these members; the versions of `libraries` are recorded besides those that streams name."""
    with _target(filename) as (fd, scratch):
        writer = ArtifactWriter(
            fd, digest=writing.digest, compression=writing.compression, scratch=scratch, audience=writing.audience
        )
        views = [writer.add(part.name, part.write) for part in parts]
        beside = [part.kind for part in parts].count(OUT_OF_BAND)
        known = [part.kind or packed_kind(view) for part, view in zip(parts, views, strict=True)]
        summaries = [summarise(view, DEFAULT_LIMITS, kind, beside) for kind, view in zip(known, views, strict=True)]
        kinds = [
            "joblib" if part.kind is None and kind == "file" and summary.readable else kind
            for part, kind, summary in zip(parts, known, summaries, strict=True)
        ]
        summary = merged(summaries, kinds, libraries)
        named = [(kind, part.name, view) for kind, part, view in zip(kinds, parts, views, strict=True)]
        stated = {} if libraries else stated_versions(named)
        manifest = writer.finish(writing.signer, describe(summary, metadata, model, stated), kinds=kinds)
    is_alone = kinds == ["onnx.model"] and writing.warn
    absent = numbers_beside(views[0], ScanLimits()) if is_alone else frozenset()
    if writing.warn and (needs := loading_needs(summary, manifest, absent)):
        warn_caller(needs, PolicyWarning)
    return manifest


def model_info(name: str | None, version: int | None = None) -> ModelInfo | None:
    """What the manifest says of the model. Names are made like those of members: a trust store's patterns go by their
    parts. Raises ValueError."""
    if name is None:
        return None
    try:
        check_name(name)
    except FormatError as error:
        raise ValueError(f"{printable(name)!r} is no name for a model: {error.message}") from None
    return ModelInfo(name=name, version=version, expires=None)


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
