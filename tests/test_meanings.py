"""Objects of one form are made without the unpickler, and are what the unpickler would have made of them."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.engine.tables import WATCHED
from safeload.errors import CodecError
from safeload.readers import pickle as reader
from safeload.readers.joblib import analyse
from testkit.forging import forged, with_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from safeload.readers.observations import Stream
    from safeload.readers.rows import Repeats


class Part:
    """Of a user: a plain state."""

    def __init__(self, number: Any, data: Any, owner: Any) -> None:
        self.number, self.data, self.owner = number, data, owner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and repr(vars(self)) == repr(vars(other))

    __hash__ = None  # type: ignore[assignment]


class Counted(Part):
    """Of a user: it does something of its own with its state."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.loads = getattr(self, "loads", 0) + 1


POLICY = safeload.Policy.default().allow(f"{__name__}.Part", f"{__name__}.Counted")


def _repeats(data: bytes) -> list[Repeats]:
    stream = analyse(memoryview(data), watch=WATCHED)
    nested = [array.nested for array in stream.arrays if array.nested]
    streams: list[Stream] = [stream, *nested]
    return [repeats for one in streams for repeats in one.repeats]


def _count(data: bytes) -> int:
    return sum(len(repeats.rows) for repeats in _repeats(data))


def _load(data: bytes) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), policy=POLICY)


def _plainly(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(reader, "read_form", None)
        return _load(data)


NUMBERS = [0, 1, 255, 256, 65_535, 65_536, -1, -(2**31), 2**31 - 1, 0.5, -0.0, float("inf"), True, False, None]


@pytest.mark.parametrize("kind", [Part, Counted])
def test_each_number_comes_back_as_what_it_was(kind: type[Part]) -> None:
    values = [kind(number, (number, 1, number), "x") for number in NUMBERS * 2]
    data = pickle.dumps(values)
    assert _count(data) > len(NUMBERS)
    loaded = _load(data)
    assert [repr(one.number) for one in loaded] == [repr(one.number) for one in values]
    assert [repr(one.data) for one in loaded] == [repr(one.data) for one in values]


@pytest.mark.parametrize("length", [0, 1, 8, 16, 17, 255, 256, 5_000])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_of_every_length_come_back(kind: type[bytes | bytearray], length: int) -> None:
    values = [Part(n, kind(bytes([n]) * length), "x") for n in range(9)]
    data = pickle.dumps(values, 5)
    assert _count(data) >= 6
    loaded = _load(data)
    assert loaded == values
    assert {type(one.data) for one in loaded} == {kind}
    if kind is bytearray and length:
        loaded[5].data[0] = 77
        assert loaded[6].data[0] == 6


def test_what_the_objects_share_stays_shared() -> None:
    generator, text = np.random.RandomState(3), "shared text"
    values = [Part(n, generator, text) for n in range(9)]
    loaded = _load(pickle.dumps([generator, text, values]))
    assert all(one.data is loaded[0] for one in loaded[2])
    assert all(one.owner is loaded[1] for one in loaded[2])


def test_a_class_with_a_setstate_of_its_own_has_it_called_once() -> None:
    loaded = _load(pickle.dumps([Counted(n, (1, 2), "x") for n in range(12)]))
    assert [one.loads for one in loaded] == [1] * 12
    assert [one.number for one in loaded] == list(range(12))


@pytest.mark.parametrize("protocol", [4, 5])
def test_objects_across_the_ends_of_frames_are_made_too(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C pickler begins a frame every 64 KiB, in the midst of an object."""
    values = [Part(n, bytes(500 + n % 7), (n, float(n))) for n in range(2_000)]
    data = pickle.dumps(values, protocol)
    assert sum(len(repeats.splits) for repeats in _repeats(data)) > 10
    assert _load(data) == values == _plainly(data, monkeypatch)


def test_a_frame_that_ends_inside_an_opcode_is_seen_as_the_unpickler_would(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps([Part(n, bytes(500), (n, 1.5)) for n in range(400)], 4)
    at = next(split.at for repeats in _repeats(data) for split in repeats.splits.values())
    start = data.rindex(b"\x95", 0, at)
    length = int.from_bytes(data[start + 1 : start + 9], "little")
    for shift in range(-6, 7):
        # the frame before is longer or shorter, and its successor begins there
        moved = bytearray(data[:at] + data[at + 9 :])
        moved[start + 1 : start + 9] = (length + shift).to_bytes(8, "little")
        follower = int.from_bytes(data[at + 1 : at + 9], "little") - shift
        moved[at + shift : at + shift] = b"\x95" + follower.to_bytes(8, "little")
        try:
            expected = pickle.loads(moved)
        except (pickle.UnpicklingError, EOFError):
            with pytest.raises(safeload.SafeloadError):
                _load(bytes(moved))
        else:
            assert _load(bytes(moved)) == expected


def _estimators() -> dict[str, Any]:
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        IsolationForest,
        RandomForestRegressor,
    )

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 6))
    labels = (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 0.5)
    models = {
        "forest": ExtraTreesClassifier(40, random_state=0).fit(inputs, labels),
        "forest of two outputs": RandomForestRegressor(30, random_state=0).fit(inputs, inputs[:, :2]),
        "boosting": GradientBoostingRegressor(n_estimators=120, random_state=0).fit(inputs, labels),
        "histograms": HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(inputs, labels),
        "isolation": IsolationForest(n_estimators=40, random_state=0).fit(inputs),
    }
    return {name: (model, model.predict(inputs), inputs) for name, model in models.items()}


ESTIMATORS = _estimators()


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("compress", [0, 3])
def test_a_model_of_many_parts_predicts_as_before(name: str, compress: int) -> None:
    model, expected, inputs = ESTIMATORS[name]
    file = io.BytesIO()
    joblib.dump(model, file, compress=compress)
    for data in (file.getvalue(), pickle.dumps(model, 4), pickle.dumps(model, 5)):
        np.testing.assert_array_equal(_load(data).predict(inputs), expected)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_model_of_many_parts_is_written_again_as_it_was_read_plainly(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pickle.dumps(ESTIMATORS[name][0])
    assert _count(data) > 20
    assert pickle.dumps(_load(data)) == pickle.dumps(_plainly(data, monkeypatch))


def _in_arguments(place: int, value: Any) -> Callable[[Any], Any]:
    return lambda made: (made[0], (*made[1][:place], value, *made[1][place + 1 :]), *made[2:])


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize(
    "change",
    [
        _in_arguments(0, 5 * 10**6),
        _in_arguments(0, None),
        _in_arguments(1, np.array([2**40])),
        _in_arguments(1, np.array([1.0])),
        _in_arguments(2, 3),
        with_state(max_depth=0),
        with_state(max_depth=True),
        with_state(node_count=10**6),
        with_state(node_count=-1),
    ],
    ids=["features", "no number", "classes", "float classes", "outputs", "depth", "bool", "count", "negative count"],
)
def test_one_bad_tree_among_good_ones_is_found(change: Callable[[Any], Any], protocol: int) -> None:
    from sklearn.tree._tree import Tree

    made = iter(range(1_000))
    data = forged(ESTIMATORS["boosting"][0], Tree, lambda tree: change(tree) if next(made) == 60 else tree, protocol)
    with pytest.raises(CodecError, match=r"sklearn\.tree"):
        _load(data)
