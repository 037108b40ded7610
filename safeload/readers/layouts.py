"""What the objects of one form have in common, and where the parts of each of them stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import re

__all__ = [
    "WIDTH",
    "ArrayForm",
    "Built",
    "Call",
    "Constant",
    "Form",
    "FormObject",
    "Found",
    "Leaf",
    "Part",
    "Raw",
    "Repeats",
    "Segment",
    "Several",
    "Short",
    "Split",
    "Stored",
    "Table",
]

Key = tuple[str, str]
_FRAME_SIZE = 9
WIDTH = 3  # entries of a row for each segment


class ArrayForm(NamedTuple):
    """What joblib arrays of one form have in common: all but size and place. `memoised` is how many memo entries each
    makes, and `get_dtype` the opcode that fetches the dtype; both as in ``WholeWrapper``."""

    dtype: str
    dimensions: int
    itemsize: int
    order: str
    memoised: int
    get_dtype: bytes
    consumed: bool


# --- the parts of an object, as the stretch spells them ---------------------------------------------------------------


class Leaf(NamedTuple):
    """A number, None or a bool: the opcode that group `group` of segment `segment` matched."""

    segment: int
    group: int


class Constant(NamedTuple):
    """What the memo held before the stretch: `get` is the opcode that fetches it. `key` is its name if it is a global;
    then `group` of `segment` is where the opcode stands. `text` is what it says, if it is a short text."""

    get: bytes
    key: Key | None = None
    segment: int = 0
    group: int = 0
    text: str | None = None


class Raw(NamedTuple):
    """The bytes behind segment `segment`; a bytearray, if `mutable`."""

    segment: int
    mutable: bool


class Short(NamedTuple):
    """A few bytes, which the group `group` of segment `segment` matched; a bytearray, if `mutable`."""

    segment: int
    group: int
    mutable: bool


class Stored(NamedTuple):
    """The joblib array behind segment `segment`, in dtype and order like `like`."""

    segment: int
    like: ArrayForm


class Several(NamedTuple):
    """A tuple. `depth` is how deep parts stand in one another."""

    parts: tuple[Part, ...]
    depth: int


class Table(NamedTuple):
    """A dict with keys that are different short texts."""

    keys: tuple[Constant, ...]
    values: tuple[Part, ...]
    depth: int


class Call(NamedTuple):
    """What calling a global gives; with `new`, what its ``__new__`` gives."""

    callee: Constant
    args: Several
    new: bool


class Built(NamedTuple):
    """An object that gets a state. `source` is the place of its global in ``Stream.globals``. A `watched` one is a
    stub, and becomes what its contract makes of it; the state of others is a dict."""

    source: int
    call: Call
    state: Part
    watched: bool


Part = Leaf | Constant | Raw | Short | Stored | Several | Table | Call | Built


# --- forms ------------------------------------------------------------------------------------------------------------


class Segment(NamedTuple):
    """Opcodes up to the next raw bytes; the last group of `pattern` are the sizes of `array`'s shape or, if `raw`, the
    opcode of a byte string with its length. With `framed` they begin with a FRAME, and are `longest` bytes at most.
    `leaves` are the places of leaves among the groups, as slices."""

    pattern: re.Pattern[bytes]
    framed: bool
    array: ArrayForm | None
    raw: bool
    longest: int
    leaves: tuple[slice, ...]


class FormObject(NamedTuple):
    """An object that gets a state: at group `group` of segment `segment`, where its BUILD stands.

    `memo` is its key, counted from the first of the stretch. `names` are the keys of a state that is a dict, if all are
    known. With a `meaning`, all between its first byte, at `meaning.call.callee`, and its BUILD says no more than that;
    `memoised` entries of the memo are made there. `inner` objects are part of such a meaning.
    """

    source: int
    watched: bool
    memo: int | None
    segment: int
    group: int
    names: frozenset[str] | None
    meaning: Built | None
    memoised: int
    inner: bool = False


class Form(NamedTuple):
    """`get` is the opcode that fetches the class, with which the stretch begins; `memoised` is how many entries the
    memo gets. With `shares`, the objects hold one that may get its state, or items, between two of them. `unframed`
    ones have neither frames nor joblib arrays, so that only sizes say where each part begins."""

    get: bytes
    segments: tuple[Segment, ...]
    objects: tuple[FormObject, ...]
    memoised: int
    depth: int
    weight: int
    shares: bool
    unframed: bool


class Found(NamedTuple):
    """A segment as it stood once: all its bytes, and what of them each group matched.

    `values` has an entry for each group: what the opcode of a leaf pushes, the bytes of others. `frame` is the length
    in a FRAME at its beginning, or -1; `size` and `shape` are those of the bytes or the array behind it.
    """

    text: bytes
    match: re.Match[bytes]
    values: tuple[Any, ...]
    frame: int
    size: int
    shape: tuple[int, ...]


class Split(NamedTuple):
    """A FRAME at `at` that stands in the segment `segment`, behind `offset` of its bytes."""

    segment: int
    offset: int
    at: int


class Repeats:
    """Objects of one form that follow one another in the stream.

    `memo` is the first key of the first of them. `rows` has an entry for each: for one segment after the other, how it
    stood (:class:`Found`), where it begins, and where the bytes behind it do. `splits` are those that have one, `end`
    is where the last of them ends.
    """

    __slots__ = ("end", "form", "memo", "rows", "splits")

    def __init__(self, form: Form, memo: int) -> None:
        self.form, self.memo = form, memo
        self.rows: list[list[Any]] = []
        self.splits: dict[int, Split] = {}
        self.end = -1

    def found(self, index: int, segment: int) -> Found:
        found: Found = self.rows[index][WIDTH * segment]
        return found

    def start(self, index: int, segment: int = 0) -> int:
        """Where the segment begins."""
        return int(self.rows[index][WIDTH * segment + 1])

    def data(self, index: int, segment: int) -> int:
        """Where the bytes behind the segment begin."""
        return int(self.rows[index][WIDTH * segment + 2])

    def key(self, index: int) -> int:
        """The first memo key of an object."""
        return self.memo + index * self.form.memoised

    def place(self, index: int, segment: int, group: int) -> int:
        """Where a group begins."""
        return self._behind(index, segment, self.found(index, segment).match.start(group))

    def end_of(self, index: int, segment: int) -> int:
        """Where the opcodes of a segment end."""
        return self._behind(index, segment, len(self.found(index, segment).text))

    def _behind(self, index: int, segment: int, offset: int) -> int:
        split = self.splits.get(index)
        if split is not None and split.segment == segment and split.offset <= offset:
            offset += _FRAME_SIZE
        return self.start(index, segment) + offset
