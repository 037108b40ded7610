"""The symbolic machine: a stack and a memo of what stands for objects. It records, and builds nothing."""

from __future__ import annotations

import _compat_pickle
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from safeload.errors import LimitError, StreamError
from safeload.readers import opcodes as op
from safeload.readers.data import Data
from safeload.readers.describing import arguments_of
from safeload.readers.extents import Extents
from safeload.readers.memo import GapError, SparseMemo
from safeload.readers.nodes import (
    ARGUMENTS_MAX,
    Alias,
    Bag,
    Forgotten,
    ForgottenError,
    Global,
    Made,
    Node,
    Place,
)
from safeload.readers.observations import ArrayData, Construction, Fact, GlobalUse, Stream
from safeload.readers.wrappers import WRAPPER
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.rows import Repeats

__all__ = ["ArrayReader", "FormReader", "Machine", "WholeReader"]

_NAME_MAX = 1_000
_SHOWN = 80
_GLOBALS_MAX = 20_000
_DIGITS_MAX = 10
_WORTH, _GAP_MAX = 1 << 16, 1 << 20

# Given the data, a wrapper's state and the end of its BUILD: the array behind it, or None if the state is odd.
ArrayReader = Callable[[Data, Node, int], ArrayData | None]

# Given data, memo, a window, the place in it behind a GET of the wrapper's class, that GET's offset, and the offset of
# that place: the array, if the whole wrapper follows in the form that joblib repeats.
WholeReader = Callable[[Data, list[Node], bytes, int, int, int], ArrayData | None]

# Given a class with a form and the offset of a GET of it: the object, if all of the form follows.
FormReader = Callable[["Machine", Global, int], Made | None]


class Machine:
    """Stack, memo and marks as offsets and nodes; `at` is the opcode that is being read."""

    def __init__(
        self,
        data: Data,
        start: int,
        watch: frozenset[tuple[str, str]],
        array_reader: ArrayReader | None,
        whole_reader: WholeReader | None,
        form_reader: FormReader | None,
        out_of_band: int = 0,
    ) -> None:
        self.data, self.start, self.at = data, start, start
        self.watch, self.array_reader = watch, array_reader
        self.whole_reader, self.form_reader = whole_reader, form_reader
        self.out_of_band = out_of_band  # how many buffers there are beside the stream
        self.resume = 0  # where the loop goes on after a whole array
        # Stands for what must not be asked for again.
        self.gone = Made(None, None, start, watched=True)
        self.forgotten = Forgotten()
        self.stack: list[Node] = []
        self.memo: list[Node] = []
        self.marks: list[int] = []
        self.globals: list[Global] = []
        self.facts: list[Fact] = []
        self.arrays: list[ArrayData] = []
        self.made: list[Made] = []
        self.frames: list[int] = []
        self.buffers: list[int] = []
        self.repeats: list[Repeats] = []
        self.repeated = 0  # objects in them
        self.frame_end = -1
        self.extents = Extents(data)
        self.layouts: dict[tuple[Node, ...], int | None] = {}  # the keys of a state -> where a version stands
        self.taken: set[int] = set()  # bytes that a call copied
        self.huge: set[int] = set()  # integers of many bytes
        self.spent = data.buffer.spent
        # To learn a form takes as long as to read a few objects: of a small file that only is looked at, too long.
        self.learns = not data.buffer.describe or data.size > _WORTH
        self.late = 0  # how often containers were held before they were full
        self.calls = 0  # objects that one made
        self.open = 0  # watched objects that have not got their state yet
        self.skipped = start  # bytes before this stream, and raw bytes of arrays so far
        self.protocol = 0
        self.end = -1
        self.moved = False  # the loop's window or frame has changed

    # --- facts ----------------------------------------------------------------------------------

    def fact(self, kind: str, text: str) -> None:
        # One of a kind is enough to refuse; a stream full of them must not become a list full of them.
        if not any(fact.kind == kind for fact in self.facts):
            self.facts.append(Fact(kind, self.at, text))
            self.form_reader = None  # forms stand on a stream in which all is as picklers write it

    # --- memo -----------------------------------------------------------------------------------

    def fetched(self, node: Node, buf: bytes = b"", behind: int = 0, width: int = 0) -> Node:
        """What a GET pushes for `node`, which is more than a plain value.

        The GET is `width` bytes long, and ``buf[behind]`` follows it. If it is the first of a whole array, that is read
        too, up to `resume`.
        """
        if node.__class__ is Global:
            return self._fetched_global(node, buf, behind, width)
        if node.__class__ is tuple:
            # Used once more with all that is in it; longer ones are nobody's arguments.
            for item in node if len(node) <= ARGUMENTS_MAX else ():
                if item.__class__ is Global:
                    item.pushed += 1
        elif node.__class__ is Made and node.watched:
            self._check_finished(node)
        elif node.__class__ is Alias:
            return self.fetched(node.node)
        elif node is None:
            raise StreamError("a GET asks for a memo entry that was never made", offset=self.at)
        elif node.__class__ is Bag:
            if node.owned:
                self.fact("state-shared", "the state of one object is used again")
            node.aliased += 1
            return Alias(node)
        elif node.__class__ is Made:
            node.aliased += 1
            return Alias(node)
        elif node.__class__ is Forgotten:
            raise ForgottenError
        return node

    def _fetched_global(self, node: Global, buf: bytes, behind: int, width: int) -> Node:
        if width:
            if node.form is not None and self.form_reader is not None:
                made = self.form_reader(self, node, self.at)
                if made is not None:
                    return made
            if self.whole_reader is not None and self._whole(node, buf, behind, width):
                return self.gone
            counts = len(self.memo), len(self.arrays), len(self.repeats), self.repeated, self.spent.on_keys
            node.got = Place(self.at, *counts)
        node.pushed += 1
        return node

    def _check_finished(self, made: Made) -> None:
        if not made.finished or made.memo != self._key_here():
            self.fact("unfinished-object", "an object is used before it is complete")

    def _whole(self, node: Global, buf: bytes, behind: int, width: int) -> bool:
        assert self.whole_reader is not None  # noqa: S101  # the caller looked
        if node.key != WRAPPER:
            return False
        array = self.whole_reader(self.data, self.memo, buf, behind, self.at, self.at + width)
        if array is None or array.whole is None or self.frame_end not in (-1, array.end_of_build):
            return False
        self.skipped += array.end - array.start
        self.arrays.append(array._replace(consumed=True) if self.open else array)
        self.memo += [self.gone] * array.whole.memoised
        self.frame_end, self.resume = -1, array.end
        return True

    def _key_here(self) -> int | None:
        """The memo key that the GET at `at` asks for: the stub's own, or one that still holds the stub."""
        width = {op.BINGET: 1, op.LONG_BINGET: 4}.get(self.data.view[self.at])
        if width is not None:
            return self.data.number(self.at + 1, width)
        line = self.data.line(self.at + 1)[0]
        return int(line) if line.isdigit() and len(line) <= _DIGITS_MAX else None

    def put(self, key: int) -> None:
        """A PUT whose key is not the next one."""
        sparse = isinstance(self.memo, SparseMemo)
        if key in self.memo if sparse else key < len(self.memo):
            self.fact("memo-overwritten", "a memo entry is overwritten")
        elif not self.data.buffer.describe:
            # CPython allocates the memo up to the key: 2**31 would cost 32 GB.
            raise StreamError(f"memo entry {key} is written before the ones below it", offset=self.at)
        elif not sparse:
            raise GapError
        elif key < len(self.memo) + _GAP_MAX:
            self.fact("memo-gap", "a memo entry is written before the ones below it")
        else:
            self.fact("memo-far", f"memo entry {key:,} makes an unpickler take memory for as many")
        self.memo[key] = self.stack[-1]

    # --- globals --------------------------------------------------------------------------------

    def add_global(self, module: str, name: str) -> None:
        if len(module) + len(name) > _NAME_MAX:
            # Refused, and kept no longer than it is shown: one memoised megabyte may be named 20,000 times.
            module, name = module[:_SHOWN], name[:_SHOWN]
            self.fact("odd-name", f"the name {printable(module)}.{printable(name)} is longer than any")
        stream_names = (module, name)
        if self.protocol < 3:
            module, name = _modern(module, name)
        if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
            self.fact("odd-name", f"the name {printable(module, 80)}.{printable(name, 80)} is no path of identifiers")
        if len(self.globals) >= _GLOBALS_MAX:
            raise LimitError("globals", f"more than {_GLOBALS_MAX:,} globals are named")
        watched = (module, name) in self.watch
        made = Global(module, name, stream_names, self.at, len(self.globals), watched=watched)
        self.globals.append(made)
        self.stack.append(made)

    def memo_key_ahead(self) -> int | None:
        """The memo key that the opcode behind the present one gives, if it is a PUT."""
        ahead = self.at + 1
        kind = self.data.view[ahead]
        if kind == op.MEMOIZE:
            return len(self.memo)
        if kind == op.BINPUT:
            return self.data.view[ahead + 1]
        if kind == op.LONG_BINPUT:
            return self.data.number(ahead + 1, 4)
        if kind == op.PUT and (line := self.data.line(ahead + 1)[0]).isdigit() and len(line) <= _DIGITS_MAX:
            return int(line)
        return None

    # --- the end --------------------------------------------------------------------------------

    def stop(self, at: int) -> None:
        self.at = at
        if len(self.stack) != 1 or self.marks:
            self.fact("stack-at-stop", "more or less than one object is left at STOP")
        if 0 <= self.frame_end != at + 1:
            self.fact("frame-crossed", "the stream stops before its frame ends")
        self.end = at + 1

    def result(self) -> Stream:
        extent = self.extents.of(self.stack[-1] if self.stack else None)
        say = partial(arguments_of, self.data) if self.data.buffer.describe else _nothing
        return Stream(
            start=self.start,
            end=self.end,
            protocol=self.protocol,
            globals=tuple(
                GlobalUse(g.module, g.name, g.offset, g.use, *g.stream_names, g.owners, g.free, say(g))
                for g in self.globals
            ),
            facts=tuple(self.facts),
            arrays=tuple(self.arrays),
            constructions=tuple(
                Construction(m.source.index, m.offset, m.build, m.memo, m.watched) for m in self.made if m.source
            ),
            frames=tuple(self.frames),
            buffers=tuple(self.buffers),
            repeats=tuple(self.repeats),
            depth=extent.depth,
            weight=extent.weight,
        )


def _nothing(_: Global) -> str:
    return ""


def _modern(module: str, name: str) -> tuple[str, str]:
    """Python 3's names for Python 2's, by CPython's own tables and in its own order."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name
