"""Models of xgboost, lightgbm and catboost load from verified files, and from others only where somebody says so."""

from __future__ import annotations

import io
import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any

import joblib
import pytest
import scipy.sparse

import safeload
from safeload import Policy
from safeload.errors import DisallowedGlobalError
from safeload.policy.allowlist import POLICIES, allow_list, verified_only
from test_cli_desk import lay, run
from testkit.boosters import LIBRARIES, NAMES, fitted, predictions
from testkit.estimators import same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Keys


# xgboost 3.3 deprecates its linear booster, also when a model is loaded
pytestmark = pytest.mark.filterwarnings("ignore:.*booster=gblinear:UserWarning")

MODELS = [(library, name) for library in LIBRARIES for name in NAMES[library]]
BARE = {
    "xgboost": ("two classes", "xgboost.core.Booster xgboost.sklearn.XGBClassifier"),
    "lightgbm": ("class weights", "lightgbm.basic.Booster lightgbm.sklearn.LGBMClassifier"),
    "catboost": ("multi-class", "catboost.core.CatBoostClassifier"),
}


def _written(value: Any) -> Iterator[tuple[str, bytes]]:
    for protocol in range(6):
        yield f"pickle {protocol}", pickle.dumps(value, protocol)
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        yield f"joblib {protocol}", buffer.getvalue()


def _load(data: bytes, policy: Policy | None = None) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), policy=policy)


@pytest.mark.parametrize(("library", "name"), MODELS)
def test_a_model_predicts_the_same_after_a_signed_round_trip(library: str, name: str, team: Keys) -> None:
    model, data = fitted(library)[name]
    file = io.BytesIO()
    safeload.dump(model, file, signer=team.key)  # a model that would not load again would warn
    file.seek(0)
    loaded = safeload.load(file, trust=safeload.TrustStore.from_file(team.pub))
    assert type(loaded) is type(model)
    assert same(predictions(model, data), predictions(loaded, data))


@pytest.mark.parametrize(("library", "name"), MODELS)
def test_a_model_loads_from_plain_files_of_every_protocol(library: str, name: str) -> None:
    model, data = fitted(library)[name]
    expected = predictions(model, data)
    for how, written in _written(model):
        assert same(expected, predictions(_load(written, Policy.default()), data)), how


@pytest.mark.parametrize(("library", "name"), MODELS)
def test_no_booster_is_made_of_a_file_without_a_signature(library: str, name: str) -> None:
    model, _ = fitted(library)[name]
    with pytest.raises(DisallowedGlobalError) as caught:
        _load(pickle.dumps(model))
    assert caught.value.module.partition(".")[0] in LIBRARIES
    assert "in C++ that promises nothing about hostile bytes" in caught.value.hint
    assert "policy=Policy.default()" in caught.value.hint


@pytest.mark.parametrize(("library", "name"), MODELS)
def test_the_hint_holds_every_name_that_is_needed(library: str, name: str) -> None:
    model, data = fitted(library)[name]
    written = pickle.dumps(model)
    with pytest.raises(DisallowedGlobalError) as caught:
        _load(written)
    names = re.findall(r"--allow (\S+)", caught.value.hint)
    assert same(predictions(model, data), predictions(_load(written, Policy.untrusted().allow(*names)), data))


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_old_pickle_becomes_a_signed_file_once_its_names_are_said(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, names = BARE[library]
    model, data = fitted(library)[name]
    lay(tmp_path, monkeypatch)
    (tmp_path / "old.pkl").write_bytes(pickle.dumps(model))
    refused = run(capsys, "convert old.pkl -o new.safeload --key team.key")
    assert refused.code == 1
    options = " ".join(f"--allow {each}" for each in names.split())
    assert refused.err.rstrip().endswith(options)
    assert f"hint: {library} reads a model in C++" in refused.err
    assert run(capsys, f"convert old.pkl -o new.safeload --key team.key {options}").code == 0
    assert same(predictions(model, data), predictions(safeload.load("new.safeload", trust="team.pub"), data))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_model_is_not_asked_about_columns_that_are_not_there(library: str) -> None:
    """No contract looks at the width, because all three libraries do."""
    model, data = fitted(library)[BARE[library][0]]
    loaded = _load(pickle.dumps(model), Policy.default())
    for narrow in (data[:, :2], scipy.sparse.csr_matrix(data[:, :2])):
        with (
            warnings.catch_warnings(action="ignore"),
            pytest.raises(Exception, match=r"expected: 4, got 2|2 features, but|Feature 2 is present in model"),
        ):
            loaded.predict(narrow)


def test_the_policy_for_files_without_a_signature_is_the_default_one_without_boosters() -> None:
    default, untrusted = Policy.default().allowed, Policy.untrusted().allowed
    assert set(POLICIES["default"]) - set(POLICIES["untrusted"]) == set(LIBRARIES)
    assert default.keys() - untrusted.keys() == {key for library in LIBRARIES for key in allow_list(library)}
    assert verified_only().keys() == default.keys() - untrusted.keys()
    assert all(default[key] == use for key, use in untrusted.items())


def test_a_name_that_no_policy_holds_is_not_said_to_be_for_verified_files() -> None:
    model, _ = fitted("lightgbm")["native"]
    written = pickle.dumps(model).replace(b"Booster", b"Dataset")
    with pytest.raises(DisallowedGlobalError) as caught:
        _load(written)
    assert "C++" not in caught.value.hint


def test_a_further_model_of_ones_own_is_named_after_the_booster() -> None:
    """A class of the user's beside a booster: the first in the file is said, and each hint leads on."""
    model, _ = fitted("xgboost")["two classes"]
    written = pickle.dumps([model, _Own()])
    with pytest.raises(DisallowedGlobalError, match=r"xgboost\.") as caught:
        _load(written)
    assert "_Own" not in caught.value.hint
    with pytest.raises(DisallowedGlobalError, match=r"_Own"):
        _load(written, Policy.default())
    assert type(_load(written, Policy.default().allow(f"{__name__}._Own"))[1]) is _Own


class _Own:
    """A class of the user's."""

    def __init__(self) -> None:
        self.a = 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_class_derived_from_a_model_is_allowed_by_its_own_name(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = fitted(library)[BARE[library][0]]
    derived: Any = type("_Derived", (type(model),), {"__module__": __name__})
    monkeypatch.setitem(globals(), "_Derived", derived)
    own = derived.__new__(derived)
    own.__setstate__(model.__getstate__())
    loaded = _load(pickle.dumps(own), Policy.default().allow(f"{__name__}._Derived"))
    with warnings.catch_warnings(action="ignore"):
        assert same(predictions(own, data), predictions(loaded, data))
