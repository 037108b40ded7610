"""Frames, series and indexes come back as they were, by every protocol, under every policy, and from every release."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas
import pandas.testing
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

import safeload
from testkit.frames import OBJECTS, VERSION, objects, same, table

if TYPE_CHECKING:
    from conftest import Keys

pd: Any = pandas  # whose types know less than it does
MADE = objects()
DATA = Path(__file__).parent / "data"
RELEASES = {tuple(map(int, path.stem[7:].split("."))): path for path in DATA.glob("pandas-*.joblib")}
POLICIES = {"default": safeload.Policy.default(), "untrusted": safeload.Policy.untrusted()}


def _streams(value: Any) -> list[bytes]:
    written = []
    for protocol in range(6):
        try:
            written.append(pickle.dumps(value, protocol))
        except TypeError:  # of a DateOffset, before pandas 3.1
            assert protocol < 2
            assert VERSION < (3, 1)
    for protocol in range(2, 6):
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        written.append(buffer.getvalue())
    return written


def _blocks(value: Any) -> list[Any]:
    """How a frame keeps its columns."""
    blocks = value._mgr.blocks if isinstance(value, pd.DataFrame) else ()
    return [(block.dtype, block.values.shape, list(block.mgr_locs)) for block in blocks]


def _load(data: bytes, **options: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), **options)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", OBJECTS)
def test_objects_come_back_by_every_protocol(name: str, policy: str) -> None:
    for data in _streams(MADE[name]):
        loaded = _load(data, policy=POLICIES[policy])
        assert same(loaded, MADE[name])
        assert _blocks(loaded) == _blocks(MADE[name])


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_come_back_from_signed_files(name: str, team: Keys, tmp_path: Path) -> None:
    safeload.dump(MADE[name], tmp_path / "frame.safeload", signer=team.key)
    assert same(safeload.load(tmp_path / "frame.safeload", trust=team.pub), MADE[name])


@pytest.mark.parametrize("release", sorted(RELEASES), ids=str)
def test_files_of_older_releases_load(release: tuple[int, ...]) -> None:
    if release[:2] > VERSION:
        pytest.skip("a newer release")
    loaded = safeload.load_untrusted(RELEASES[release])
    assert len(loaded) >= 45
    for name, value in loaded.items():
        assert same(value, MADE[name]), name


def test_every_release_since_2_2_is_tried() -> None:
    assert len(RELEASES) == 3


@pytest.mark.filterwarnings("ignore::safeload.warn.UnsafeWarning")
@pytest.mark.parametrize("name", OBJECTS)
def test_objects_come_back_under_a_policy_that_allows_everything(name: str) -> None:
    for data in _streams(MADE[name]):
        assert same(_load(data, policy=safeload.Policy.unsafe_allow_all()), MADE[name])


@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_large_arrays_come_back(mmap_mode: str | None, tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20_000, 5)), columns=list("abcde"))
    frame["k"] = pd.Categorical.from_codes(np.arange(20_000) % 3, ["x", "y", "z"])
    frame.index = pd.MultiIndex.from_product([range(200), range(100)])
    joblib.dump(frame, tmp_path / "frame.joblib")
    loaded = safeload.load_untrusted(tmp_path / "frame.joblib", mmap_mode)
    pandas.testing.assert_frame_equal(loaded, frame)


def test_what_was_loaded_can_be_changed() -> None:
    for data in _streams(MADE["a table"]):
        loaded = _load(data)
        loaded.loc[2, "a"] = 70
        loaded["new"] = loaded["b"] * 2
        loaded.insert(0, "first", pd.Categorical(loaded["c"]))
        loaded.loc[0, "first"] = "z"
        assert loaded.drop(columns=["e"]).iloc[2].tolist() == ["z", 70, 1.0, "z", True, 3, 2.0]
        assert loaded["first"].tolist() == ["z", *"yzxyz"]


def test_a_frequency_that_pandas_itself_left_behind_is_no_reason_to_refuse() -> None:
    coarse = pd.date_range("2020-01-01", periods=60, freq="ms", unit="ns").as_unit("s")
    for index in (coarse, coarse.as_unit("ms"), coarse[::-1], pd.timedelta_range("1h", periods=30, freq="5s") / 2):
        for data in _streams(index):
            assert same(_load(data), index)


def test_an_index_that_only_counts_can_be_as_long_as_its_data() -> None:
    rows = (1 << 24) + 1
    for value in (pd.Series(np.ones(rows, "i1")), pd.DataFrame({"a": np.ones(rows, "i1")})):
        loaded = _load(pickle.dumps(value))
        assert type(loaded.index) is pd.RangeIndex
        assert loaded.sum().sum() == rows


def test_a_frame_in_several_parts_of_a_model_is_one_frame() -> None:
    frame = table()
    loaded = _load(pickle.dumps(Bunch(data=frame, frame=frame, target=frame["a"])))
    assert loaded.data is loaded.frame
    pandas.testing.assert_series_equal(loaded.target, frame["a"])


# --- models that were fitted on frames ----------------------------------------------------------

ROWS = 60
FRAME = pd.DataFrame(
    {
        "size": np.arange(ROWS) / 7,
        "age": np.where(np.arange(ROWS) % 5 == 0, np.nan, np.arange(ROWS) % 11),
        "town": pd.Categorical(np.array(["Ulm", "Bonn", "Rom"], object)[np.arange(ROWS) % 3]),
        "colour": np.array(["red", "blue"], object)[np.arange(ROWS) % 2],
    }
)
TARGET = pd.Series(np.arange(ROWS) % 2, name="y")
NUMBERS = ["size", "age"]


def _columns(**options: Any) -> Any:
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("towns", OneHotEncoder(sparse_output=False), ["town"]),
            ("colours", OrdinalEncoder(), make_column_selector(pattern="col")),
        ],
        **options,
    )


MODELS: dict[str, Any] = {
    "pandas out": _columns().set_output(transform="pandas"),
    "passed through": _columns(remainder="passthrough").set_output(transform="pandas"),
    "by dtype": make_column_transformer(
        (OrdinalEncoder(), make_column_selector(dtype_include=[object, "category", pd.CategoricalDtype])),
        remainder="drop",
    ),
    "categories of a frame": OrdinalEncoder(categories=[FRAME["town"].cat.categories, FRAME["colour"].unique()]),
    "target encoder": make_pipeline(TargetEncoder(cv=2, random_state=0), LogisticRegression()),
    "pipeline": make_pipeline(_columns(), LogisticRegression()),
    "named columns of numbers": make_pipeline(SimpleImputer(), KNeighborsClassifier()),
    "neighbours": make_pipeline(KNNImputer().set_output(transform="pandas"), DecisionTreeClassifier()),
    "forest": make_pipeline(_columns(), RandomForestRegressor(3, random_state=0)),
    "boosting of categories": HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=3),
    "selection": make_pipeline(
        _columns().set_output(transform="pandas"), SelectKBest(k=2).set_output(transform="pandas")
    ),
    "search": GridSearchCV(
        make_pipeline(_columns(), LogisticRegression()), {"logisticregression__C": np.array([0.1, 1.0])}, cv=2
    ),
    "a frame as a parameter": FunctionTransformer(kw_args={"weights": FRAME}),
}
SOME = {
    "categories of a frame": ["town", "colour"],
    "target encoder": ["town", "colour"],
    "named columns of numbers": NUMBERS,
    "neighbours": NUMBERS,
}


def _outputs(model: Any, rows: Any) -> Any:
    return model.predict(rows) if hasattr(model, "predict") else model.transform(rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_models_that_were_fitted_on_frames_predict_the_same(name: str) -> None:
    rows = FRAME[SOME.get(name, list(FRAME))]
    if name == "boosting of categories":
        rows = rows.assign(colour=rows["colour"].astype("category"))
    model = MODELS[name]
    if name != "a frame as a parameter":
        model = model.fit(rows, TARGET)
    for data in _streams(model):
        loaded = _load(data)
        if name == "a frame as a parameter":
            pandas.testing.assert_frame_equal(loaded.kw_args["weights"], FRAME)
            continue
        assert getattr(loaded, "feature_names_in_", rows.columns).tolist() == rows.columns.tolist()
        expected, got = _outputs(model, rows), _outputs(loaded, rows)
        assert type(got) is type(expected)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_a_search_keeps_its_results() -> None:
    with warnings.catch_warnings(action="ignore"):
        search = MODELS["search"].fit(FRAME, TARGET)
    loaded = _load(pickle.dumps(search))
    expected, got = pd.DataFrame(search.cv_results_), pd.DataFrame(loaded.cv_results_)
    pandas.testing.assert_frame_equal(got, expected)


# --- where pandas is not ------------------------------------------------------------------------

WITHOUT = """
import io, sys
sys.modules["pandas"] = None
import safeload
from safeload.errors import CodecError
for path in sys.argv[1:]:
    try:
        safeload.load_untrusted(path)
    except CodecError as error:
        print(error, error.hint)
"""


def test_without_pandas_a_file_that_needs_it_says_so(tmp_path: Path) -> None:
    names = ["a table", "dtypes", "indexes of dates", "offsets", "single times", "sparse"]
    paths = [tmp_path / name for name in names]
    for name, path in zip(names, paths, strict=True):
        path.write_bytes(pickle.dumps(MADE[name]))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, paths)], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(names)
    assert all("the model needs pandas" in line and "install what it comes from" in line for line in lines), lines


def test_nothing_imports_pandas_that_is_not_asked_for_it() -> None:
    code = "import sys, io, pickle, safeload; safeload.load_untrusted(io.BytesIO(pickle.dumps([1]))); "
    code += "sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_zones_of_pytz_come_back() -> None:
    pytz = pytest.importorskip("pytz")
    zone = pytz.timezone("Europe/Berlin")
    times = pd.date_range("2020-03-28", periods=4, tz=zone)
    summer = pd.Timestamp("2020-07-01", tz=zone)
    for value in (times, summer, pd.Timestamp("2020", tz=pytz.utc), pd.Timestamp("2020", tz=pytz.FixedOffset(90))):
        for data in _streams(value):
            assert same(_load(data), value)
