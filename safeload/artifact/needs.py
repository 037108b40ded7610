"""What loading a file will need beyond the defaults, said when it is saved: then somebody can still do something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.codecs.base import is_stream
from safeload.codecs.summary import is_keras
from safeload.limits import DEFAULT_LIMITS
from safeload.policy.advice import advise
from safeload.readers.observations import Use
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.codecs.summary import Summary
    from safeload.container.manifest import Manifest
    from safeload.readers.observations import GlobalUse

__all__ = ["loading_needs"]

_NAMES_MAX = 3


def loading_needs(summary: Summary, manifest: Manifest, absent: frozenset[str] = frozenset()) -> str:
    """A sentence for a warning, or nothing where the defaults will do. `absent` are files that a model names, and that
    are not with it."""
    if absent:
        names = ", ".join(printable(name, 80) for name in sorted(absent)[:_NAMES_MAX])
        return f"loading this will be refused: its numbers are in {names}; pack the folder that holds both"
    if summary.denied:
        return _names(summary.denied)
    if summary.facts and any(is_stream(member.kind) or is_keras(member.kind) for member in manifest.members):
        return f"loading this will be refused: {summary.facts[0]}"
    size = sum(member.size for member in manifest.members)
    if size > manifest.prelude.payload_len and size > DEFAULT_LIMITS.expanded(manifest.prelude.payload_len):
        return f"loading this will need: limits=safeload.Limits(expansion_floor={size})"
    return ""


def _names(denied: tuple[GlobalUse, ...]) -> str:
    called = sorted({each.path for each in denied if Use.CALLED in each.use})
    never = sorted({each.path for each in denied if Use.CALLED in each.use and not advise(each, each.use).option})
    if never:
        return f"loading this will be refused: it calls {', '.join(map(printable, never))}"
    others = sorted({each.path for each in denied} - set(called))
    options = [f"--allow {printable(path)}" for path in others] + [f"--allow-call {printable(path)}" for path in called]
    method = "".join(
        f".allow({', '.join(repr(printable(path)) for path in paths)}{use})"
        for paths, use in ((others, ""), (called, ', use=("new", "build", "reference", "call")'))
        if paths
    )
    return f"loading this will need: policy=safeload.Policy.default(){method}; on the command line {' '.join(options)}"
