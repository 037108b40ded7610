"""A file held against a policy, whoever made it: facts about its payload come out of here, never its object."""

from __future__ import annotations

import io
import os
from typing import IO, TYPE_CHECKING

from safeload.artifact.opened import UnverifiedArtifact, check_prelude, file_name
from safeload.codecs.judging import needs_of_bytes
from safeload.container.encodings import IDENTITY
from safeload.container.frames import decode_member
from safeload.container.layout import MAGIC
from safeload.container.source import allocate, open_source
from safeload.errors import CodecError, LimitError, SafeloadError, UnsupportedError
from safeload.kinds import OUT_OF_BAND

if TYPE_CHECKING:
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
        plain = _payload(opened, limits)
        stored = opened.claimed.members[0].stored
        beside = len(opened.claimed.members) - 1
    return needs_of_bytes(plain, stored, policy, limits, file=name, artifact=True, beside=beside)


def _payload(opened: UnverifiedArtifact, limits: Limits) -> memoryview:
    """The plain bytes of the stream, held against the file's own digests: against damage, not against forgery."""
    claimed = opened.claimed
    check_prelude(opened.layout.prelude, claimed.prelude)
    if opened.layout.encrypted:
        raise UnsupportedError("unsupported-encryption", "the payload is encrypted, so nobody can say what it needs")
    member, *others = claimed.members
    if member.kind not in ("joblib", "pickle") or any(other.kind != OUT_OF_BAND for other in others):
        raise CodecError("this artifact holds no single object but files", hint="safeload unpack FILE -o DESTINATION")
    if member.size > member.stored and member.size > (most := limits.expanded(member.stored)):
        raise LimitError("expansion", f"the member decompresses to {member.size:,} bytes, more than {most:,}")
    payload = allocate(opened.layout.prelude.payload_len)
    opened.table(claimed).read(opened.source, opened.layout.prelude.payload_off, 0, payload)
    stored = payload[: member.stored]  # the first member begins at 0
    return stored if member.encoding == IDENTITY else decode_member(member, stored)
