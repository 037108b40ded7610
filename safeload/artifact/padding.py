"""The bytes between members, which must be zero (docs/format.md, section 3)."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

from safeload.errors import CorruptMemberError
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.container.manifest import Member

__all__ = ["Padding", "nonzero"]


class Padding:
    """The gaps between members, found by binary search for each leaf that passes."""

    def __init__(self, members: tuple[Member, ...]) -> None:
        self._members = members
        self._ends = [member.offset + member.stored for member in members]

    def check(self, start: int, leaf: memoryview) -> None:
        end = start + len(leaf)
        # The first gap that can reach into this leaf begins less than one alignment before it.
        index = bisect.bisect_left(self._ends, start - 64)
        while index + 1 < len(self._members) and self._ends[index] < end:
            gap, after = self._ends[index], self._members[index + 1]
            if any(leaf[max(gap - start, 0) : max(after.offset - start, 0)]):
                raise nonzero(after)
            index += 1


def nonzero(member: Member) -> CorruptMemberError:
    return CorruptMemberError(
        "member-padding", f'the bytes before member "{printable(member.name)}" are not zero', member=member.name
    )
