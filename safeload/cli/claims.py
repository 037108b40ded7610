"""What a file says of itself, as lines of at most 80 columns and as a document."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

from safeload.cli.wording import cut, holds, size
from safeload.keys import algorithm_name
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from safeload import Manifest, UnverifiedArtifact

__all__ = ["claims_document", "claims_lines"]

_WIDTH = 80
_LABEL = 13
_MOST = 20


def claims_document(opened: UnverifiedArtifact) -> dict[str, Any]:
    """All of it. ``verified`` is always false: only `safeload verify` can say otherwise."""
    claimed, prelude = opened.claimed, opened.layout.prelude
    return {
        "file": opened.name,
        "verified": False,
        "size": opened.layout.size,
        "format": {"major": prelude.major, "minor": prelude.minor, "flags": prelude.flags},
        "container_id": prelude.container_id.hex(),
        "created": claimed.created,
        "payload": {"size": prelude.payload_len, **dataclasses.asdict(claimed.payload)},
        "signatures": [{"keyid": each.keyid, "algorithm": algorithm_name(each.alg)} for each in opened.records],
        "members": [_member(each) for each in claimed.members],
        "environment": _plain(claimed.environment),
        "globals": list(claimed.globals),
        "arrays": _plain(claimed.arrays),
        "metadata": dict(claimed.metadata),
        "model": _plain(claimed.model),
        "encryption": _plain(claimed.encryption),
        "crit": list(claimed.crit),
    }


def _member(member: Any) -> dict[str, Any]:
    return {name: getattr(member, name) for name in ("name", "kind", "size", "stored", "encoding")}


def _plain(value: Any) -> Any:
    """JSON of the manifest's frozen types."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {name: _plain(item) for name, item in value.items()} if hasattr(value, "items") else value


def claims_lines(opened: UnverifiedArtifact) -> Iterator[str]:
    """For people: long lists are cut, and say so."""
    claimed, name = opened.claimed, printable(opened.name)
    yield f"{name}: claimed, not verified"
    yield ""
    for label, values in _sections(opened, claimed):
        for index, value in enumerate(values):
            yield cut(f"{'' if index else label:{_LABEL}}{value}", _WIDTH)
    yield ""
    yield f"No signature was checked. To check: safeload verify {name} --trust keys/"


def _sections(opened: UnverifiedArtifact, claimed: Manifest) -> Iterator[tuple[str, Iterable[str]]]:
    prelude = opened.layout.prelude
    yield "format", [f"safeload {prelude.major}.{prelude.minor}{', encrypted' if opened.layout.encrypted else ''}"]
    yield "container", [prelude.container_id.hex()]
    yield "created", [printable(claimed.created)]
    yield "size", [f"{size(opened.layout.size)}; payload {size(prelude.payload_len)}, {claimed.payload.digest}"]
    # Never cut: whose signatures a file bears is what the reader came for, and there are 32 at most.
    signatures = [part for each in opened.records for part in (algorithm_name(each.alg), each.keyid)]
    yield "signatures", signatures or ["none"]
    if claimed.model is not None:
        yield "model", [_model(claimed.model)]
    if claimed.encryption is not None:
        yield "readers", _readers(claimed.encryption)
    yield "environment", _environment(claimed)
    yield "members", _most(claimed.members, _member_line)
    yield "globals", _most(claimed.globals, printable) if claimed.globals else ["none"]
    yield "arrays", [_arrays(claimed.arrays)]
    if claimed.metadata:
        yield "metadata", _most(tuple(_flat(claimed.metadata)), str)


def _model(model: Any) -> str:
    parts = (
        printable(model.name or "without a name"),
        f"version {model.version}" if model.version is not None else "",
        f"expires {printable(model.expires)}" if model.expires else "",
    )
    return ", ".join(filter(None, parts))


def _readers(encryption: Any) -> Iterator[str]:
    """Never cut, as signatures are not: 64 at most."""
    for stanza in encryption.recipients:
        yield str(stanza["type"]) if "keyid" in stanza else "who knows the passphrase (argon2id)"
        if "keyid" in stanza:
            yield str(stanza["keyid"])


def _environment(claimed: Manifest) -> Iterator[str]:
    environment = claimed.environment
    yield f"Python {printable(environment.python)}, {printable(environment.platform)}"
    items = tuple(environment.distributions.items())
    yield from _most(items, lambda item: f"{printable(item[0])} {printable(item[1])}")


def _member_line(member: Any) -> str:
    # The name is last: whatever it is, it pushes nothing out of the line.
    return f"{printable(member.kind)}, {holds(member)}: {printable(member.name)}"


def _arrays(arrays: Any) -> str:
    if not arrays.count:
        return "none"
    text = f"{plural(arrays.count, 'array')}, {size(arrays.bytes)}"
    if arrays.largest is None:
        return text
    shape = ", ".join(map(str, arrays.largest.shape))
    return f"{text}; the largest {printable(arrays.largest.dtype)}[{shape}], {size(arrays.largest.bytes)}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """``hyperparameters.C = 1.0``: one level is unfolded."""
    for key, value in values.items():
        if isinstance(value, dict) and value and not prefix:
            yield from _flat(value, f"{printable(key)}.")
        else:
            yield f"{prefix}{printable(key)} = {_value(value)}"


def _value(value: Any) -> str:
    # What json escapes is escaped here in one way, printable's.
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _most(items: tuple[Any, ...], line: Any) -> Iterator[str]:
    yield from map(line, itertools.islice(items, _MOST))
    if len(items) > _MOST:
        yield f"... and {len(items) - _MOST:,} more; --json shows all"
