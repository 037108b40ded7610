"""What stands at the checkpoints before and behind each BUILD."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from safeload.engine.registry import Registry
from safeload.engine.resolve import resolve
from safeload.engine.states import checked_state, hidden_by
from safeload.engine.tables import CHECKERS, FINISHERS, FINISHERS_OF_MANY, state_contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.engine.rewrite import Checkpoint
    from safeload.policy.policy import Policy
    from safeload.readers.observations import GlobalUse

__all__ = ["Checkpoints"]


class Checkpoints:
    """Of one member, under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._everything = policy.everything
        self._registry = Registry()
        self.keep, self.keep_all = self._registry.keep, self._registry.keep_all

    def before(self, used: GlobalUse, names: frozenset[str] | None = None) -> Checkpoint | None:
        """What a state goes through before an object of `used` sees it. None if there is nothing to do: where the keys
        of the state are `names`, they are looked at here and now."""
        kind = resolve(used)
        contract = None if self._everything else state_contract(kind)
        if contract is not None:
            return lambda state: contract(kind, checked_state(kind, state))
        if names is None or hidden_by(kind, names):
            return partial(checked_state, kind)
        return None

    def finisher(self, used: GlobalUse) -> Checkpoint:
        """What makes the real object of a stub."""
        return partial(self._finish, FINISHERS[used.module, used.name])

    def finisher_of_many(self, used: GlobalUse) -> Callable[[list[Any], list[Any]], list[Any]] | None:
        """What makes the real objects of many stubs, given the arguments and the state of each; if there is such.

        It checks what the end check would."""
        return FINISHERS_OF_MANY.get((used.module, used.name))

    def _finish(self, finisher: Checkpoint, stub: Any) -> Any:
        return self.keep(finisher(stub))

    def end(self) -> None:
        """The end check. Raises CodecError."""
        if not self._everything:
            self._registry.check(CHECKERS)
