"""The members of a payload, plain: with the padding between them checked, and decompressed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from safeload.artifact.padding import nonzero
from safeload.artifact.payload import read_members
from safeload.codecs import Held
from safeload.container.encodings import IDENTITY
from safeload.container.frames import decode_member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.artifact.payload import Payload
    from safeload.container.manifest import Member

__all__ = ["held_members", "plain_members"]


def plain_members(payload: Payload, members: Sequence[Member], indices: Sequence[int]) -> list[memoryview]:
    """Those of some indices, in order, read in one go. Raises VerificationError, CorruptMemberError."""
    spans = [_span(members, index) for index in indices]
    views = read_members(payload, spans, [members[index].kind for index in indices])
    found = []
    for index, (begin, _), plain in zip(indices, spans, views, strict=True):
        member = members[index]
        gap = member.offset - begin
        if any(plain[:gap]):
            raise nonzero(member)
        stored = plain[gap:]
        found.append(stored if member.encoding == IDENTITY else decode_member(member, stored))
    return found


def held_members(payload: Payload, members: Sequence[Member], *, at_once: bool) -> list[Held]:
    """All of a member passes, as ciphertext and as plaintext, before the codec sees its first byte.

    What is compressed is read when it is asked for, so that not all of it is there twice.
    """
    plain = [index for index, member in enumerate(members) if member.encoding == IDENTITY] if at_once else []
    views = dict(zip(plain, plain_members(payload, members, plain), strict=True))

    def read(index: int) -> memoryview:
        """Nothing is kept here of what was handed over: the codec may make something else of it."""
        view = views.pop(index, None)
        return plain_members(payload, members, [index])[0] if view is None else view

    return [Held(member.name, member.kind, partial(read, index)) for index, member in enumerate(members)]


def _span(members: Sequence[Member], index: int) -> tuple[int, int]:
    """From the end of the member before: the padding between the two is checked on the way."""
    member = members[index]
    before = members[index - 1] if index else None
    return before.offset + before.stored if before else 0, member.offset + member.stored
