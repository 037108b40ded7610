"""What a reader says of a stream: facts with byte offsets. A policy says whether they matter."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.rows import Repeats

__all__ = ["ArrayData", "Construction", "Fact", "GlobalUse", "Stream", "Use", "WholeWrapper", "arrays_of"]


class Use(enum.Flag):
    """How a stream uses a global."""

    REFERENCED = enum.auto()
    CALLED = enum.auto()
    INSTANTIATED = enum.auto()
    BUILT = enum.auto()
    FILLED = enum.auto()
    # BUILT from something else than a dict of plain names: a tuple, slots
    SHAPED = enum.auto()
    # filled at its end, by a method that CPython asks the object for
    EXTENDED = enum.auto()
    # filled under keys that are no plain strings
    KEYED = enum.auto()
    # its objects are keys of a dict or members of a set: CPython asks them for a hash, and whether they are equal
    HASHED = enum.auto()

    @property
    def words(self) -> str:
        return " and ".join(_WORDS.get(use) or str(use.name).lower() for use in Use if use in self)


_WORDS = {
    Use.SHAPED: "built from a state that is no dict",
    Use.KEYED: "filled under keys that are no plain strings",
    Use.HASHED: "hashed, as a key,",
}


@dataclass(frozen=True, slots=True)
class GlobalUse:
    """One GLOBAL or STACK_GLOBAL opcode. ``stream_*`` are the names as they stand there: protocols
    below 3 write Python 2's, which the unpickler renames. ``owners`` are the globals in whose arguments or
    state it stands directly; ``free`` says that it stands elsewhere too. ``arguments`` are those of its first call, in
    words, where somebody will read them."""

    module: str
    name: str
    offset: int
    use: Use
    stream_module: str
    stream_name: str
    owners: frozenset[tuple[str, str]] = frozenset()
    free: bool = False
    arguments: str = ""

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that no pickler writes, such as a computed name. ``kind`` is a slug."""

    kind: str
    offset: int
    text: str


class WholeWrapper(NamedTuple):
    """A plain wrapper that begins at ``start``, made ``memoised`` memo entries that nobody asks for, and has the
    dtype that the opcode ``get_dtype`` fetches. ``order`` is ``"C"`` or ``"F"``."""

    start: int
    memoised: int
    get_dtype: bytes
    order: str


class ArrayData(NamedTuple):
    """A joblib array wrapper and the raw bytes behind it.

    ``end_of_build`` is the first byte after the wrapper's BUILD; the data are ``start:end`` of the stream's
    buffer: raw items, or, where the dtype holds objects, a pickle stream of its own (``nested``). ``whole`` is set
    where the wrapper itself needs no unpickling. ``consumed`` says that the array is part of what a watched object is
    made of.
    """

    end_of_build: int
    start: int
    end: int
    dtype: str
    shape: tuple[int, ...]
    nested: Stream | None
    whole: WholeWrapper | None = None
    itemsize: int = 0
    consumed: bool = False


class Construction(NamedTuple):
    """An object that got a state, or one of a watched global, which should have.

    Made at ``offset`` from ``Stream.globals[source]``, BUILT at ``build`` (one byte; None if it never was). ``memo`` is
    the key of a watched object, if it has one.
    """

    source: int
    offset: int
    build: int | None
    memo: int | None
    watched: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """One pickle stream, ``start:end`` of its buffer, understood to the last byte.

    ``repeats`` are objects that were read in one step: their arrays, constructions and frames are not among the others.
    """

    start: int
    end: int
    protocol: int
    globals: tuple[GlobalUse, ...]
    facts: tuple[Fact, ...]
    arrays: tuple[ArrayData, ...]
    constructions: tuple[Construction, ...]
    frames: tuple[int, ...]
    repeats: tuple[Repeats, ...] = ()
    # where buffers are asked for that are not in the stream
    buffers: tuple[int, ...] = ()
    # how deep the object is, and how many values it holds, counted with repetition
    depth: int = 0
    weight: int = 1

    def every_array(self) -> list[ArrayData]:
        """Also those of the repeats, as if their wrappers had been read by themselves; as they stand in the stream."""
        repeated = (array for repeats in self.repeats for array in arrays_of(repeats))
        return sorted((*self.arrays, *repeated), key=attrgetter("end_of_build"))


def arrays_of(repeats: Repeats) -> Iterator[ArrayData]:
    """The arrays in objects that repeat, each as if its wrapper had been read by itself."""
    likes = [(number, segment.array) for number, segment in enumerate(repeats.form.segments) if segment.array]
    for index in range(len(repeats.rows)):
        for number, like in likes:
            found, start = repeats.found(index, number), repeats.data(index, number)
            first = repeats.place(index, number, found.match.re.groups - 1)
            whole = WholeWrapper(first, like.memoised, like.get_dtype, like.order)
            data = repeats.end_of(index, number), start, start + found.size, like.dtype, found.shape
            yield ArrayData(*data, None, whole, like.itemsize, like.consumed)
