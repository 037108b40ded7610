"""The symbolic machine: a stack, a memo, and what becomes of objects. It records, and builds nothing."""

from __future__ import annotations

import _compat_pickle
import re
from collections.abc import Callable

from safeload.errors import LimitError, StreamError
from safeload.readers import opcodes as op
from safeload.readers.data import Data
from safeload.readers.nodes import Bag, Global, Made, Node
from safeload.readers.observations import ArrayData, Construction, Fact, GlobalUse, Stream, Use
from safeload.text import printable

__all__ = ["WRAPPER", "ArrayReader", "Machine", "WholeReader"]

_RECONSTRUCTOR = ("copyreg", "_reconstructor")
WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
# They name another file to read the array from: absolute, or beside this one.
_EXTERNAL_WRAPPERS = frozenset(
    (module, name)
    for module in ("joblib.numpy_pickle", "joblib.numpy_pickle_compat")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
_NAME_MAX = 1_000
_KEYS_MAX = 100_000
_DIGITS_MAX = 10
ARGUMENTS_MAX = 8
_SHARED_MIN = 256
_BYTES = {op.SHORT_BINBYTES: 1, op.BINBYTES: 4, op.BINBYTES8: 8, op.BYTEARRAY8: 8, op.BINSTRING: 4}
_VERSION = re.compile(r"[0-9A-Za-z.+]{1,40}\Z")
# Wrapped functions and frozen distributions have these as attributes; nothing asks an instance for them.
_HARMLESS = frozenset({"__doc__", "__name__"})

# Given the data, a wrapper's state and the end of its BUILD: the array behind it, or None if the state is odd.
ArrayReader = Callable[[Data, Node, int], ArrayData | None]

# Given data, memo, a window, the place in it behind a GET of the wrapper's class, that GET's offset, and the offset of
# that place: the array, if the whole wrapper follows in the form that joblib repeats.
WholeReader = Callable[[Data, list[Node], bytes, int, int, int], ArrayData | None]


class Machine:
    """Stack, memo and marks as offsets and nodes; `at` is the opcode that is being read."""

    def __init__(
        self,
        data: Data,
        start: int,
        watch: frozenset[tuple[str, str]],
        array_reader: ArrayReader | None,
        whole_reader: WholeReader | None,
    ) -> None:
        self.data, self.start, self.at = data, start, start
        self.watch, self.array_reader, self.whole_reader = watch, array_reader, whole_reader
        self.resume = 0  # where the loop goes on after a whole array
        # Stands for what must not be asked for again.
        self.gone = Made(None, None, start, watched=True)
        self.stack: list[Node] = []
        self.memo: list[Node] = []
        self.marks: list[int] = []
        self.globals: list[Global] = []
        self.facts: list[Fact] = []
        self.arrays: list[ArrayData] = []
        self.made: list[Made] = []
        self.frames: list[int] = []
        self.frame_end = -1
        self.plain_keys: set[int] = set()
        self.taken: set[int] = set()
        self.skipped = start  # bytes before this stream, and raw bytes of arrays so far
        self.protocol = 0
        self.end = -1
        self.moved = False  # the loop's window or frame has changed

    # --- bounds ---------------------------------------------------------------------------------

    def boundary(self, at: int, base: int, length: int, margin: int) -> int:
        """How far the loop may read opcodes in its window of `length` bytes at `base` before it asks again.

        `at` is the next opcode. Relative to `base`.
        """
        self.at = at
        if at > self.data.size:
            raise StreamError("the stream ends inside an opcode's argument", offset=self.data.size)
        if at - self.skipped > self.data.most_opcodes:
            raise LimitError("expansion", f"more than {self.data.most_opcodes:,} bytes of opcodes in so small a file")
        if at == self.data.size:
            raise StreamError("the stream ends without STOP", offset=at)
        if 0 <= self.frame_end <= at:
            if self.frame_end < at:
                # cpython#154848: what crosses a frame's end is read differently by different unpicklers.
                self.fact("frame-crossed", "an opcode reaches across the end of its frame")
            self.frame_end = -1
        limit = length if base + length >= self.data.size else length - margin
        return min(limit, self.frame_end - base) if self.frame_end >= 0 else limit

    # --- facts ----------------------------------------------------------------------------------

    def fact(self, kind: str, text: str) -> None:
        # One of a kind is enough to refuse; a stream full of them must not become a list full of them.
        if not any(fact.kind == kind for fact in self.facts):
            self.facts.append(Fact(kind, self.at, text))

    # --- memo -----------------------------------------------------------------------------------

    def fetched(self, node: Node, buf: bytes = b"", behind: int = 0, width: int = 0) -> bool:
        """A GET took `node`, which is more than a plain value. True if a whole array was read, up to `resume`.

        The GET is `width` bytes long, and ``buf[behind]`` follows it.
        """
        if node.__class__ is Global:
            if node.key == WRAPPER and self.whole_reader is not None and width and self._whole(buf, behind, width):
                return True
            node.pushed += 1
        elif node.__class__ is tuple:
            # Used once more with all that is in it; longer ones are nobody's arguments.
            for item in node if len(node) <= ARGUMENTS_MAX else ():
                if item.__class__ is Global:
                    item.pushed += 1
        elif node.__class__ is Bag:
            if node.owned:
                self.fact("state-shared", "the state of one object is used again")
        elif node.__class__ is Made and node.watched and (not node.finished or node.memo != self._key_here()):
            self.fact("unfinished-object", "an object is used before it is complete")
        elif node is None:
            raise StreamError("a GET asks for a memo entry that was never made", offset=self.at)
        return False

    def _whole(self, buf: bytes, behind: int, width: int) -> bool:
        assert self.whole_reader is not None  # noqa: S101  # the caller looked
        array = self.whole_reader(self.data, self.memo, buf, behind, self.at, self.at + width)
        if array is None or array.whole is None or self.frame_end not in (-1, array.end_of_build):
            return False
        self.skipped += array.end - array.start
        self.arrays.append(array)
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
        if key < len(self.memo):
            self.fact("memo-overwritten", "a memo entry is overwritten")
            self.memo[key] = self.stack[-1]
        else:
            # CPython allocates the memo up to the key: 2**31 would cost 32 GB.
            raise StreamError(f"memo entry {key} is written before the ones below it", offset=self.at)

    # --- objects --------------------------------------------------------------------------------

    def add_global(self, module: str, name: str) -> None:
        stream_names = (module, name)
        if self.protocol < 3:
            module, name = _modern(module, name)
        plain = all(part.isidentifier() for part in f"{module}.{name}".split("."))
        if not plain or len(module) + len(name) > _NAME_MAX:
            self.fact("odd-name", f"the name {printable(module, 80)}.{printable(name, 80)} is no path of identifiers")
        made = Global(module, name, stream_names, self.at, len(self.globals))
        self.globals.append(made)
        self.stack.append(made)

    def make(self, source: Node, args: Node, use: Use) -> None:
        """Push what calling or instantiating `source` gives."""
        if source.__class__ is not Global:
            self.fact("call-on-value", "something is called that is not a plain global")
            self.stack.append(Made(None, args, self.at, watched=False))
            return
        if use is Use.CALLED:
            source.called += 1
        else:
            source.instantiated += 1
        self._give(source, args)
        made_from = _instantiated(source, args) or source
        made = Made(made_from, args, self.at, watched=made_from.key in self.watch)
        if made.watched:
            made.memo = self._memo_key_ahead()
            self.made.append(made)
        self.stack.append(made)

    def build(self, at: int) -> int:
        state, target = self.stack.pop(), self.stack[-1]
        if target.__class__ is not Made:
            self.fact("build-on-value", "BUILD sets the state of something that was not made by this stream")
            return at + 1
        if target.build is not None:
            self.fact("built-twice", "an object gets its state twice")
        target.build, target.state, target.finished = at, state, True
        if target.source is None:
            self.fact("build-on-value", "BUILD sets the state of something that this stream did not make")
            return at + 1
        target.source.built = True
        self._own(target.source, state)
        if not target.watched:
            self.made.append(target)
        if target.source.key == WRAPPER and self.array_reader is not None:
            return self._array(self.array_reader, target, at + 1)
        if target.source.key in _EXTERNAL_WRAPPERS:
            self.fact("external-array", "an array wrapper of joblib below 0.10 reads another file")
        return at + 1

    def _give(self, source: Global, args: Node) -> None:
        """`source` is called or instantiated with `args`."""
        if args.__class__ is not tuple or len(args) > ARGUMENTS_MAX:
            return
        reconstructed = args[0] if source.key == _RECONSTRUCTOR and args else None
        for item in args:
            if item.__class__ is Global and item is not reconstructed:
                item.given += 1
                item.owners.add(source.key)
            elif item.__class__ is Bag:
                self._take(item)
                if reconstructed.__class__ is Global:  # a dict subclass whose items may be its attributes
                    self._check_filled_keys(reconstructed, item.items[::2])
            elif item.__class__ is int:
                self._take_bytes(item)

    def _take(self, bag: Bag) -> None:
        """`bag` becomes the argument of a call: what copies it must not be asked to do so again and again."""
        if bag.owned or not bag.complete:
            self.fact("state-shared", "the argument of one call is used again, or is too large to look at")
        bag.owned = True

    def _take_bytes(self, token: int) -> None:
        """Bytes that a call or a state copies. numpy makes new ones for each array, so only a bomb uses them twice."""
        width = _BYTES.get(self.data.view[token])
        if width is None or self.data.number(token + 1, width) < _SHARED_MIN:
            return
        if token in self.taken:
            self.fact("bytes-shared", "the bytes of one array are used for another")
        self.taken.add(token)

    def _own(self, source: Global, state: Node) -> None:
        """`state` becomes the state of an object of `source`."""
        if state.__class__ is not Bag:
            self._shape(source, state)
            return
        if state.kind != "dict" or state.owned or not state.complete:
            self.fact("odd-state", f"the state of a {source.module}.{source.name} is no dict of its own")
        state.owned = True
        self._check_keys(state.items[::2])
        for key, value in zip(state.items[::2], state.items[1::2], strict=False):
            if value.__class__ is Global:
                value.given += 1
                value.owners.add(source.key)
            if key.__class__ is int and self.data.short_string(key) == "_sklearn_version":
                self._check_version(value)

    def _check_version(self, value: Node) -> None:
        """scikit-learn shows this in a warning: an object would be asked for its text, escapes reach a terminal."""
        text = self.data.short_string(value) if value.__class__ is int else None
        if text is None or not _VERSION.match(text):
            self.fact("odd-version", "the version of scikit-learn is not one")

    def _shape(self, source: Global, state: Node) -> None:
        """A state that is no dict. Slots are one: BUILD sets each name in the tuple's second part as an attribute."""
        watched = source.key in self.watch  # then a contract reads it
        source.shaped = source.shaped or not watched
        parts = state if state.__class__ is tuple and len(state) <= ARGUMENTS_MAX else ()
        for part in parts:
            if part.__class__ is int:
                self._take_bytes(part)
            elif part.__class__ is Bag and part.kind == "dict" and len(parts) == 2 and not watched:
                self._check_keys(part.items[::2])

    def _check_keys(self, keys: list[Node]) -> None:
        """Attributes are named by plain strings: numpy takes ``__array_interface__`` from an instance, an address."""
        for key in keys:
            # Only offsets are hashed: a tuple of the file, deep or shared, would be hashed for ever.
            if key.__class__ is not int:
                self.fact("odd-attribute", "an attribute is named by no plain string")
            elif key not in self.plain_keys:
                self._check_key(key)

    def _check_key(self, key: int) -> None:
        text = self.data.short_string(key)
        if text is None or (text.startswith("__") and text not in _HARMLESS):
            self.fact("odd-attribute", f"an attribute is named {_shown(text)}")
        elif len(self.plain_keys) < _KEYS_MAX:
            self.plain_keys.add(key)

    def filled(self, target: Node, items: list[Node], *, keyed: bool) -> None:
        """Items are put into `target`, which is not a container of this stream: by key, or at its end."""
        if target.__class__ is not Made or target.source is None:
            self.fact("fill-on-value", "items are put into something that is not a container")
        elif keyed:
            target.source.filled = True
            self._check_filled_keys(target.source, items[::2])
        else:
            # CPython asks the object for `extend`, `append` or `add`: an attribute, which a file may have set.
            target.source.extended = True

    def _check_filled_keys(self, source: Global, keys: list[Node]) -> None:
        """Keys of a class whose items may be its attributes: no name that numpy would ask for."""
        for key in keys:
            text = self.data.short_string(key) if key.__class__ is int else None
            if text is None:
                source.keyed = True
            elif text.startswith("__") and text not in _HARMLESS:
                self.fact("odd-attribute", f"an item is named {_shown(text)}")

    def _array(self, reader: ArrayReader, wrapper: Made, at: int) -> int:
        if 0 <= self.frame_end != at:
            self.fact("array-in-frame", "raw array data stand inside a frame")
        array = reader(self.data, wrapper.state, at)
        if array is None:
            raise StreamError("the array wrapper's state is not one that joblib writes", offset=wrapper.offset)
        # joblib never refers to a wrapper again; the array that takes its place must not have two names.
        wrapper.finished, wrapper.memo = False, None
        if array.nested is None:  # else they are opcodes too, and count
            self.skipped += array.end - array.start
        self.arrays.append(array)
        self.frame_end = -1
        self.moved = True
        return array.end

    def _memo_key_ahead(self) -> int | None:
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
        return Stream(
            start=self.start,
            end=self.end,
            protocol=self.protocol,
            globals=tuple(
                GlobalUse(g.module, g.name, g.offset, g.use, *g.stream_names, frozenset(g.owners), g.free)
                for g in self.globals
            ),
            facts=tuple(self.facts),
            arrays=tuple(self.arrays),
            constructions=tuple(
                Construction(m.source.index, m.offset, m.build, m.memo, m.watched) for m in self.made if m.source
            ),
            frames=tuple(self.frames),
        )


def _shown(text: str | None) -> str:
    return "by no plain string" if text is None else f'"{printable(text, 60)}"'


def _modern(module: str, name: str) -> tuple[str, str]:
    """Python 3's names for Python 2's, by CPython's own tables and in its own order."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def _instantiated(source: Global, args: Node) -> Global | None:
    """The class that a call of ``copyreg._reconstructor(cls, object, None)`` instantiates."""
    if source.key == _RECONSTRUCTOR and isinstance(args, tuple) and len(args) == 3 and isinstance(args[0], Global):
        args[0].instantiated += 1
        return args[0]
    return None
