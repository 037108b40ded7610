"""Analyse, judge, rewrite, load: the one way from bytes to an object."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import Memory, array_from_dtype, array_from_wrapper
from safeload.engine.guard import Checkpoint, GuardedUnpickler
from safeload.engine.guards import FINISHERS, WATCHED
from safeload.engine.resolve import answers
from safeload.engine.rewrite import rewrite
from safeload.errors import CodecError, SafeloadError, UnsafeStreamError
from safeload.policy.judge import check_stream, of_member
from safeload.readers.joblib import analyse
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.policy.policy import Policy
    from safeload.readers.observations import ArrayData, Construction, Stream

__all__ = ["load_stream"]


def load_stream(memory: Memory, policy: Policy, *, member: str) -> Any:
    """The object in the joblib or pickle stream that fills ``memory.view``.

    Raises PolicyError before anything is built, and CodecError for whatever a library raises while rebuilding.
    """
    stream = analyse(memory.view, watch=WATCHED)
    check_stream(stream, policy, member=member)
    if stream.end != len(memory.view):
        raise UnsafeStreamError(
            f"something follows after the object ends, at byte {stream.end:,}{of_member(member)}",
            fact="after-stop",
            offset=stream.end,
            member=member,
        )
    return _build(stream, memory, member)


def _build(stream: Stream, memory: Memory, member: str) -> Any:
    unpickler = GuardedUnpickler(
        rewrite(memory.view, stream), answers(stream, member), _checkpoints(stream, memory, member)
    )
    try:
        return unpickler.load()
    except (SafeloadError, MemoryError):
        raise
    except Exception as error:  # whatever the rebuilt classes raise on this state
        raise CodecError(f"the object cannot be rebuilt: {type(error).__name__}: {printable(str(error))}") from error


def _checkpoints(stream: Stream, memory: Memory, member: str) -> list[Checkpoint]:
    """One function for each checkpoint of the rewritten stream, in its order."""
    arrays = {array.end_of_build: array for array in stream.arrays}
    placed = [(made.build, _finisher(made, stream, arrays, memory, member)) for made in stream.constructions]
    placed += [(array.end_of_build, partial(array_from_dtype, array, memory)) for array in stream.arrays if array.whole]
    return [checkpoint for _, checkpoint in sorted(placed, key=itemgetter(0))]


def _finisher(
    made: Construction, stream: Stream, arrays: dict[int, ArrayData], memory: Memory, member: str
) -> Checkpoint:
    used = stream.globals[made.source]
    if made.build is None:
        raise UnsafeStreamError(
            f"an object of {used.path} made at byte {made.offset:,} never gets its state",
            fact="never-built",
            offset=made.offset,
            member=member,
        )
    array = arrays.get(made.build + 1)
    if array is None:
        return FINISHERS[used.module, used.name]
    if array.nested is not None:
        return partial(_nested, array.nested, memory, member)
    return partial(array_from_wrapper, array, memory)


def _nested(nested: Stream, memory: Memory, member: str, stub: Any) -> Any:
    return _build(nested, memory, member)
