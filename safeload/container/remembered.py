"""Manifests that were parsed before: a service may load one small model again for each request.

The same bytes say the same; what callers may write to is theirs alone.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safeload.container.manifest_json import manifest_from_json

if TYPE_CHECKING:
    from safeload.container.manifest import Manifest

__all__ = ["remembered_manifest"]

_SIZE_MAX, _KEPT_MAX = 1 << 16, 64
_parsed = functools.lru_cache(maxsize=_KEPT_MAX)(manifest_from_json)


def remembered_manifest(data: bytes) -> Manifest:
    """As `manifest_from_json`. Raises FormatError."""
    if len(data) > _SIZE_MAX:
        return manifest_from_json(data)
    manifest = _parsed(data)
    environment, encryption = manifest.environment, manifest.encryption
    recipients = tuple(map(dict, encryption.recipients)) if encryption else ()
    return replace(
        manifest,
        metadata=_copy(manifest.metadata),
        environment=replace(environment, distributions={**environment.distributions}),
        encryption=replace(encryption, recipients=recipients) if encryption else None,
    )


def _copy(value: Any) -> Any:
    """Of what JSON makes, which is not deep (strictjson.py)."""
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if type(value) is list else value
