"""Analyse, judge, rewrite, load: the one way from bytes to an object."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from safeload.engine.arrays import Memory, array_from_dtype, array_from_wrapper
from safeload.engine.collector import collection_paused
from safeload.engine.guard import Checkpoint, GuardedUnpickler
from safeload.engine.registry import Registry
from safeload.engine.resolve import answers, resolve
from safeload.engine.rewrite import rewrite
from safeload.engine.states import checked_state
from safeload.engine.tables import CHECKERS, FINISHERS, WATCHED, state_contract
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
    with collection_paused():
        stream = analyse(memory.buffer, watch=WATCHED, work=memory.work)
        check_stream(stream, policy, member=member)
        _check_end(stream, memory, member)
        return _Loading(memory, policy, member).load(stream)


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

    def __init__(self, memory: Memory, policy: Policy, member: str) -> None:
        self._memory, self._policy, self._member = memory, policy, member
        self._registry = Registry()

    def load(self, stream: Stream) -> Any:
        try:
            value = self._build(stream)
            if not self._policy.everything:
                self._registry.check(CHECKERS)
        except (SafeloadError, MemoryError):
            raise
        except Exception as error:  # whatever the rebuilt classes raise on this state
            raise CodecError(
                f"the object cannot be rebuilt: {type(error).__name__}: {printable(str(error))}"
            ) from error
        return value

    def _build(self, stream: Stream) -> Any:
        rewritten = rewrite(self._memory.view, stream)
        found = answers(stream, self._member, guarded=not self._policy.everything)
        return GuardedUnpickler(rewritten, found, self._checkpoints(stream)).load()

    def _checkpoints(self, stream: Stream) -> list[Checkpoint]:
        """One function for each checkpoint of the rewritten stream, in its order."""
        arrays = {array.end_of_build: array for array in stream.arrays}
        placed: list[tuple[int, int, Checkpoint]] = []
        for made in stream.constructions:
            finisher = self._finisher(made, stream, arrays)
            if not made.watched and made.build is not None:
                placed.append((made.build, 1, self._before(resolve(stream.globals[made.source]))))
            placed.append(((made.build or 0) + 1, 0, finisher))
        for array in stream.arrays:
            if array.whole:
                placed.append((array.end_of_build, 0, partial(array_from_dtype, array, self._memory)))
        return [checkpoint for _, _, checkpoint in sorted(placed, key=itemgetter(0, 1))]

    def _before(self, kind: Any) -> Checkpoint:
        """What a state goes through before an object of `kind` sees it."""
        contract = None if self._policy.everything else state_contract(kind)
        if contract is None:
            return partial(checked_state, kind)
        return lambda state: contract(kind, checked_state(kind, state))

    def _finisher(self, made: Construction, stream: Stream, arrays: dict[int, ArrayData]) -> Checkpoint:
        used = stream.globals[made.source]
        if made.build is None:
            raise UnsafeStreamError(
                f"an object of {used.path} made at byte {made.offset:,} never gets its state",
                fact="never-built",
                offset=made.offset,
                member=self._member,
            )
        if not made.watched:
            return self._registry.keep
        array = arrays.get(made.build + 1)
        if array is None:
            return partial(self._finish, FINISHERS[used.module, used.name])
        if array.nested is not None:
            return partial(self._nested, array.nested)
        return partial(array_from_wrapper, array, self._memory)

    def _finish(self, finisher: Checkpoint, stub: Any) -> Any:
        return self._registry.keep(finisher(stub))

    def _nested(self, nested: Stream, stub: Any) -> Any:
        return self._build(nested)
