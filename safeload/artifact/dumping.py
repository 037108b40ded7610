"""An object on its way into a file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from safeload.artifact.hyperparameters import hyperparameters_of
from safeload.artifact.saving import save
from safeload.codecs import codec_for

if TYPE_CHECKING:
    import os

    from safeload.artifact.saving import Writing
    from safeload.container.manifest import Manifest, ModelInfo

__all__ = ["dump_object"]


def dump_object(
    value: Any,
    filename: str | os.PathLike[str] | IO[bytes],
    writing: Writing,
    metadata: dict[str, Any],
    model: ModelInfo | None,
    protocol: int | None = None,
    codec: str | None = None,
) -> Manifest:
    """Save `value`; its hyperparameters become metadata. Raises CodecError for what cannot be pickled."""
    if protocol is not None and type(protocol) is not int:
        raise TypeError(f"protocol must be an int or None, got {type(protocol).__name__}")
    if "hyperparameters" not in metadata and (params := hyperparameters_of(value)) is not None:
        metadata = {**metadata, "hyperparameters": params}
    chosen = codec_for(value, codec)
    return save(filename, chosen.parts(value, protocol), writing, metadata, model, chosen.libraries)
