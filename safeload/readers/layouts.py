"""What the objects of one form have in common, and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import re

__all__ = [
    "ArrayForm",
    "Built",
    "Call",
    "Constant",
    "Form",
    "FormObject",
    "Leaf",
    "Part",
    "Raw",
    "Segment",
    "Several",
    "Short",
    "Stored",
    "Table",
]

Key = tuple[str, str]


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
    memo gets. With `shares`, the objects hold one that may get its state, or items, between two of them; `extents` are
    those that they hold, and how deep and heavy each was when `depth` and `weight` were counted. `unframed`
    ones have neither frames nor joblib arrays, so that only sizes say where each part begins."""

    get: bytes
    segments: tuple[Segment, ...]
    objects: tuple[FormObject, ...]
    memoised: int
    depth: int
    weight: int
    shares: bool
    extents: tuple[tuple[Any, int, int], ...]  # nodes, which know forms
    unframed: bool
