"""Analyse, judge, rewrite, load: the one way from bytes to an object."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import Memory, array_from_dtype, array_from_wrapper
from safeload.engine.checkpoints import Checkpoints
from safeload.engine.collector import collection_paused
from safeload.engine.guard import GuardedUnpickler
from safeload.engine.outofband import OutOfBand
from safeload.engine.plans import repeat_edits
from safeload.engine.remembering import analysed
from safeload.engine.resolve import answers
from safeload.engine.rewrite import (
    before_build,
    behind_build,
    next_buffer,
    rewrite,
    whole_array,
    without_data,
    without_frame,
)
from safeload.errors import CodecError, SafeloadError, UnsafeStreamError
from safeload.policy.judge import check_stream, of_member
from safeload.readers import opcodes as op
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safeload.engine.rewrite import Checkpoint, Edit
    from safeload.policy.policy import Policy
    from safeload.readers.observations import ArrayData, Construction, Stream

__all__ = ["load_stream"]


def load_stream(memory: Memory, policy: Policy, *, member: str, buffers: Sequence[memoryview] = ()) -> Any:
    """The object in the joblib or pickle stream that fills ``memory.view``; `buffers` are those beside it, in order.

    Raises PolicyError before anything is built, and CodecError for whatever a library raises while rebuilding.
    """
    with collection_paused():
        return _analysed_and_loaded(
            memory, policy, member, OutOfBand(buffers, writable=memory.writable, guarded=not policy.everything)
        )


def _analysed_and_loaded(memory: Memory, policy: Policy, member: str, buffers: OutOfBand) -> Any:
    """What the analysis noted is gone before the collector goes on, which would look at all of it."""
    stream = analysed(memory, buffers.count)
    check_stream(stream, policy, member=member)
    _check_end(stream, memory, member)
    return _Loading(memory, policy, member, buffers).load(stream)


def _check_end(stream: Stream, memory: Memory, member: str) -> None:
    memory.buffer.reach(stream.end + 1)
    if stream.end != len(memory.view):
        raise UnsafeStreamError(
            f"something follows after the object ends, at byte {stream.end:,}{of_member(member)}",
            fact="after-stop",
            offset=stream.end,
            member=member,
        )


class _Loading:
    """One member on its way to an object."""

    def __init__(self, memory: Memory, policy: Policy, member: str, buffers: OutOfBand) -> None:
        self._memory, self._policy, self._member, self._buffers = memory, policy, member, buffers
        self._checkpoints = Checkpoints(policy)

    def load(self, stream: Stream) -> Any:
        try:
            value = self._build(stream)
            self._buffers.end()
            self._checkpoints.end()
        except (SafeloadError, MemoryError):
            raise
        except Exception as error:  # whatever the rebuilt classes raise on this state
            raise CodecError(
                f"the object cannot be rebuilt: {type(error).__name__}: {printable(str(error))}"
            ) from error
        return value

    def _build(self, stream: Stream) -> Any:
        edits = sorted(self._edits(stream), key=itemgetter(0, 1))
        rewritten = rewrite(self._memory.view, stream, edits)
        found = answers(stream, self._member, guarded=not self._policy.everything)
        checkpoints = [edit.checkpoint for edit in edits if edit.checkpoint for _ in range(edit.times)]
        return GuardedUnpickler(rewritten, found, checkpoints).load()

    def _edits(self, stream: Stream) -> Iterator[Edit]:
        arrays = {array.end_of_build: array for array in stream.arrays}
        for made in stream.constructions:
            yield from self._built(made, stream, arrays)
        for array in stream.arrays:
            if array.whole is None:
                yield without_data(array)
            else:
                yield whole_array(array, array.whole, partial(array_from_dtype, array, self._memory))
        yield from map(without_frame, stream.frames)
        for at in stream.buffers:
            readonly = self._memory.view[at + 1] == op.READONLY_BUFFER
            yield next_buffer(at, partial(self._buffers.give, readonly=readonly), readonly=readonly)
        yield from repeat_edits(stream, self._memory, self._checkpoints)

    def _built(self, made: Construction, stream: Stream, arrays: dict[int, ArrayData]) -> Iterator[Edit]:
        used = stream.globals[made.source]
        if made.build is None:
            raise UnsafeStreamError(
                f"an object of {used.path} made at byte {made.offset:,} never gets its state",
                fact="never-built",
                offset=made.offset,
                member=self._member,
            )
        if not made.watched:
            before = self._checkpoints.before(used)
            if before is not None:
                yield before_build(made.build, before)
            yield behind_build(made.build, None, self._checkpoints.keep)
        else:
            array = arrays.get(made.build + 1)
            yield behind_build(
                made.build, made.memo, self._checkpoints.finisher(used) if array is None else self._wrapped(array)
            )

    def _wrapped(self, array: ArrayData) -> Checkpoint:
        if array.nested is not None:
            return partial(self._nested, array.nested)
        return partial(array_from_wrapper, array, self._memory)

    def _nested(self, nested: Stream, stub: Any) -> Any:
        return self._build(nested)
