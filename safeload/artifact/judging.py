"""A file held against a policy, whoever made it: facts about its payload come out of here, never its object."""

from __future__ import annotations

import io
import os
from typing import IO, TYPE_CHECKING

from safeload.artifact.opened import UnverifiedArtifact, check_prelude, file_name
from safeload.codecs.base import is_stream
from safeload.codecs.boosters import classes_beside
from safeload.codecs.judging import NO_STREAM, needs_of_bytes
from safeload.container.encodings import IDENTITY
from safeload.container.frames import decode_member
from safeload.container.layout import MAGIC
from safeload.container.source import allocate, open_source
from safeload.errors import CodecError, LimitError, SafeloadError, UnsupportedError
from safeload.kinds import OUT_OF_BAND

if TYPE_CHECKING:
    from safeload.container.manifest import Member
    from safeload.limits import Limits
    from safeload.policy import Policy
    from safeload.policy.needs import Needs

__all__ = ["needs_of_file"]

File = str | os.PathLike[str] | IO[bytes]


def needs_of_file(source: File, policy: Policy, limits: Limits) -> Needs:
    """What a plain file or the payload of an artifact needs. Raises SafeloadError where it cannot be told, OSError."""
    name = file_name(source)
    opened = open_source(source)
    try:
        if opened.read(0, min(opened.size, len(MAGIC))) == MAGIC:
            again = source if isinstance(source, (str, os.PathLike)) else io.BytesIO(opened.read(0, opened.size))
            return _of_artifact(again, policy, limits, name)
        data = allocate(opened.size)
        opened.read_into(0, data)
        return needs_of_bytes(data, len(data), policy, limits, file=name, artifact=False)
    except SafeloadError as error:
        error.locate(name)
        raise
    finally:
        opened.close()


def _of_artifact(file: File, policy: Policy, limits: Limits, name: str) -> Needs:
    with UnverifiedArtifact(file, limits=limits) as opened:
        check_prelude(opened.layout.prelude, opened.claimed.prelude)
        if opened.layout.encrypted:
            raise UnsupportedError(
                "unsupported-encryption", "the payload is encrypted, so nobody can say what it needs"
            )
        kinds = [member.kind for member in opened.claimed.members]
        beside = kinds.count(OUT_OF_BAND)
        made = [] if kinds in (["joblib"], ["pickle", *[OUT_OF_BAND] * beside]) else classes_beside(kinds)
        if made is None:
            raise CodecError(
                "this artifact holds no pickle, but files in formats of their own",
                hint="safeload scan FILE says what is in it, and safeload unpack FILE -o DESTINATION gives it",
            )
        stream = next((member for member in opened.claimed.members if is_stream(member.kind)), None)
        plain = NO_STREAM if stream is None else _plain(opened, stream, limits)
        stored = len(plain) if stream is None else stream.stored
    return needs_of_bytes(plain, stored, policy, limits, file=name, artifact=True, made=made, beside=beside)


def _plain(opened: UnverifiedArtifact, member: Member, limits: Limits) -> memoryview:
    """The plain bytes of a member, held against the file's own digests: against damage, not against forgery."""
    if member.size > member.stored and member.size > (most := limits.expanded(member.stored)):
        raise LimitError("expansion", f"the member decompresses to {member.size:,} bytes, more than {most:,}")
    payload = allocate(opened.layout.prelude.payload_len)
    opened.table(opened.claimed).read(opened.source, opened.layout.prelude.payload_off, [(0, payload)])
    stored = payload[member.offset : member.offset + member.stored]
    return stored if member.encoding == IDENTITY else decode_member(member, stored)
