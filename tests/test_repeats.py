"""Objects that repeat are read in one step, with the same result as opcode by opcode."""

from __future__ import annotations

import io
import pickle
import random
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.engine.tables import WATCHED
from safeload.errors import SafeloadError
from safeload.readers import pickle as reader
from safeload.readers.joblib import analyse
from safeload.readers.runs import read_form
from testkit.seen import every_construction, every_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safeload.readers.observations import Stream


def _both(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What is seen of a stream in steps of objects, and in steps of opcodes."""
    quick = _seen(data)
    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_form", None)
        return quick, _seen(data)


def _seen(data: bytes) -> Any:
    try:
        return _comparable(analyse(memoryview(data), watch=WATCHED))
    except SafeloadError as error:
        return type(error), str(error)


def _comparable(stream: Stream) -> Any:
    """All but where exactly an object was made, which only errors about objects without a state show; and where it was
    BUILT, if a fact says that this happened twice."""
    made = [one._replace(offset=0) for one in every_construction(stream)]
    return (
        stream.start,
        stream.end,
        stream.globals,
        stream.facts,
        [array._replace(nested=None) for array in stream.every_array()],
        [_comparable(array.nested) for array in stream.arrays if array.nested],
        [] if stream.facts else sorted(made, key=lambda one: one.build or 0),
        every_frame(stream),
    )


def _models() -> dict[str, Any]:
    from sklearn.ensemble import (
        AdaBoostClassifier,
        BaggingClassifier,
        ExtraTreesRegressor,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
        StackingClassifier,
        VotingClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(120, 4))
    labels = (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 0.5)
    parts = [(f"m{n}", make_pipeline(StandardScaler(), LogisticRegression(C=n + 1))) for n in range(6)]
    models: dict[str, Any] = {
        "forest": RandomForestClassifier(12, random_state=0),
        "forest of one depth": RandomForestClassifier(12, max_depth=2, random_state=0),
        "regression": ExtraTreesRegressor(9, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=8, random_state=0),
        "histograms": HistGradientBoostingClassifier(max_iter=6, random_state=0),
        "bagging of neighbours": BaggingClassifier(KNeighborsClassifier(), 7, random_state=0),
        "bagging of pipelines": BaggingClassifier(parts[0][1], 7, random_state=0),
        "ada": AdaBoostClassifier(n_estimators=7, random_state=0),
        "voting": VotingClassifier(parts),
        "stacking": StackingClassifier(parts),
    }
    fitted = {name: model.fit(inputs, labels) for name, model in models.items()}
    fitted["two of one"] = [fitted["forest"], fitted["forest"].estimators_[3], fitted["forest"]]
    fitted["a part of one"] = [fitted["forest"], fitted["forest"].estimators_[3].tree_]
    return fitted


MODELS = _models()


def _written(value: Any) -> Iterator[bytes]:
    for protocol in range(2, 6):
        yield pickle.dumps(value, protocol)
    for protocol in (4, 5):
        file = io.BytesIO()
        joblib.dump(value, file, protocol=protocol)
        yield file.getvalue()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_seen_alike_in_large_steps_and_in_small_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in _written(MODELS[name]):
        quick, slow = _both(data, monkeypatch)
        assert quick == slow


def test_a_forest_is_read_in_large_steps() -> None:
    steps: list[int] = []

    def counted(*args: Any) -> Any:
        steps.append(1)
        return read_form(*args)

    file = io.BytesIO()
    joblib.dump(MODELS["forest"], file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "read_form", counted)
        analyse(memoryview(file.getvalue()), watch=WATCHED)
    assert len(steps) <= 3


class Scaler:
    """Of a user; its parts may be shared."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.parts = [number, (number, 1.5)]


def test_a_part_that_is_asked_for_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Scaler(n) for n in range(20)]
    shared = [many, many[12].parts, many[3], many[15].parts[1]]
    data = pickle.dumps(shared)
    quick, slow = _both(data, monkeypatch)
    assert quick == slow
    policy = safeload.Policy.default().allow(f"{__name__}.Scaler")
    loaded = safeload.load_untrusted(io.BytesIO(data), policy=policy)
    assert loaded[1] is loaded[0][12].parts
    assert loaded[2] is loaded[0][3]
    assert [each.number for each in loaded[0]] == list(range(20))


@pytest.mark.parametrize("name", ["forest", "boosting", "histograms", "bagging of pipelines", "voting"])
def test_a_broken_stream_is_seen_alike_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(name)  # noqa: S311  # reproducible
    for data in (pickle.dumps(MODELS[name], 4), *list(_written(MODELS[name]))[-1:]):
        for _ in range(120):
            mutant = bytearray(data)
            at = chooser.randrange(len(data) // 3, len(data))
            mutant[at] = chooser.choice(b"h)\x81\x94}(ub.K\x85R\x86N\x88G]aetjCB2Qq0\x00\xff")
            quick, slow = _both(bytes(mutant), monkeypatch)
            assert quick == slow
