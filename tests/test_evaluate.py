"""A signed model beside plain files of it (docs/evaluate.md): figures, the same answers, nothing foreign unpickled."""

from __future__ import annotations

import copyreg
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import safeload
from safeload import Policy
from safeload.bench.comparing import is_same
from safeload.errors import (
    CodecError,
    DigestMismatchError,
    DisallowedGlobalError,
    NotAnArtifactError,
    UnsafeStreamError,
    UntrustedSignerError,
)
from test_cli_desk import Call
from testkit.pages import run_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Keys
    from safeload import Evaluation

pytestmark = pytest.mark.once

CANCER = load_breast_cancer(return_X_y=True)
X, Y = CANCER[0][1::2], CANCER[1][1::2]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, which nothing stays in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir()), "a plain file of the model was left behind"


@pytest.fixture(scope="module")
def forest() -> Any:
    return make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)).fit(
        CANCER[0][::2], CANCER[1][::2]
    )


@pytest.fixture
def churn(forest: Any, tmp_path: Path, team: Keys) -> Path:
    return kept(forest, tmp_path, team)


def kept(model: Any, folder: Path, team: Keys, **options: Any) -> Path:
    safeload.dump(model, folder / "m.safeload", signer=team.key, **options)
    return folder / "m.safeload"


def measured(path: Path, team: Keys, *data: Any, **options: Any) -> Evaluation:
    return safeload.evaluate(path, *data, trust=team.pub, **{"repeats": 1, **options})


def test_three_ways_have_sizes_seconds_and_scores_and_answer_alike(
    churn: Path, forest: Any, tmp_path: Path, team: Keys
) -> None:
    found = measured(churn, team, X, Y, repeats=3)
    assert [row.name for row in found.rows] == ["safeload", "joblib", "pickle"]
    assert (found.measure, found.score) == ("accuracy", forest.score(X, Y))
    assert (found.model, found.codec, found.signers, found.repeats) == ("sklearn.Pipeline", "joblib", ("team",), 3)
    for row in found.rows:
        assert (row.score, row.same, row.reason) == (found.score, True, "")
        for seconds in (row.load, row.predict):
            assert seconds is not None
            assert 0 < seconds.least <= seconds.median <= seconds.most
    loaded = safeload.load(churn, trust=team.pub)
    joblib.dump(loaded, tmp_path / "m.joblib")
    sizes = [churn.stat().st_size, (tmp_path / "m.joblib").stat().st_size, len(pickle.dumps(loaded))]
    assert [row.size for row in found.rows] == sizes


def _booster(name: str) -> Any:
    if name == "xgboost":
        import xgboost

        return xgboost.XGBClassifier(n_estimators=5)
    if name == "lightgbm":
        import lightgbm

        return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)
    import catboost

    return catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.filterwarnings("ignore")
def test_boosters_answer_alike(name: str, tmp_path: Path, team: Keys) -> None:
    model = _booster(name).fit(CANCER[0][::2], CANCER[1][::2])
    found = measured(kept(model, tmp_path, team), team, X, Y)
    assert (found.measure, found.score) == ("accuracy", model.score(X, Y))
    assert [(row.same, row.score) for row in found.rows] == [(True, found.score)] * 3


def _files_of_boosters(folder: Path) -> dict[str, Any]:
    """Models of three classes, whose names or places are what is right, as the libraries' own files."""
    import catboost
    import lightgbm
    import xgboost

    inputs, places = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[places]
    quiet = {"verbose": 0, "allow_writing_files": False}
    models: dict[str, tuple[Any, Any]] = {
        "names.cbm": (catboost.CatBoostClassifier(iterations=5, **quiet), names),
        "places.cbm": (catboost.CatBoostClassifier(iterations=5, **quiet), places),
        "two.cbm": (catboost.CatBoostClassifier(iterations=5, **quiet), names == "setosa"),
        "numbers.cbm": (catboost.CatBoostRegressor(iterations=5, **quiet), places),
        "places.txt": (lightgbm.LGBMClassifier(n_estimators=5, verbose=-1), places),
        "places.ubj": (xgboost.XGBClassifier(n_estimators=5), places),
    }
    for name, (model, targets) in models.items():
        model.fit(inputs, targets)
        (model.booster_ if name == "places.txt" else model).save_model(str(folder / name))
    softmax = {"objective": "multi:softmax", "num_class": 3}
    labels = xgboost.train(softmax, xgboost.DMatrix(inputs, places), 5)
    labels.save_model(folder / "labels.ubj")
    found: dict[str, Any] = {name: (targets, model.score(inputs, targets)) for name, (model, targets) in models.items()}
    said = labels.predict(xgboost.DMatrix(inputs))
    return {**found, "labels.ubj": (places, float((said == places).mean()))}


@pytest.mark.filterwarnings("ignore")
def test_files_of_boosters_have_the_scores_of_their_models(tmp_path: Path, team: Keys) -> None:
    inputs = load_iris().data
    for name, (targets, score) in _files_of_boosters(tmp_path).items():
        safeload.pack(tmp_path / name, tmp_path / "m.safeload", signer=team.key)
        found = measured(tmp_path / "m.safeload", team, inputs, targets)
        assert found.measure == ("R^2" if name.startswith("numbers") else "accuracy"), name
        assert found.score == pytest.approx(score, abs=1e-12), name


def test_columns_that_stand_for_other_labels_are_not_compared(tmp_path: Path, team: Keys) -> None:
    model = LogisticRegression(max_iter=10_000).fit(X, Y)
    path = kept(model, tmp_path, team)
    with pytest.raises(ValueError, match="2 columns stand for labels other than 0 to 1"):
        measured(path, team, X, Y + 1, predict=lambda model, data: model.predict_proba(data))


def test_what_predicts_numbers_is_measured_by_r2(tmp_path: Path, team: Keys) -> None:
    inputs, targets = load_diabetes(return_X_y=True)
    model = GradientBoostingRegressor(n_estimators=20).fit(inputs, targets)
    found = measured(kept(model, tmp_path, team), team, inputs, targets)
    assert (found.measure, found.score) == ("R^2", model.score(inputs, targets))
    assert all(row.same for row in found.rows)


def test_a_score_of_ones_own_is_called_that(tmp_path: Path, team: Keys) -> None:
    search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1]}, scoring="neg_log_loss")
    search.fit(*load_iris(return_X_y=True))
    found = measured(kept(search, tmp_path, team), team, *load_iris(return_X_y=True))
    assert (found.measure, found.score) == ("score", search.score(*load_iris(return_X_y=True)))


def test_texts_in_and_a_sparse_matrix_out(tmp_path: Path, team: Keys) -> None:
    texts = load_iris().DESCR.splitlines()
    found = measured(kept(TfidfVectorizer().fit(texts), tmp_path, team), team, texts)
    assert [(row.same, row.score) for row in found.rows] == [(True, None)] * 3
    assert found.measure == ""
    assert "same" in str(found)


def test_without_data_only_loading_is_measured(churn: Path, team: Keys) -> None:
    found = measured(churn, team)
    for row in found.rows:
        assert row.size
        assert row.load
        assert (row.predict, row.score, row.same) == (None, None, None)
    assert "predict" not in str(found)


def test_what_does_not_predict_says_so(tmp_path: Path, team: Keys) -> None:
    found = measured(kept({"w": np.arange(9.0)}, tmp_path, team), team, X)
    assert (found.model, found.codec) == ("dict", "numpy")
    assert "a dict does not predict: only loading is measured" in found.notes


def test_a_way_of_asking_can_be_given(tmp_path: Path, team: Keys) -> None:
    path = kept({"w": np.array([0.5, 2.0])}, tmp_path, team)
    found = measured(path, team, np.eye(2), np.array([0.5, 2.0]), predict=lambda model, data: data @ model["w"])
    assert (found.measure, found.score, found["pickle"].same) == ("R^2", 1.0, True)


def test_a_way_of_asking_has_data_of_its_own(churn: Path, forest: Any, team: Keys) -> None:
    def predict(model: Any, rows: list[dict[str, Any]]) -> Any:
        return model.predict(np.array([row["numbers"] for row in rows]))

    rows = [{"numbers": row} for row in X]
    found = measured(churn, team, rows, Y, predict=predict)
    assert (found.measure, found.score, found["joblib"].same) == ("accuracy", forest.score(X, Y), True)


def test_what_only_transforms_has_no_score(tmp_path: Path, team: Keys) -> None:
    found = measured(kept(StandardScaler().fit(X), tmp_path, team), team, X, Y)
    assert [(row.same, row.score) for row in found.rows] == [(True, None)] * 3
    assert "a StandardScaler does not predict: there is no score" in found.notes


# --- the table and the document ---------------------------------------------------------------


def test_the_table_fits_a_terminal_and_has_a_row_for_each_way(
    churn: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(churn.parent)
    found = measured(Path(churn.name), team, X, Y)
    title, _, header, *rows = str(found).splitlines()[:6]
    assert title == "m.safeload: sklearn.Pipeline, kept by joblib, signed by team"
    assert header.split() == ["size", "load", "range", "predict", "accuracy", "answers"]
    assert [row.split()[0] for row in rows] == ["safeload", "joblib", "pickle"]
    assert all(row.endswith(f"{found.score:.4f}     same") for row in rows)
    assert max(map(len, [header, *rows])) <= 80


def test_the_document_is_json_without_exceptions(churn: Path, team: Keys) -> None:
    found = measured(churn, team, X, Y)
    document = found.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["rows"][1]["load"]["median"] == found["joblib"].load.median  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
def test_a_score_that_is_no_number_is_none(tmp_path: Path, team: Keys) -> None:
    inputs, targets = load_diabetes(return_X_y=True)
    path = kept(GradientBoostingRegressor(n_estimators=2).fit(inputs, targets), tmp_path, team)
    found = measured(path, team, inputs[:1], targets[:1])
    assert found.score is found["joblib"].score is None
    assert "NaN" not in json.dumps(found.to_dict())


def test_an_unknown_row_is_a_key_error(churn: Path, team: Keys) -> None:
    with pytest.raises(KeyError):
        measured(churn, team)["dill"]


# --- what is no fair comparison is said -------------------------------------------------------


def test_a_compressed_file_is_said_to_be_one(forest: Any, tmp_path: Path, team: Keys) -> None:
    found = measured(kept(forest, tmp_path, team, compress="zstd"), team)
    assert any("compressed (zstd)" in note for note in found.notes)


class Forgetful:
    """Pickles otherwise than it is, as what counts its own saves does."""

    def __init__(self) -> None:
        self.saved = 0

    def __getstate__(self) -> dict[str, int]:
        return {"saved": self.saved + 1}

    def predict(self, data: Any) -> Any:
        return np.asarray(data)[:, 0] + self.saved


class Dice:
    """Answers otherwise each time."""

    def predict(self, data: Any) -> Any:
        return np.random.default_rng().random(len(data))


class Handle:
    """Loads, and then holds what no pickle can."""

    def __init__(self) -> None:
        self.opened = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = {**state, "opened": True}

    def __getstate__(self) -> dict[str, Any]:
        if self.opened:
            raise TypeError("an open handle\nis not pickled")
        return self.__dict__

    def predict(self, data: Any) -> Any:
        return np.asarray(data)[:, 0] * 2


OWN = Policy.default().allow(*(f"{__name__}.{each.__name__}" for each in (Forgetful, Dice, Handle)))


@pytest.mark.filterwarnings("ignore::safeload.PolicyWarning")
def test_answers_that_differ_are_said_to_differ(tmp_path: Path, team: Keys) -> None:
    found = measured(kept(Forgetful(), tmp_path, team), team, X, policy=OWN)
    assert [row.same for row in found.rows] == [True, False, False]
    assert str(found).count(" differ\n") == 2


@pytest.mark.filterwarnings("ignore::safeload.PolicyWarning")
def test_answers_by_chance_are_not_compared(tmp_path: Path, team: Keys) -> None:
    found = measured(kept(Dice(), tmp_path, team), team, X, policy=OWN)
    assert [row.same for row in found.rows] == [None] * 3
    assert "the model does not answer twice alike, so answers cannot be compared" in found.notes


@pytest.mark.filterwarnings("ignore::safeload.PolicyWarning")
def test_what_cannot_be_pickled_has_rows_that_say_why(tmp_path: Path, team: Keys) -> None:
    found = measured(kept(Handle(), tmp_path, team), team, X, X[:, 0] * 2, policy=OWN)
    assert (found["safeload"].same, found.score) == (True, 1.0)
    for name in ("joblib", "pickle"):
        assert found[name].reason == "TypeError: an open handle is not pickled"
        assert (found[name].size, found[name].load, found[name].same) == (None, None, None)
        assert f"{name}: not possible: TypeError: an open handle is not pickled" in str(found)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.array([0.0]), np.array([-0.0]), False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.array([1.0]), np.array([1.0], "f4"), False),
        (np.array([1.0]), np.array([[1.0]]), False),
        (np.array([1.0]), [1.0], False),
        ([np.array([1]), "a"], [np.array([1]), "a"], True),
        ([1], [1, 2], False),
        ({"a": [1.0]}, {"a": [1.0]}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        (np.array(["a", None, np.nan], object), np.array(["a", None, np.nan], object), True),
        (np.array(["a", None], object), np.array(["b", None], object), False),
        (sparse.eye_array(3), sparse.eye_array(3), True),
        (sparse.eye_array(3), sparse.eye_array(4), False),
        (sparse.eye_array(3), sparse.eye_array(3) * 2, False),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"a": [1.0]}), True),
        (pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]}), False),
        (pd.Series([1, 2]), pd.Series([1, 3]), False),
        (None, None, True),
    ],
    ids=str,
)
def test_the_same_is_the_same_to_the_bit(one: Any, other: Any, same: bool) -> None:
    assert is_same(one, other) is same


# --- nothing foreign is unpickled, and nothing secret is written ------------------------------


def test_the_plain_files_are_private_and_there_only_while_it_measures(churn: Path, team: Keys, temporary: Path) -> None:
    seen: list[tuple[int, list[str]]] = []

    def look(model: Any, data: Any) -> Any:
        for folder in temporary.iterdir():
            seen.append((folder.stat().st_mode & 0o777, sorted(file.name for file in folder.iterdir())))
        return model.predict(data)

    measured(churn, team, X, predict=look)
    assert seen
    assert all(each == (0o700, ["model.joblib", "model.pickle"]) for each in seen)


def test_of_an_encrypted_model_no_plain_file_is_written(
    forest: Any, tmp_path: Path, team: Keys, temporary: Path
) -> None:
    path = kept(forest, tmp_path, team, passphrase="sesame")
    seen: list[Path] = []

    def look(model: Any, data: Any) -> Any:
        seen.extend(temporary.rglob("*"))
        return model.predict(data)

    found = measured(path, team, X, Y, passphrase="sesame", predict=look)
    assert not seen
    assert (found["safeload"].same, found["safeload"].reason) == (True, "")
    assert "in the clear" in found["joblib"].reason
    assert "in the clear" in found["pickle"].reason
    with pytest.raises(safeload.errors.NoIdentityError):
        measured(path, team)


@pytest.mark.parametrize("name", ["m.joblib", "m.pkl"])
def test_a_plain_file_is_refused_with_the_way_to_convert_it(name: str, tmp_path: Path, team: Keys) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Call(f"touch {tmp_path}/MARKER")))
    with pytest.raises(NotAnArtifactError) as caught:
        measured(path, team)
    assert "safeload convert" in caught.value.hint
    assert not (tmp_path / "MARKER").exists()


def test_what_the_policy_refuses_is_never_written_or_unpickled(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Call(f"touch {tmp_path}/MARKER")))
    with pytest.warns(safeload.PolicyWarning):
        safeload.pack(tmp_path / "evil.pkl", tmp_path / "m.safeload", signer=team.key)
    with pytest.raises(DisallowedGlobalError):
        measured(tmp_path / "m.safeload", team, X)
    assert not (tmp_path / "MARKER").exists()


class Hooked(pickle.Pickler):
    """Writes a model with an attribute that would choose how the loaded model is pickled again."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, LogisticRegression):
            state = {**value.__dict__, "__reduce_ex__": np.add}
            return copyreg.__newobj__, (LogisticRegression,), state  # type: ignore[attr-defined]  # as Python does
        return NotImplemented


def test_an_object_cannot_say_how_it_is_pickled_beside_us(tmp_path: Path, team: Keys) -> None:
    with (tmp_path / "m.pkl").open("wb") as file:
        Hooked(file, 4).dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)))
    with pytest.warns(safeload.PolicyWarning):
        safeload.pack(tmp_path / "m.pkl", tmp_path / "m.safeload", signer=team.key)
    with pytest.raises(UnsafeStreamError, match="__reduce_ex__"):
        measured(tmp_path / "m.safeload", team)


def test_a_changed_byte_and_a_stranger_are_refused(churn: Path, team: Keys, stranger: Keys) -> None:
    with pytest.raises(UntrustedSignerError):
        measured(churn, stranger, X)
    data = bytearray(churn.read_bytes())
    data[5000] ^= 1
    churn.write_bytes(data)
    with pytest.raises(DigestMismatchError):
        measured(churn, team, X)


def test_a_file_that_is_changed_while_it_is_measured_is_refused(churn: Path, team: Keys) -> None:
    asked = 0

    def spoil(model: Any, data: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 5:
            raw = bytearray(churn.read_bytes())
            raw[5000] ^= 1
            churn.write_bytes(raw)
        return model.predict(data)

    with pytest.raises(DigestMismatchError):
        measured(churn, team, X, predict=spoil, repeats=3)


# --- data out of files ------------------------------------------------------------------------


@pytest.fixture
def desk(churn: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(churn.parent)
    np.save("X.npy", X)
    np.save("y.npy", Y)
    table = pd.DataFrame(X, columns=load_breast_cancer().feature_names)
    table.to_csv("X.csv", index=False)
    table.insert(3, "label", Y)
    table.to_csv("t.csv", index=False)
    return churn


@pytest.mark.parametrize(
    "data", [("X.npy", "y.npy"), (Path("X.npy"), Y), (X, "y.npy"), ("X.csv", "y.npy"), ("t.csv", "label")], ids=str
)
def test_files_of_numbers_are_data(data: tuple[Any, Any], desk: Path, forest: Any, team: Keys) -> None:
    found = measured(desk, team, *data)
    assert found.score == forest.score(X, Y)
    assert found["pickle"].same


def test_a_column_may_hold_texts(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inputs, targets = load_iris(return_X_y=True)
    names = load_iris().target_names[targets]
    path = kept(LogisticRegression(max_iter=500).fit(inputs, names), tmp_path, team)
    pd.DataFrame(inputs).assign(species=names).to_csv("t.csv", index=False)
    found = measured(path, team, "t.csv", "species")
    assert found.score == LogisticRegression(max_iter=500).fit(inputs, names).score(inputs, names)


@pytest.mark.parametrize(
    ("name", "text", "target", "complaint"),
    [
        ("t.csv", "a,b\n1,2\n3,x\n", None, r"t\.csv: column b, row 2: 'x' is no number"),
        ("t.csv", "a,b\n1,2\n3\n", None, "as many fields"),
        ("t.csv", "a,b\n", None, "as many fields"),
        ("t.csv", "", None, "no table"),
        ("t.csv", 'a,"b\n1,2', None, "no table"),
        ("t.csv", "a,b\n1,2\n", "c", "no one column c: a, b"),
        ("t.csv", "a,a\n1,2\n", "a", "no one column a"),
        ("t.csv", "\x00,\x01\n", None, "no table"),
        ("X.npy", "1,2\n", None, r"X\.npy is no \.npy file"),
        ("X.txt", "1,2\n", None, r"neither \.npy nor \.csv"),
        ("X.npz", "1,2\n", None, r"neither \.npy nor \.csv"),
    ],
)
def test_what_is_no_data_is_said(
    name: str, text: str, target: str | None, complaint: str, desk: Path, team: Keys
) -> None:
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises((ValueError, CodecError), match=complaint):
        measured(desk, team, name, target)


def test_objects_in_an_npy_file_are_not_unpickled(desk: Path, team: Keys) -> None:
    np.save("X.npy", np.array([Call("touch MARKER")], dtype=object))
    with pytest.raises(CodecError, match="holds objects"):
        measured(desk, team, "X.npy")
    assert not Path("MARKER").exists()


def test_data_that_the_model_does_not_take_is_a_value_error(churn: Path, team: Keys) -> None:
    with pytest.raises(ValueError, match="the model does not take this data: X has 3 features"):
        measured(churn, team, X[:, :3])
    with pytest.raises(ValueError, match="the model does not take this data"):
        measured(churn, team, X, Y[:5])


@pytest.mark.parametrize("repeats", [0, -1, True, 1.5, "3"])
def test_repeats_are_counted(repeats: Any, churn: Path, team: Keys) -> None:
    with pytest.raises(ValueError, match="repeats must be a whole number from 1"):
        measured(churn, team, repeats=repeats)


def test_targets_need_data(churn: Path, team: Keys) -> None:
    with pytest.raises(ValueError, match="there is no X"):
        measured(churn, team, None, Y)


def test_only_a_path_can_be_opened_for_each_load(churn: Path, team: Keys) -> None:
    with churn.open("rb") as file, pytest.raises(TypeError, match="must be a path"):
        safeload.evaluate(file, trust=team.pub)  # type: ignore[arg-type]


# --- how it is measured -----------------------------------------------------------------------

_PEAK = """
import sys, safeload
safeload.evaluate(sys.argv[1], trust=sys.argv[2], repeats=2)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what a process took")
def test_one_model_at_a_time_is_in_memory(tmp_path: Path, team: Keys) -> None:
    def peak(megabytes: int) -> int:
        path = kept({"w": np.ones(megabytes << 17)}, tmp_path, team)
        command = [sys.executable, "-c", _PEAK, str(path), str(team.pub)]
        environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
        return int(subprocess.run(command, capture_output=True, check=True, env=environment).stdout) >> 10

    # pickle itself has the bytes twice while it writes, and while it reads; nothing else may be there then.
    assert peak(100) - peak(1) < 2.3 * 100


def test_the_page_does_what_it_says_and_shows_what_is_printed(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_page("evaluate.md", tmp_path, team, monkeypatch)
    printed = capsys.readouterr().out
    page = (Path(__file__).parent.parent / "docs" / "evaluate.md").read_text("utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    assert without_figures(printed).startswith(without_figures(shown))


def without_figures(text: str) -> str:
    """Of the rows the names and the answers: all between is of one machine."""
    return re.sub(r"(?m)^(  (?:safeload|joblib|pickle) ).*( \w+)$", r"\1\2", re.sub(r" {3,}", "  ", text))
