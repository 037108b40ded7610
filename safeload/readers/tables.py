"""How long it takes to fill a dict or a set: CPython's tables, played through with nothing but hashes.

Equal hashes are not all that costs. The low bits of a hash tell where a key goes, and where it goes next, if that place
is taken, five more of them each time (``perturb``). When they are used up, all keys follow one path: 120,000 integers
along that path, and 50,000 that come to it in the end, take 20 seconds to load from a file of a megabyte, and no two
hash alike. So steps are counted. Sources: Objects/dictobject.c (``find_empty_slot``, ``insertion_resize``),
Objects/setobject.c (``set_add_entry``, ``set_table_resize``).
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safeload.readers.nodes import Node

__all__ = ["STEPS_MAX", "Filled", "Table"]

# Steps over the whole of a file, above what its keys may take.
STEPS_MAX = 1 << 20
# Of the keys that people have, multiples of a power of two walk furthest: 10 to 60 steps each in a dict (in one of more
# than 300,000 even more), and 30 to 210 in a set, where most are to the next place. A step takes 3 to 30 nanoseconds
# where the container is made, one onto an equal hash 15 to 40, and any 60 here.
_STEPS_IN_DICT, _STEPS_IN_SET = 64, 256
_ALL_BITS = 2 * sys.maxsize + 1
_SHIFT = 5
_LEAST = 8
_LINEAR = 9  # places that a set looks at one behind the other, in one line of the processor's cache
_BIG_SET = 50_000


class Table:
    """A dict, or a set. `steps` are the taken places that were met while it was filled.

    It takes 12 bytes a key, and a microsecond. A key that is put in twice counts as two: picklers do not.
    """

    __slots__ = ("_hashes", "_is_set", "_mask", "_room", "_taken", "steps")

    def __init__(self, *, is_set: bool) -> None:
        self._is_set = is_set
        self._hashes = array("q")
        self.steps = 0
        self._resize(_LEAST)

    def allowed(self, keys: int) -> int:
        """How many steps so many keys may take."""
        return keys * (_STEPS_IN_SET if self._is_set else _STEPS_IN_DICT)

    def extend(self, hashes: Sequence[int], most: int) -> None:
        """Put keys in. It ends early when `steps` are more than `most`."""
        at = 0
        while at < len(hashes) and self.steps <= most:
            if self._room <= 0:
                self._grow(most)
            part = hashes[at : at + self._room]
            self._hashes.extend(part)
            self._put(part, most)
            at += len(part)

    def _put(self, hashes: Sequence[int], most: int) -> None:
        if self._is_set:
            self._put_into_set(hashes, most)
        else:
            self._put_into_dict(hashes, most)
        self._room -= len(hashes)

    def _put_into_dict(self, hashes: Sequence[int], most: int) -> None:
        taken, mask, steps = self._taken, self._mask, self.steps
        for each in hashes:
            at = each & mask
            if taken[at]:
                perturb = each & _ALL_BITS
                while taken[at]:
                    perturb >>= _SHIFT
                    at = (at * 5 + perturb + 1) & mask
                    steps += 1
                if steps > most:
                    break
            taken[at] = 1
        self.steps = steps

    def _put_into_set(self, hashes: Sequence[int], most: int) -> None:
        taken, mask = self._taken, self._mask
        for each in hashes:
            at = each & mask
            if taken[at]:
                at = self._free(each & _ALL_BITS)
                if self.steps > most:
                    break
            taken[at] = 1

    def _free(self, perturb: int) -> int:
        taken, mask = self._taken, self._mask
        at = perturb & mask
        while True:
            behind = at + _LINEAR + 1 if at + _LINEAR <= mask else at + 1
            found = taken.find(0, at, behind)
            if found >= 0:
                self.steps += found - at
                return found
            self.steps += behind - at
            perturb >>= _SHIFT
            at = (at * 5 + perturb + 1) & mask

    def _grow(self, most: int) -> None:
        """The keys are moved into a larger table, and walk again."""
        keys, size = len(self._hashes), _LEAST
        # A dict becomes the least power of two from three times its keys on, a set the first above twice or four times.
        wanted = 3 * keys - 1 if not self._is_set else 2 * keys if keys > _BIG_SET else 4 * keys
        while size <= wanted:
            size *= 2
        self._resize(size)
        self._put(self._hashes, most)

    def _resize(self, size: int) -> None:
        self._taken, self._mask = bytearray(size), size - 1
        # A set is enlarged as soon as it is three fifths full, a dict when one key more than two thirds come.
        self._room = -(-(size - 1) * 3 // 5) if self._is_set else size * 2 // 3


class Filled:
    """A container that is being filled. `seeded` counts keys that wait to be put into the table, which is there when
    others are more than `few`."""

    __slots__ = ("few", "is_set", "node", "seeded", "table")

    def __init__(self, node: Node, *, is_set: bool) -> None:
        self.node, self.is_set = node, is_set  # the node is held, so that no other gets its id
        self.few: list[int] = []
        self.seeded = 0
        self.table: Table | None = None
