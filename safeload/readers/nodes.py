"""What stands on the symbolic stack. A plain value is only the offset of its opcode, an int; a tuple is a tuple."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from safeload.readers.observations import Use

__all__ = ["ARGUMENTS_MAX", "Alias", "Bag", "Forgotten", "ForgottenError", "Global", "Made", "Node", "Place"]

ARGUMENTS_MAX = 8  # longer tuples are nobody's arguments

# Contents are kept up to here; what a contract reads is smaller, and a vocabulary has a million.
KEPT_ITEMS = 20_000
_USES = (
    Use.BUILT,
    Use.FILLED,
    Use.EXTENDED,
    Use.KEYED,
    Use.SHAPED,
    Use.HASHED,
    Use.CALLED,
    Use.INSTANTIATED,
    Use.REFERENCED,
)
_NOBODY: frozenset[tuple[str, str]] = frozenset()
_NOTHING: list[Node] = []  # never filled: an empty Bag must cost little


class Place(NamedTuple):
    """Where a stretch of the stream begins: offset of a GET, and how much there is of memo, arrays, repeats, objects in
    these, and counted keys."""

    at: int
    memo: int
    arrays: int
    repeats: int
    repeated: int
    on_keys: int


class Global:
    """A global as it was named once in the stream.

    `given` counts how often it stood directly in the arguments or the state of one of `owners`.
    """

    __slots__ = (
        "alike",
        "arguments",
        "built",
        "called",
        "extended",
        "filled",
        "form",
        "given",
        "got",
        "hashed",
        "head",
        "index",
        "instantiated",
        "key",
        "keyed",
        "missed",
        "module",
        "name",
        "offset",
        "owners",
        "pushed",
        "recent",
        "shaped",
        "stream_names",
        "tries",
        "waited",
        "watched",
    )

    def __init__(
        self, module: str, name: str, stream_names: tuple[str, str], offset: int, index: int, *, watched: bool
    ) -> None:
        self.module, self.name, self.stream_names = module, name, stream_names
        self.offset, self.index, self.watched = offset, index, watched
        self.pushed = 1
        self.called = self.instantiated = self.given = 0
        self.owners = _NOBODY
        self.arguments: Node = None  # of the first call
        self.got: Place | None = None  # by the last GET
        self.form: Any = None  # what its objects look like; see readers.repeats
        self.recent: list[tuple[Any, ...]] = []  # how each segment of it stood in the last objects
        self.missed: list[int] = []  # how often none of these was what was read
        self.alike: dict[bytes, Any] = {}  # how all of them did, by what the first says in `head` bytes
        self.head = 0
        self.tries = self.waited = 0
        self.key = module, name
        self.built = self.filled = self.shaped = self.extended = self.keyed = self.hashed = False

    def give(self, owner: tuple[str, str]) -> None:
        """It stands directly in the arguments or the state of `owner`."""
        self.given += 1
        if owner not in self.owners:
            self.owners |= {owner}

    @property
    def use(self) -> Use:
        """Every time that it stood on the stack it was called, instantiated, or else only referenced."""
        return _use(
            self.built,
            self.filled,
            self.extended,
            self.keyed,
            self.shaped,
            self.hashed,
            self.called > 0,
            self.instantiated > 0,
            self.pushed > self.called + self.instantiated,
        )

    @property
    def free(self) -> bool:
        """Whether it stood anywhere else than as a callee, an argument, or a value of a state."""
        return self.pushed > self.called + self.instantiated + self.given


@functools.cache
def _use(*flags: bool) -> Use:
    """Put together once: an enum's operators take longer than the opcodes that say so."""
    use = Use(0)
    for flag, meaning in zip(flags, _USES, strict=True):
        use |= meaning if flag else Use(0)
    return use


class Bag:
    """A list, dict or set that this stream made; `kind` is its type's name, `owned` says that it became a state.

    `plain` says that nothing but plain values was ever put in, `huge` that integers of many bytes were; `aliased` is
    how often a GET took it.
    """

    __slots__ = ("aliased", "depth", "dropped", "huge", "items", "kind", "owned", "plain", "weight")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items = _NOTHING
        self.plain = True
        self.owned = self.dropped = self.huge = False
        self.depth = self.weight = 1
        self.aliased = 0

    def add(self, items: list[Node], *, keep: bool = False) -> None:
        """The caller hands `items` over, and does not change them any more. `keep` them however many there are."""
        if not self.items:
            self.items = items
        elif keep or len(self.items) < KEPT_ITEMS:
            self.items += items
        else:
            self.dropped = True

    def copy(self) -> Bag:
        """Another of the same kind with the same in it, which nobody has yet."""
        bag = Bag(self.kind)
        bag.items, bag.plain, bag.huge = self.items.copy(), self.plain, self.huge
        bag.depth, bag.weight, bag.dropped = self.depth, self.weight, self.dropped
        return bag

    @property
    def complete(self) -> bool:
        return not self.dropped


class Made:
    """An object that a call or an instantiation of `source` made. `source` is None where nothing plain was called.

    `aliased` is how often a GET took it.
    """

    __slots__ = (
        "aliased",
        "args",
        "build",
        "depth",
        "finished",
        "meaning",
        "memo",
        "offset",
        "source",
        "state",
        "watched",
        "weight",
    )

    def __init__(self, source: Global | None, args: Node, offset: int, *, watched: bool) -> None:
        self.source, self.args, self.offset, self.watched = source, args, offset, watched
        self.build: int | None = None
        self.state: Node = None
        self.memo: int | None = None
        self.finished = False
        self.depth = self.weight = 1
        self.aliased = 0
        self.meaning: object = None  # what a reader made of arguments and state


class Alias:
    """A Bag or Made that a GET took from the memo: it may be held, and not be filled or BUILT.

    Picklers fill a container where they make it, and nowhere else; so whatever was looked at stays as it was.
    """

    __slots__ = ("node",)

    def __init__(self, node: Bag | Made) -> None:
        self.node = node


class Forgotten:
    """Stands in the memo for parts of an object that was read in one step. Nobody asks for them, or else all is read
    again, opcode by opcode."""

    __slots__ = ()


class ForgottenError(Exception):
    """A GET asks for what was not kept."""


Node = int | tuple["Node", ...] | Global | Bag | Made | Alias | Forgotten | None
