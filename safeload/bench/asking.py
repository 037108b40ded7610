"""How a model is asked, and what the verified one says: the others are held against that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from safeload.bench.comparing import is_same
from safeload.bench.scoring import score_of
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[Any, Any], Any]

__all__ = ["Asked"]

_SINGLE = "tensor(float)"
# What a classifier says besides: two models can give the same labels for other reasons.
_BESIDES = ("predict_proba", "decision_function")


class Asked:
    """The data, how it is asked about, and the answers of the verified model.

    Raises ValueError for data that the model does not take.
    """

    def __init__(self, model: Any, data: Any, targets: Any, predict: Ask | None) -> None:
        self.measure = ""
        self.score: float | None = None
        self.note = ""
        self._data, self._targets = data, targets
        self._how = None if data is None else predict or _how_to_ask(model)
        # Asked in a way of its own, a model has data of its own: then only the answer counts.
        self._besides = () if predict else _BESIDES
        self._scores_itself = predict is None
        self._twice = False
        if data is not None and self._how is None:
            self.note = f"a {type(model).__qualname__} does not predict: only loading is measured"
        elif data is not None:
            try:
                self._listen(model)
            except Exception as error:  # whatever the model says of data that is not for it
                raise ValueError(f"the model does not take this data: {printable(str(error), 300)}") from error

    def _listen(self, model: Any) -> None:
        self._expected = self._answers(model)
        self._twice = is_same(self._answers(model), self._expected)
        if not self._twice:
            self.note = "the model does not answer twice alike, so answers cannot be compared"
        if self._targets is not None and self._scores_itself and not _predicts(model):
            self._targets, self.note = None, f"a {type(model).__qualname__} does not predict: there is no score"
        if self._targets is not None:
            self.measure, self.score = self._score(model, self._expected[0])

    def _score(self, model: Any, answer: Any) -> tuple[str, float | None]:
        return score_of(model if self._scores_itself else None, self._data, self._targets, answer)

    @property
    def can_ask(self) -> bool:
        return self._how is not None

    def ask(self, model: Any) -> Any:
        assert self._how is not None  # noqa: S101  who asks looked before
        return self._how(model, self._data)

    def _answers(self, model: Any) -> list[Any]:
        besides = [getattr(model, verb) for verb in self._besides if callable(getattr(model, verb, None))]
        return [self.ask(model), *(verb(self._data) for verb in besides)]

    def held_against(self, model: Any) -> tuple[float | None, bool | None]:
        """Its score, and whether each bit of its answers is the same."""
        if not self.can_ask:
            return None, None
        found = self._answers(model)
        same = is_same(found, self._expected) if self._twice else None
        if self._targets is None:
            return None, same
        return self._score(model, found[0])[1], same


def _predicts(model: Any) -> bool:
    """Or only transforms."""
    return hasattr(model, "predict") or not hasattr(model, "transform")


def _how_to_ask(model: Any) -> Ask | None:
    """A function of a model and data; None for what does not answer, such as an array."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "Model") and isinstance(model, keras.Model):
        return lambda one, data: one.predict(data, verbose=0)
    if hasattr(model, "get_inputs") and hasattr(model, "run"):
        return _run
    for verb in ("inplace_predict", "predict", "transform"):  # a booster of xgboost predicts from matrices of its own
        if callable(getattr(model, verb, None)):
            return lambda one, data, verb=verb: getattr(one, verb)(data)  # type: ignore[misc]
    return None


def _run(session: Any, data: Any) -> Any:
    """All that a session of onnxruntime gives for its one input."""
    import numpy as np

    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs: predict= says how it is asked")
    return session.run(None, {inputs[0].name: np.asarray(data, "f4" if inputs[0].type == _SINGLE else None)})
