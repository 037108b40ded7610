"""What stands on the symbolic stack. A plain value is only the offset of its opcode, an int; a tuple is a tuple."""

from __future__ import annotations

from safeload.readers.observations import Use

__all__ = ["Bag", "Global", "Made", "Node"]

# Contents are kept up to here; what a contract reads is smaller, and a vocabulary has a million.
KEPT_ITEMS = 20_000


class Global:
    """A global as it was named once in the stream.

    `given` counts how often it stood directly in the arguments or the state of one of `owners`.
    """

    __slots__ = (
        "built",
        "called",
        "extended",
        "filled",
        "given",
        "index",
        "instantiated",
        "key",
        "keyed",
        "module",
        "name",
        "offset",
        "owners",
        "pushed",
        "shaped",
        "stream_names",
    )

    def __init__(self, module: str, name: str, stream_names: tuple[str, str], offset: int, index: int) -> None:
        self.module, self.name, self.stream_names = module, name, stream_names
        self.offset, self.index = offset, index
        self.pushed = 1
        self.called = self.instantiated = self.given = 0
        self.owners: set[tuple[str, str]] = set()
        self.key = module, name
        self.built = self.filled = self.shaped = self.extended = self.keyed = False

    @property
    def use(self) -> Use:
        """Every time that it stood on the stack it was called, instantiated, or else only referenced."""
        flags = (
            (self.built, Use.BUILT),
            (self.filled, Use.FILLED),
            (self.extended, Use.EXTENDED),
            (self.keyed, Use.KEYED),
            (self.shaped, Use.SHAPED),
        )
        use = Use(0)
        for flag, meaning in flags:
            if flag:
                use |= meaning
        if self.called:
            use |= Use.CALLED
        if self.instantiated:
            use |= Use.INSTANTIATED
        if self.pushed > self.called + self.instantiated:
            use |= Use.REFERENCED
        return use

    @property
    def free(self) -> bool:
        """Whether it stood anywhere else than as a callee, an argument, or a value of a state."""
        return self.pushed > self.called + self.instantiated + self.given


class Bag:
    """A list, dict or set that this stream made; `kind` is its type's name, `owned` says that it became a state."""

    __slots__ = ("items", "kind", "owned")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items: list[Node] = []
        self.owned = False

    def add(self, items: list[Node]) -> None:
        if len(self.items) < KEPT_ITEMS:
            self.items += items

    @property
    def complete(self) -> bool:
        return len(self.items) < KEPT_ITEMS


class Made:
    """An object that a call or an instantiation of `source` made. `source` is None where nothing plain was called."""

    __slots__ = ("args", "build", "finished", "meaning", "memo", "offset", "source", "state", "watched")

    def __init__(self, source: Global | None, args: Node, offset: int, *, watched: bool) -> None:
        self.source, self.args, self.offset, self.watched = source, args, offset, watched
        self.build: int | None = None
        self.state: Node = None
        self.memo: int | None = None
        self.finished = False
        self.meaning: object = None  # what a reader made of arguments and state


Node = int | tuple["Node", ...] | Global | Bag | Made | None
