"""Models of xgboost, lightgbm and catboost are kept in their libraries' formats, and come back as they were."""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

import safeload
from safeload import Policy
from safeload.errors import CodecError, DisallowedGlobalError, MissingExtraError
from safeload.warn import UnsafeWarning
from test_cli_desk import lay, run
from testkit.boosters import FRAME, LIBRARIES, NAMES, fitted, library, predictions
from testkit.estimators import CLASSES, VALUES, X, same
from testkit.pages import run_page
from testkit.roundtrip import peak, through

if TYPE_CHECKING:
    from conftest import Keys

# xgboost 3.3 deprecates its linear booster, also when a model is loaded
pytestmark = pytest.mark.filterwarnings("ignore:.*booster=gblinear:UserWarning")

FILE = {"xgboost": "model.ubj", "lightgbm": "model.txt", "catboost": "model.cbm"}
AROUND = {
    "not fitted", "pipeline", "calibrated", "frozen", "grid search", "selection", "random search", "stacking", "voting",
}  # fmt: skip
OWN = [(library, name) for library in LIBRARIES for name in NAMES[library] if name not in AROUND]
BARE = {"xgboost": "two classes", "lightgbm": "class weights", "catboost": "multi-class"}
CALLS = (
    "get_params", "get_xgb_params", "get_num_boosting_rounds", "evals_result", "get_evals_result", "get_best_iteration",
    "get_best_score", "get_all_params", "attributes", "save_config", "feature_name", "num_trees", "current_iteration",
    "num_model_per_iteration", "get_cat_feature_indices", "get_score", "get_fscore",
)  # fmt: skip
ATTRIBUTES = (
    "best_iteration", "best_iteration_", "best_score", "best_score_", "evals_result_", "feature_importances_",
    "feature_names_in_", "feature_name_", "feature_names_", "feature_names", "feature_types", "n_features_in_",
    "classes_", "n_classes_", "n_iter_", "n_estimators_", "objective_", "tree_count_", "learning_rate_", "params",
    "pandas_categorical", "name_valid_sets", "random_seed_", "intercept_", "coef_",
)  # fmt: skip


def dumped(value: Any, team: Keys, **options: Any) -> tuple[bytes, list[tuple[str, str]]]:
    file = io.BytesIO()
    manifest = safeload.dump(value, file, signer=team.key, **options)
    return file.getvalue(), [(member.name, member.kind) for member in manifest.members]


def loaded(data: bytes, team: Keys, **options: Any) -> Any:
    return safeload.load(io.BytesIO(data), trust=team.pub, **options)


def said(model: Any) -> dict[str, Any]:
    """All that a model says of itself, as text, or the error that it raises."""
    found = {}
    with warnings.catch_warnings(action="ignore"):
        for name in (*CALLS, *ATTRIBUTES):
            try:
                value = getattr(model, name)
                found[name] = re.sub(r" at 0x\w+", "", repr(value() if name in CALLS else value))
            except Exception as error:
                found[name] = type(error).__name__
    return found


@pytest.mark.parametrize(("library", "name"), OWN)
def test_a_model_is_kept_in_its_librarys_format_and_comes_back(library: str, name: str, team: Keys) -> None:
    model, data = fitted(library)[name]
    file, members = dumped(model, team)
    assert members == [(FILE[library], f"{library}.model"), ("wrapper.joblib", f"{library}.wrapper")]
    back = loaded(file, team)
    assert type(back) is type(model)
    assert same(predictions(model, data), predictions(back, data))
    # its own pickle is what a library promises: catboost's loses the last digit of a score
    expected, got = said(pickle.loads(pickle.dumps(model))), said(back)
    assert got == expected
    assert sum(value[:1] in "[{(adnX0123456789" for value in got.values()) > 3


@pytest.mark.parametrize(("library", "name"), [(library, name) for library in LIBRARIES for name in NAMES[library]])
def test_saving_changes_nothing_in_the_model(library: str, name: str, team: Keys) -> None:
    model, data = fitted(library)[name]
    expected = predictions(model, data)
    before = {key: id(value) for key, value in vars(model).items()}
    dumped(model, team)
    assert {key: id(value) for key, value in vars(model).items()} == before
    assert same(predictions(model, data), expected)


@pytest.mark.parametrize(
    ("library", "name"), [(lib, name) for lib in LIBRARIES for name in NAMES[lib] if name in AROUND]
)
def test_what_is_not_fitted_and_what_stands_around_a_model_is_joblibs(library: str, name: str, team: Keys) -> None:
    model, _ = fitted(library)[name]
    assert [kind for _, kind in dumped(model, team)[1]] == ["joblib"]


@pytest.mark.parametrize("name", LIBRARIES)
def test_joblib_can_be_chosen_and_another_codec_says_what_it_takes(name: str, team: Keys) -> None:
    model, data = fitted(name)[BARE[name]]
    file, members = dumped(model, team, codec="joblib")
    assert [kind for _, kind in members] == ["joblib"]
    assert same(predictions(model, data), predictions(loaded(file, team), data))
    for value in (fitted(name)["not fitted"][0], [model], 1):
        with pytest.raises(CodecError, match=f"codec='{name}' takes fitted models of {name}"):
            dumped(value, team, codec=name)


def test_training_goes_on_as_if_nothing_had_been_saved(team: Keys) -> None:
    import lightgbm
    import xgboost
    from catboost import CatBoostRegressor

    inputs, target = load_diabetes(return_X_y=True)
    few: dict[str, Any] = {"n_estimators": 5, "n_jobs": 1, "random_state": 0}
    first = xgboost.XGBRegressor(**few, max_depth=3).fit(inputs, target)
    goes_on = [
        xgboost.XGBRegressor(**few).fit(inputs, target, xgb_model=one).predict(inputs)
        for one in (first, through(first, team))
    ]
    assert np.array_equal(*goes_on)
    light = lightgbm.LGBMRegressor(**few, verbose=-1).fit(inputs, target)
    goes_on = [
        lightgbm.LGBMRegressor(**few, verbose=-1).fit(inputs, target, init_model=one).predict(inputs)
        for one in (light, through(light, team))
    ]
    assert np.array_equal(*goes_on)
    quiet: dict[str, Any] = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    quiet |= {"random_strength": 0, "bootstrap_type": "No"}
    cat = CatBoostRegressor(**quiet).fit(inputs, target)
    one, other = [
        CatBoostRegressor(**quiet).fit(inputs, target, init_model=one).predict(inputs)
        for one in (cat, through(cat, team))
    ]
    assert np.allclose(one, other, rtol=1e-9)  # catboost's own last digits differ each time


def test_a_booster_goes_on_with_the_parameters_that_it_was_trained_with(team: Keys) -> None:
    """A file of xgboost's leaves them out, and the next tree would be as deep as the default says."""
    import xgboost

    inputs, target = load_diabetes(return_X_y=True)
    matrix = xgboost.DMatrix(inputs, target)
    booster = xgboost.train({"max_depth": 1, "eta": 0.5, "nthread": 1}, matrix, 3)
    back = through(booster, team)
    for one in (booster, back):
        one.update(matrix, 3)
    assert back.save_raw() == booster.save_raw()
    assert all(tree.count("\n") == 3 for tree in back.get_dump())
    assert json.loads(back.save_config()) == json.loads(booster.save_config())


@pytest.mark.parametrize("name", LIBRARIES)
def test_ranges_of_iterations_answer_as_before(name: str, team: Keys) -> None:
    model, data = fitted(name)["early stopping"]
    back = through(model, team)
    ask: dict[str, Any] = {
        "xgboost": lambda one: one.predict(data, iteration_range=(0, 2), output_margin=True),
        "lightgbm": lambda one: one.predict(data, num_iteration=2, raw_score=True),
        "catboost": lambda one: np.array([*one.staged_predict_proba(data)]),
    }
    assert np.array_equal(ask[name](model), ask[name](back))


@pytest.mark.parametrize("name", LIBRARIES)
def test_unpacked_it_is_what_the_library_itself_reads(name: str, tmp_path: Path, team: Keys) -> None:
    model, data = fitted(name)[BARE[name]]
    safeload.dump(model, tmp_path / "m.safeload", signer=team.key)
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([FILE[name], "wrapper.joblib"])
    path = str(tmp_path / "out" / FILE[name])
    if name == "xgboost":
        again = library(name).XGBClassifier()
        again.load_model(path)
        assert np.array_equal(again.predict_proba(data), model.predict_proba(data))
    elif name == "lightgbm":
        assert np.array_equal(library(name).Booster(model_file=path).predict(data), model.predict_proba(data))
    else:
        again = library(name).CatBoostClassifier().load_model(path)
        assert np.array_equal(again.predict_proba(data), model.predict_proba(data))
    rest = joblib.load(tmp_path / "out" / "wrapper.joblib")["wrapper"]
    assert repr(rest.get_params()) == repr(model.get_params())
    with pytest.raises(Exception, match=r"(?i)need to call fit|not fitted|no trained model|\'NoneType\' object has no"):
        rest.predict(data)


def plain_files(folder: Path) -> dict[str, tuple[str, Any, Any]]:
    """Files that the libraries wrote: their kind, what they say of data, and who asks them."""
    xgb, data = fitted("xgboost")["native"]
    light, rows = fitted("lightgbm")["native"]
    cat, _ = fitted("catboost")["base class"]
    for ending in ("json", "ubj"):
        xgb.save_model(folder / f"m.{ending}")
    light.save_model(folder / "m.txt", num_iteration=-1)
    cat.save_model(str(folder / "m.cbm"))
    return {
        "m.json": ("xgboost", xgb.predict(data), data),
        "m.ubj": ("xgboost", xgb.predict(data), data),
        "m.txt": ("lightgbm", light.predict(rows, num_iteration=-1), rows),
        "m.cbm": ("catboost", cat.predict(rows), rows),
    }


def test_a_plain_file_that_is_packed_loads_and_comes_out_as_it_went_in(tmp_path: Path, team: Keys) -> None:
    for name, (kind, expected, data) in plain_files(tmp_path).items():
        manifest = safeload.pack(tmp_path / name, tmp_path / "m.safeload", signer=team.key)
        assert [(member.name, member.kind) for member in manifest.members] == [(name, f"{kind}.model")]
        assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub).predict(data), expected)
        safeload.unpack(tmp_path / "m.safeload", tmp_path / "again", trust=team.pub)
        assert (tmp_path / "again").read_bytes() == (tmp_path / name).read_bytes()
        with pytest.raises(DisallowedGlobalError, match="the policy does not allow that"):
            safeload.load(tmp_path / "m.safeload", trust=team.pub, policy=Policy.untrusted())


def test_a_plain_file_is_converted_only_by_who_trusts_its_maker(tmp_path: Path, team: Keys) -> None:
    for name, (kind, expected, data) in plain_files(tmp_path).items():
        for refused in (
            lambda path: safeload.load_untrusted(path),
            lambda path: safeload.convert(path, tmp_path / "m.safeload", signer=team.key),
        ):
            with pytest.raises(DisallowedGlobalError) as caught:
                refused(tmp_path / name)
            assert f"{kind} reads a model in C++ that promises nothing about hostile bytes" in caught.value.hint
            assert "policy=Policy.default(), or --allow" in caught.value.hint
        assert not (tmp_path / "m.safeload").exists()
        names = caught.value.hint.split("--allow ")[1:]
        for policy in (Policy.default(), Policy.untrusted().allow(*map(str.strip, names))):
            assert np.array_equal(safeload.load_untrusted(tmp_path / name, policy=policy).predict(data), expected)
            safeload.convert(tmp_path / name, tmp_path / "m.safeload", signer=team.key, policy=policy)
            assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub).predict(data), expected)
            (tmp_path / "m.safeload").unlink()


@pytest.mark.parametrize(("library", "name"), OWN)
def test_a_policy_without_the_library_refuses_its_models(library: str, name: str, team: Keys) -> None:
    model, _ = fitted(library)[name]
    file, _ = dumped(model, team)
    with pytest.raises(DisallowedGlobalError) as caught:
        loaded(file, team, policy=Policy.untrusted())
    assert caught.value.module.partition(".")[0] == library
    assert "policy=Policy.default()" in caught.value.hint
    with pytest.warns(UnsafeWarning):
        everything = Policy.unsafe_allow_all()
    assert type(loaded(file, team, policy=everything)) is type(model)


def test_a_document_that_is_no_model_of_xgboosts_stays_a_file(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "m.json").write_text('{"a": {"learner": {}}}')
    manifest = safeload.pack(tmp_path / "m.json", tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == "file"


def test_a_model_of_catboost_as_json_is_packed_and_not_loaded(tmp_path: Path, team: Keys) -> None:
    fitted("catboost")[BARE["catboost"]][0].save_model(str(tmp_path / "m.json"), format="json")
    safeload.pack(tmp_path / "m.json", tmp_path / "m.safeload", signer=team.key)
    with pytest.raises(CodecError) as caught:
        safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert "safeload unpack" in str(caught.value.hint)


def test_attributes_and_classes_of_ones_own_are_joblibs(team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    import xgboost

    booster = fitted("xgboost")["native"][0].copy()
    booster.note = "mine"
    assert [kind for _, kind in dumped(booster, team)[1]] == ["joblib"]
    light = library("lightgbm").Booster(model_str=fitted("lightgbm")["native"][0].model_to_string())
    light.note = "mine"
    assert [kind for _, kind in dumped(light, team)[1]] == ["joblib"]
    derived: Any = type("Derived", (xgboost.XGBClassifier,), {"__module__": __name__})
    monkeypatch.setitem(globals(), "Derived", derived)
    with pytest.warns(safeload.PolicyWarning, match=f"{__name__}.Derived"):
        assert [kind for _, kind in dumped(derived(n_estimators=2).fit(X, CLASSES), team)[1]] == ["joblib"]


def _objective(truth: Any, predicted: Any) -> tuple[Any, Any]:
    return predicted - truth, np.ones_like(predicted)


def test_an_objective_of_ones_own_is_named_when_the_model_is_saved(team: Keys) -> None:
    model = library("xgboost").XGBRegressor(n_estimators=2, n_jobs=1, objective=_objective).fit(X, VALUES)
    with pytest.warns(safeload.PolicyWarning, match=rf"--allow {__name__}\._objective"):
        file, _ = dumped(model, team)
    with pytest.raises(DisallowedGlobalError, match="_objective"):
        loaded(file, team)
    back = loaded(file, team, policy=Policy.default().allow(f"{__name__}._objective"))
    assert back.objective is _objective
    assert np.array_equal(back.predict(X), model.predict(X))


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_command_line_judges_and_tells_of_such_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, monkeypatch)
    safeload.dump(fitted(name)[BARE[name]][0], "m.safeload", signer="team.key")
    told = run(capsys, "inspect m.safeload")
    assert told.code == 0
    assert FILE[name] in told.out
    assert run(capsys, "policy check m.safeload").code == 0
    for path in plain_files(tmp_path):
        safeload.pack(path, "p.safeload", signer="team.key")
        assert run(capsys, "policy check p.safeload").code == 0
    needs = safeload.needs("m.safeload", policy=Policy.untrusted())
    assert {each.name.partition(".")[0] for each in needs.denied} == {name}
    assert safeload.load("m.safeload", trust="team.pub", policy=Policy.untrusted().allow(*needs.allow)) is not None


def test_a_store_keeps_such_models(tmp_path: Path, team: Keys) -> None:
    store = safeload.ModelStore(tmp_path / "models", signer=team.key, trust=team.pub)
    for name in LIBRARIES:
        model, data = fitted(name)[BARE[name]]
        store.save(name, model)
        assert same(predictions(model, data), predictions(store.load(name), data))


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_missing_is_said_with_its_extra(
    name: str, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = dumped(fitted(name)[BARE[name]][0], team)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match="not installed") as caught:
        loaded(file, team)
    assert caught.value.extra == name


PROCESS = """
import sys, numpy as np, safeload
from testkit.estimators import X
model = safeload.load(sys.argv[1], trust=sys.argv[2])
np.save(sys.argv[3], model.predict_proba(X))
"""


@pytest.mark.parametrize("name", LIBRARIES)
def test_another_process_answers_the_same(name: str, tmp_path: Path, team: Keys) -> None:
    model, data = fitted(name)[BARE[name]]
    safeload.dump(model, tmp_path / "m.safeload", compress="zstd", signer=team.key)
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "m.safeload"), str(team.pub), str(tmp_path / "p.npy")]
    subprocess.run(command, cwd=Path(__file__).parent, check=True, timeout=120)
    assert np.array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(data))


NATIVE = """
import sys, catboost, safeload
model = catboost.CatBoost().load_model(sys.argv[1])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process took")
def test_loading_takes_the_file_once_more_than_the_library_alone(tmp_path: Path, team: Keys) -> None:
    catboost = library("catboost")
    inputs, target = load_breast_cancer(return_X_y=True)
    quiet: dict[str, Any] = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    for name, depth in (("small", 2), ("large", 16)):
        model = catboost.CatBoost({**quiet, "iterations": 25, "depth": depth, "border_count": 8}).fit(inputs, target)
        model.save_model(str(tmp_path / f"{name}.cbm"))
        safeload.dump(model, tmp_path / name, signer=team.key)
    size = (tmp_path / "large.cbm").stat().st_size
    assert size > 10_000_000
    command = [sys.executable, "-c", NATIVE]
    alone = [
        int(subprocess.run([*command, str(tmp_path / f"{name}.cbm")], capture_output=True, check=True).stdout) * 1024
        for name in ("small", "large")
    ]
    ours = [peak(tmp_path / name, team) for name in ("small", "large")]
    assert ours[1] - ours[0] < alone[1] - alone[0] + 1.3 * size


def test_categories_of_a_frame_come_back(team: Keys) -> None:
    model, frame = fitted("lightgbm")["labels and categories"]
    back = through(model, team)
    shuffled = FRAME.assign(colour=FRAME["colour"].cat.reorder_categories(["red", "green", "blue"]))
    assert np.array_equal(back.predict_proba(shuffled), model.predict_proba(frame))


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBRARIES:
        library(name)
    run_page("frameworks/boosters.md", tmp_path, team, monkeypatch)
