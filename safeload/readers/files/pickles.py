"""Pickle and joblib streams, several in a row, and whatever stands behind the last.

PyTorch below 1.6 wrote five streams in a row (a magic number, a version, the machine, the object, the keys of its
storages), and the raw storages behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import LimitError, StreamError
from safeload.readers.buffer import Buffer, Work
from safeload.readers.files.kinds import begins_like_a_pickle, is_text
from safeload.readers.files.storages import end_of_storages
from safeload.readers.joblib import analyse
from safeload.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.files.look import Look
    from safeload.readers.observations import Stream

__all__ = ["is_one", "is_whole", "names_something", "read", "read_if_one", "read_one"]

_STREAMS_MAX = 1_000
# torch/serialization.py: MAGIC_NUMBER, as the first stream has it
_TORCH = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_TORCH_STREAMS = 5
# joblib/numpy_pickle.py: NUMPY_ARRAY_ALIGNMENT_BYTES
_ALIGNMENT = 16


def read(look: Look, view: memoryview) -> None:
    look.part.kind = "torch, legacy" if _TORCH in bytes(view[:16]) else "pickle"
    _streams(look, view)


def read_if_one(look: Look, view: memoryview) -> bool:
    """Read `view`, which is of another kind or of none, as a pickle too, if it names something before it breaks.

    Bytes can be both: ``BZh9`` begins an archive, and a string of bytes in a pickle.
    """
    if not is_one(look, view):
        return False
    _streams(look, view)
    return True


def is_one(look: Look, view: memoryview) -> bool:
    """Whether `view` can be read as a pickle to its end, or names something before it breaks.

    A text that begins with ``class`` names what stands in its first two lines, which are no names.
    """
    buffer = _buffer(view)
    try:
        analyse(buffer, watch=look.watch, work=Work.of(look.budget.size) if look.packed else None)
    except LimitError:
        return True
    except StreamError as error:
        if error.goes_on:  # we are stricter than the unpickler
            return True
        named = (used for part in buffer.seen for stream in _with_nested(part) for used in stream.globals)
        return any(_is_a_name(used.path) for used in named) if is_text(view) else any(True for _ in named)
    return True


def is_whole(view: memoryview) -> bool:
    """Whether `view` is one pickle from its first byte to its last."""
    try:
        return analyse(_buffer(view)).end == len(view)
    except LimitError:
        return True
    except StreamError as error:
        return error.goes_on


def names_something(look: Look, view: memoryview) -> bool:
    """Whether numbers would name anything, if somebody took them for a pickle all the same, or for several in a row.

    Of numbers that happen to begin like one, the names are none, and what breaks there is nothing else; those that end
    like one use nothing, and others stand behind them.
    """
    at = 0
    for _ in range(_STREAMS_MAX):
        if not begins_like_a_pickle(view[at:]):
            return False
        buffer = _buffer(view)
        try:
            whole = analyse(buffer, at, watch=look.watch)
        except LimitError:
            return True
        except StreamError as error:
            return error.goes_on or any(_has_names(seen) or _is_unsure(_facts(seen)) for seen in buffer.seen)
        facts = _facts(whole)
        if _has_names(whole) or _acts(facts) or _is_unsure(facts) or (facts and whole.end == len(view)):
            return True
        at = whole.end
    return True


# What gives an object that has no name in the stream, and what makes something of it.
_NAMELESS = frozenset({"extension", "out-of-band", "persistent-id"})
_USED = frozenset({"build-on-value", "call-on-value", "computed-name", "fill-on-value"})


def _facts(part: Stream) -> set[str]:
    return {fact.kind for stream in _with_nested(part) for fact in stream.facts}


def _is_unsure(facts: set[str]) -> bool:
    """Whether unpicklers may find other opcodes there than we do."""
    return "frame-crossed" in facts


def _acts(facts: set[str]) -> bool:
    return not (facts.isdisjoint(_NAMELESS) or facts.isdisjoint(_USED))


def _has_names(part: Stream) -> bool:
    return any(_is_a_name(used.path) for stream in _with_nested(part) for used in stream.globals)


def _is_a_name(path: str) -> bool:
    return all(part.isidentifier() for part in path.split("."))


def _buffer(view: memoryview) -> Buffer:
    buffer = Buffer(view)
    buffer.describe = True
    return buffer


def _streams(look: Look, view: memoryview) -> None:
    at, count, keys, torch = 0, 0, 0, look.part.kind == "torch, legacy"
    while at < len(view):
        if torch and count == _TORCH_STREAMS:
            look.span(at, len(view), "data", "storages")
            _check_storages(look, view, at, keys)
            if names_something(look, view[at:]):
                look.into("behind the pickles", view[at:], at)
            return
        if count == _STREAMS_MAX:
            look.unread(at, f"more than {plural(_STREAMS_MAX, 'pickle')} stand in a row")
            return
        stream = read_one(look, view, at)
        if stream is None:
            return
        # the fifth is a list of the storages' keys
        at, count, keys = stream.end, count + 1, stream.weight - 1
        if at < len(view) and not (torch or _another(look, view, at)):
            look.span(at, len(view), "nested", "behind the object")
            look.say("after-stop", at, f"{len(view) - at:,} bytes follow after the object ends")
            look.into("behind the object", view[at:], at)
            return
    if torch and (count < _TORCH_STREAMS or keys):
        look.unread(at, "the file ends before its last pickle, or before the storages")
    if count > 1 and not torch:
        look.say("several", 0, f"{plural(count, 'pickle')} stand in a row")


def _another(look: Look, view: memoryview, at: int) -> bool:
    """Whether one more pickle begins at `at`: what is broken there is looked at as a file of its own."""
    return is_one(look, view[at:])


def _check_storages(look: Look, view: memoryview, at: int, keys: int) -> None:
    end = end_of_storages(view, at, keys, [name for _, name in look.part.globals])
    if end is None:
        look.unread(at, f"the numbers of {plural(keys, 'storage')} do not all stand behind the pickles")
    elif end < len(view):
        look.say("after-stop", end, f"{len(view) - end:,} bytes follow after the last storage")
        look.into("behind the storages", view[end:], end)


def read_one(look: Look, view: memoryview, at: int) -> Stream | None:
    """Read the stream at `at`; None where it breaks."""
    buffer = _buffer(view)
    try:
        work = Work.of(look.budget.size) if look.packed else None  # as the loader bounds it
        stream = analyse(buffer, at, watch=look.watch, work=work)
    except (StreamError, LimitError) as error:
        # What came before the broken place runs before the unpickler complains.
        for seen in reversed(buffer.seen):
            _say(look, seen)
        broken_at = error.offset if isinstance(error, StreamError) else at
        look.span(broken_at, len(view), "unread")
        look.unread(broken_at, error.message)
        return None
    _say(look, stream)
    _spans(look, stream)
    return stream


def _with_nested(stream: Stream) -> Iterator[Stream]:
    yield stream
    for array in stream.arrays:
        if array.nested is not None:
            yield array.nested


def _say(look: Look, stream: Stream) -> None:
    facts: set[str] = set()
    for part in _with_nested(stream):
        _say_of_objects(look, part)
        for used in part.globals:
            look.use(used)
        for fact in part.facts:
            if fact.kind not in facts:
                facts.add(fact.kind)
                look.say(fact.kind, fact.offset, fact.text)


def _say_of_objects(look: Look, stream: Stream) -> None:
    """What is forged about an object whose class is harmless."""
    for made in stream.constructions:
        if made.build is None:
            path = printable(stream.globals[made.source].path)
            look.say("never-built", made.offset, f"an object of {path} never gets its state")
            break
    for array in stream.arrays:
        if array.nested is None and array.start - array.end_of_build > 1 + _ALIGNMENT:
            count = array.start - array.end_of_build - 1
            look.say("odd-padding", array.end_of_build, f"{count} bytes are skipped before an array")
            break


def _spans(look: Look, stream: Stream) -> None:
    at = stream.start
    for array in stream.every_array():
        look.span(at, array.end_of_build, "opcodes")  # then a byte that counts padding, and the padding
        label = f"{array.dtype} {array.shape}"
        look.span(array.start, array.end, "nested" if array.nested else "array", label)
        at = array.end
    if stream.arrays and look.part.kind == "pickle":
        look.part.kind = "joblib"
    look.span(at, stream.end, "opcodes")
