"""Manifest <-> JSON. Untrusted text becomes the frozen types here, once; errors say where."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime

from safeload.container.encodings import ENCODINGS, IDENTITY
from safeload.container.encryption_json import encryption_from_json
from safeload.container.fields import Fields, bad_value
from safeload.container.layout import FLAG_ENCRYPTED, LEAF, align, leaf_count
from safeload.container.leaves import DIGESTS
from safeload.container.manifest import (
    Arrays,
    Environment,
    LargestArray,
    Manifest,
    Member,
    ModelInfo,
    PayloadInfo,
    PreludeRecord,
)
from safeload.container.names import check_name, check_names
from safeload.container.strictjson import parse_object, to_bytes
from safeload.errors import FormatError, UnsupportedError
from safeload.text import printable

__all__ = ["manifest_from_json", "manifest_to_json", "parse_time"]

_KIND = re.compile(r"[a-z0-9._-]{1,64}\Z")
_HEX32 = re.compile(r"[0-9a-f]{32}\Z")
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_MEMBERS_MAX = 65_536


def manifest_to_json(manifest: Manifest) -> bytes:
    """The bytes that are signed."""
    return to_bytes(asdict(manifest))


def manifest_from_json(data: bytes) -> Manifest:
    """Strict parse. Raises FormatError with the violation and the path of the field."""
    top = Fields(parse_object(data), "")
    if top.integer("v") != 1:
        raise bad_value("v", "is not 1")
    manifest = Manifest(
        prelude=_prelude(top.fields("prelude")),
        payload=_payload(top.fields("payload")),
        members=_members(top),
        created=_time(top.string("created"), "created"),
        environment=_environment(top.fields("environment")),
        globals=top.strings("globals"),
        arrays=_arrays(top.fields("arrays")),
        metadata=top.mapping("metadata"),
        model=_model(top.optional_fields("model")),
        encryption=encryption_from_json(top.optional_fields("encryption")),
        crit=top.strings("crit"),
    )
    top.done(ignore="x-")
    if manifest.crit:
        raise UnsupportedError(
            "unsupported-crit",
            f'the manifest demands the extension "{printable(manifest.crit[0])}", unknown to this version',
            hint="install a newer safeload",
        )
    if list(manifest.globals) != sorted(set(manifest.globals)):
        raise bad_value("globals", "is not sorted, or names one twice")
    _check_placement(manifest)
    return manifest


def _prelude(fields: Fields) -> PreludeRecord:
    record = PreludeRecord(
        major=fields.integer("major"),
        minor=fields.integer("minor"),
        flags=fields.integer("flags"),
        container_id=fields.matching("container_id", _HEX32),
        payload_off=fields.integer("payload_off"),
        payload_len=fields.integer("payload_len"),
    )
    fields.done()
    return record


def _payload(fields: Fields) -> PayloadInfo:
    payload = PayloadInfo(
        digest=fields.one_of("digest", DIGESTS), leaf=fields.integer("leaf"), root=fields.matching("root", _HEX64)
    )
    fields.done()
    if payload.leaf != LEAF:
        raise bad_value("payload.leaf", f"is not {LEAF}")
    return payload


def _members(top: Fields) -> tuple[Member, ...]:
    parts = top.list_of_fields("members")
    if not 1 <= len(parts) <= _MEMBERS_MAX:
        raise bad_value("members", f"has not 1 to {_MEMBERS_MAX:,} entries")
    members = tuple(_member(part) for part in parts)
    check_names(member.name for member in members)
    return members


def _member(fields: Fields) -> Member:
    member = Member(
        name=fields.string("name"),
        kind=fields.matching("kind", _KIND),
        offset=fields.integer("offset"),
        size=fields.integer("size"),
        stored=fields.integer("stored"),
        encoding=fields.string("encoding"),
        frames=fields.optional_lengths("frames"),
    )
    fields.done()
    check_name(member.name, fields.at("name"))
    _check_storage(member, fields)
    return member


def _check_storage(member: Member, fields: Fields) -> None:
    if member.encoding == IDENTITY:
        if member.frames is not None:
            raise FormatError("member-frames", f"an identity member has no frames (at {fields.at('frames')})")
        if member.size != member.stored:
            raise FormatError("member-size", f"size and stored of an identity member differ (at {fields.at('size')})")
        return
    if member.encoding not in ENCODINGS:
        raise UnsupportedError(
            "unsupported-encoding",
            f'the encoding "{printable(member.encoding)}" is unknown (at {fields.at("encoding")})',
        )
    frames = member.frames
    if (
        frames is None
        or len(frames) != leaf_count(member.size)
        or any(length < 1 for length in frames)
        or sum(frames) != member.stored
    ):
        raise FormatError("member-frames", f"the frames do not add up to the member (at {fields.at('frames')})")


def _check_placement(manifest: Manifest) -> None:
    encrypted = bool(manifest.prelude.flags & FLAG_ENCRYPTED)
    if encrypted != (manifest.encryption is not None):
        raise bad_value("encryption", "does not agree with the flag in the prelude")
    length = manifest.encryption.size if manifest.encryption else manifest.prelude.payload_len
    end = 0
    for index, member in enumerate(manifest.members):
        if member.offset != align(end):
            # A hole could hide bytes, an overlap could make one member two.
            raise FormatError(
                "member-offset", f"a member begins at {member.offset:,} instead of {align(end):,} (at members[{index}])"
            )
        end = member.offset + member.stored
        if end > length:
            raise FormatError("payload-length", f"a member ends past the payload (at members[{index}])")
    if end != length:
        raise FormatError("payload-length", f"the members end at {end:,}, the payload at {length:,}")


def _environment(fields: Fields) -> Environment:
    environment = Environment(
        python=fields.string("python"),
        platform=fields.string("platform"),
        distributions=fields.string_mapping("distributions"),
    )
    fields.done()
    return environment


def _arrays(fields: Fields) -> Arrays:
    arrays = Arrays(
        count=fields.integer("count"),
        bytes=fields.integer("bytes"),
        largest=_largest(fields.optional_fields("largest")),
    )
    fields.done()
    return arrays


def _largest(fields: Fields | None) -> LargestArray | None:
    if fields is None:
        return None
    largest = LargestArray(dtype=fields.string("dtype"), shape=fields.integers("shape"), bytes=fields.integer("bytes"))
    fields.done()
    return largest


def _model(fields: Fields | None) -> ModelInfo | None:
    if fields is None:
        return None
    version = fields.optional_integer("version")
    expires = fields.optional_string("expires")
    model = ModelInfo(
        name=fields.optional_string("name"),
        version=version,
        expires=None if expires is None else _time(expires, "model.expires"),
    )
    fields.done()
    if version is not None and version < 1:
        raise bad_value("model.version", "is below 1")
    return model


def parse_time(text: str) -> datetime:
    """``2026-11-21T04:25:40Z`` as an aware datetime. Raises ValueError."""
    if not _TIME.match(text):
        raise ValueError("not a time of the form 2026-11-21T04:25:40Z")
    return datetime.fromisoformat(text)


def _time(text: str, where: str) -> str:
    try:
        parse_time(text)
    except ValueError as error:
        raise bad_value(where, f"is {error}") from None
    return text
