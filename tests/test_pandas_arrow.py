"""Frames whose columns pyarrow holds, as pandas 3 holds all texts where pyarrow is installed."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import pandas
import pandas.testing
import pyarrow
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import safeload
from testkit.arrow_columns import COLUMNS, VALUES, column, columns, frame
from testkit.frames import VERSION, same

if TYPE_CHECKING:
    from conftest import Keys

pd: Any = pandas
pa: Any = pyarrow
MADE = columns()
RELEASES = {path.stem[6:]: path for path in (Path(__file__).parent / "data").glob("arrow-*.joblib")}
POLICIES = {"default": safeload.Policy.default(), "untrusted": safeload.Policy.untrusted()}


def _streams(value: Any) -> list[bytes]:
    written = [pickle.dumps(value, protocol) for protocol in range(6)]
    for protocol in range(2, 6):
        buffer = io.BytesIO()
        try:
            joblib.dump(value, buffer, protocol=protocol)
        except AssertionError:  # Python's own pickler cannot write two empty buffers
            assert protocol == 5
        else:
            written.append(buffer.getvalue())
    return written


def _load(data: bytes, **options: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), **options)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_come_back_by_every_protocol(name: str, policy: str) -> None:
    for data in _streams(MADE[name]):
        assert same(_load(data, policy=POLICIES[policy]), MADE[name])


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_come_back_from_signed_files(name: str, team: Keys, tmp_path: Path) -> None:
    safeload.dump(MADE[name], tmp_path / "frame.safeload", signer=team.key)
    assert same(safeload.load(tmp_path / "frame.safeload", trust=team.pub), MADE[name])


@pytest.mark.filterwarnings("ignore::safeload.warn.UnsafeWarning")
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_come_back_under_a_policy_that_allows_everything(name: str) -> None:
    for data in _streams(MADE[name]):
        assert same(_load(data, policy=safeload.Policy.unsafe_allow_all()), MADE[name])


@pytest.mark.parametrize("release", sorted(RELEASES))
def test_files_of_older_releases_load(release: str) -> None:
    if tuple(map(int, release.split(".")))[:2] > VERSION:
        pytest.skip("a newer release")
    loaded = safeload.load_untrusted(RELEASES[release])
    assert len(loaded) >= 13
    for name, value in loaded.items():
        assert same(value, MADE[name]), name


def test_three_releases_are_tried() -> None:
    assert len(RELEASES) == 3


@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_a_column_computes_as_it_did(kind: Any) -> None:
    made = column(kind)
    loaded = _load(pickle.dumps(made))
    loaded.array._pa_array.validate(full=True)
    assert loaded.tolist() == made.tolist() or repr(loaded.tolist()) == repr(made.tolist())  # NaN
    assert loaded.isna().tolist() == made.isna().tolist()
    if not pa.types.is_dictionary(kind) and kind != pa.float16():  # which older releases do not count
        assert repr(loaded.value_counts().to_dict()) == repr(made.value_counts().to_dict())


def test_an_ordered_dictionary_stays_ordered() -> None:
    kind = pa.dictionary(pa.int8(), pa.int64(), ordered=True)
    made = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([5, 7, None]).dictionary_encode().cast(kind)))
    for data in _streams(made):
        assert _load(data).dtype.pyarrow_dtype.ordered


def test_what_was_loaded_can_be_changed() -> None:
    for data in _streams(frame()):
        loaded = _load(data)
        loaded.loc[1, "b"] = "new"
        loaded["e"] = loaded["b"].str.upper() + "!"
        assert loaded["e"].tolist() == ["X!", "NEW!", "Z!"]
        assert loaded["a"].sum() == 3


def test_models_that_were_fitted_on_texts_predict_the_same() -> None:
    table = pd.DataFrame({"city": ["Rom", "Oslo", "Rom", "Bern"] * 5, "said": ["ab bc", "bc cd", "cd de", "ab de"] * 5})
    table = table.astype("string[pyarrow]")
    target = table["city"].eq("Rom").to_numpy(bool)
    encode = make_column_transformer((OneHotEncoder(), ["city"]), (TfidfVectorizer(), "said"))
    model = make_pipeline(encode, LogisticRegression()).fit(table, target)
    model.reference_ = table
    for data in _streams(model):
        loaded = _load(data)
        assert (loaded.predict_proba(table) == model.predict_proba(table)).all()
        pandas.testing.assert_frame_equal(loaded.reference_, table)


def test_a_long_column_comes_back_in_bounded_time() -> None:
    made = pd.Series([f"text {number}" for number in range(100_000)], dtype="string[pyarrow]")
    assert same(_load(pickle.dumps(made)), made)


WITHOUT = """
import sys
sys.modules["pyarrow"] = None
import safeload
from safeload.errors import CodecError
try:
    safeload.load_untrusted(sys.argv[1])
except CodecError as error:
    print(error, error.hint)
"""


def test_without_pyarrow_a_file_that_needs_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "frame.pkl").write_bytes(pickle.dumps(frame()))
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "frame.pkl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "the model needs pyarrow" in done.stdout
    assert "install what it comes from" in done.stdout
