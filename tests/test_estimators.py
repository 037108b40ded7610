"""Every estimator of scikit-learn, and what models hold besides, comes back the same with the default policy alone."""

from __future__ import annotations

import io
import pickle
import warnings
from itertools import chain
from typing import TYPE_CHECKING, Any

import joblib
import pytest
from sklearn.utils import all_estimators

import safeload
from testkit.estimators import UNFITTABLE, composed, fitted_estimators, outputs, plain_objects, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Keys


# Some estimators are deprecated, and say so whenever they are made.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[Any, Any]]:
    return {name: (estimator, data) for name, estimator, data in chain(fitted_estimators(), composed())}


def _writers(value: Any) -> Iterator[tuple[str, bytes]]:
    """`value` as joblib and as pickle write it, in each protocol that they can write it in."""
    for protocol in range(6):
        for name, write in (("joblib", _joblib), ("pickle", pickle.dumps)):
            data = _written(write, value, protocol)
            if data is not None:
                yield f"{name} {protocol}", data


def _written(write: Callable[..., bytes], value: Any, protocol: int) -> bytes | None:
    try:
        return write(value, protocol=protocol)
    except (TypeError, pickle.PicklingError):
        if protocol >= 2:
            raise
        return None  # Cython classes and slots need protocol 2


def _joblib(value: Any, protocol: int) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, protocol=protocol)
    return buffer.getvalue()


def test_all_estimators_are_there(models: dict[str, tuple[Any, Any]]) -> None:
    with warnings.catch_warnings(action="ignore"):
        names = {name for name, _ in all_estimators()}
    assert names == {name for name in models if name in names} | set(UNFITTABLE)
    assert len(UNFITTABLE) <= 2


def test_every_model_gives_identical_results_after_a_signed_round_trip(
    models: dict[str, tuple[Any, Any]], team: Keys
) -> None:
    trust = safeload.TrustStore.from_file(team.pub)
    for name, (estimator, data) in models.items():
        file = io.BytesIO()
        safeload.dump(estimator, file, signer=team.key)
        file.seek(0)
        loaded = safeload.load(file, trust=trust)
        assert _all_same(outputs(estimator, data), outputs(loaded, data)), name


def test_every_model_loads_from_plain_files_of_every_protocol(models: dict[str, tuple[Any, Any]]) -> None:
    for name, (estimator, data) in models.items():
        expected = outputs(estimator, data)
        for how, written in _writers(estimator):
            loaded = safeload.load_untrusted(io.BytesIO(written))
            assert _all_same(expected, outputs(loaded, data)), f"{name}, {how}"


@pytest.mark.parametrize(
    ("name", "value"), list(plain_objects()), ids=lambda value: value if type(value) is str else ""
)
def test_plain_objects_come_back_equal_from_every_protocol(name: str, value: Any) -> None:
    for how, written in _writers(value):
        loaded = safeload.load_untrusted(io.BytesIO(written))
        expected = joblib.load(io.BytesIO(written))
        # joblib loses numpy.matrix under numpy 2; the original is right as well.
        assert same(loaded, expected) or same(loaded, value), f"{name}, {how}"


def _all_same(expected: list[Any], got: list[Any]) -> bool:
    return len(expected) == len(got) and all(same(a, b) for a, b in zip(expected, got, strict=True))
