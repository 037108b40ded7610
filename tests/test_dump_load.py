"""dump and load, used as joblib's are used."""

from __future__ import annotations

import gc
import importlib
import io
import os
import pickle
import stat
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

import safeload
from safeload.errors import (
    CodecError,
    DisallowedGlobalError,
    EnvironmentMismatchError,
    NoSignerError,
    NotAnArtifactError,
    NoTrustError,
)

if TYPE_CHECKING:
    import pathlib

    from conftest import Keys

X, Y = load_breast_cancer(return_X_y=True)
COMPRESS: list[Any] = [
    0, 1, 9, True, False, "zlib", "gzip", "bz2", "lzma", "xz", "lz4", "zstd", ("zlib", 5), ("gzip", 1), ("bz2", 2),
    ("lzma", 1), ("xz", 0), ("lz4", 4), ("zstd", 19), ("zlib", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    return RandomForestClassifier(20, random_state=0).fit(X, Y)


@pytest.fixture
def target(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "model.safeload"


@pytest.mark.parametrize("compress", COMPRESS, ids=str)
def test_a_model_comes_back_the_same_with_every_compression(
    forest: RandomForestClassifier, target: pathlib.Path, team: Keys, compress: Any
) -> None:
    safeload.dump(forest, target, compress, signer=team.key)
    assert np.array_equal(safeload.load(target, trust=team.pub).predict_proba(X), forest.predict_proba(X))


@pytest.mark.parametrize("compress", COMPRESS, ids=str)
def test_joblib_reads_what_unpack_gives(
    forest: RandomForestClassifier, target: pathlib.Path, team: Keys, compress: Any
) -> None:
    safeload.dump(forest, target, compress, signer=team.key)
    plain = target.with_suffix(".joblib")
    safeload.unpack(target, plain, trust=team.pub)
    assert np.array_equal(joblib.load(plain).predict_proba(X), forest.predict_proba(X))


@pytest.mark.parametrize("protocol", [None, 0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("digest", ["blake3", "sha256"])
def test_every_pickle_protocol_round_trips(target: pathlib.Path, team: Keys, protocol: int | None, digest: str) -> None:
    value: dict[str, Any] = {
        "a": np.arange(40_000.0),
        "b": [1, "x", None, (2.5, b"y")],
        "c": np.array(["p", 1], dtype=object),
    }
    safeload.dump(value, target, 0, protocol, signer=team.key, digest=digest)
    loaded = safeload.load(target, trust=team.pub)
    assert np.array_equal(loaded["a"], value["a"])
    assert loaded["b"] == value["b"]
    assert loaded["c"].tolist() == ["p", 1]


@pytest.mark.parametrize("compress", [10, -1, ("zlib", 11), "brotli", ("zlib", 1, 2), ("bz2", 10)], ids=str)
def test_a_wrong_compress_is_a_value_error_as_in_joblib(target: pathlib.Path, team: Keys, compress: Any) -> None:
    with pytest.raises(ValueError, match="compress"):
        safeload.dump([1], target, compress, signer=team.key)
    assert not target.exists()


def test_strings_path_likes_and_file_objects_are_all_files(target: pathlib.Path, team: Keys) -> None:
    safeload.dump([1], str(target), signer=str(team.key))
    assert safeload.load(str(target), trust=str(team.pub)) == [1]
    buffer = io.BytesIO()
    safeload.dump([2], buffer, signer=team.key)
    buffer.seek(0)
    assert safeload.load(buffer, trust=team.pub) == [2]
    with target.open("wb") as file:
        safeload.dump([3], file, signer=team.key)
    with target.open("rb") as file:
        assert safeload.load(file, trust=team.pub) == [3]


def test_a_file_object_is_read_from_its_position(team: Keys) -> None:
    buffer = io.BytesIO(b"before")
    buffer.seek(6)
    safeload.dump([2], buffer, signer=team.key)
    buffer.seek(6)
    assert safeload.load(buffer, trust=team.pub) == [2]


def test_a_file_object_gets_nothing_when_saving_fails(team: Keys) -> None:
    buffer = io.BytesIO()
    with pytest.raises(CodecError, match="cannot be pickled"):
        safeload.dump([np.arange(10), lambda: 0], buffer, signer=team.key)
    assert buffer.getvalue() == b""


def test_a_text_file_is_refused_in_words(target: pathlib.Path, team: Keys) -> None:
    target.write_text("hello")
    with target.open() as file, pytest.raises(TypeError, match="'rb'"):
        safeload.load(file, trust=team.pub)  # type: ignore[arg-type]


def test_large_arrays_are_views_and_writable(target: pathlib.Path, team: Keys) -> None:
    safeload.dump({"a": np.zeros(100_000), "b": np.ones(100_000)}, target, signer=team.key)
    loaded = safeload.load(target, trust=team.pub)
    assert loaded["a"].base is not None
    loaded["a"][:] = 7
    assert loaded["b"].sum() == 100_000
    assert safeload.load(target, trust=team.pub)["a"].sum() == 0


def test_a_small_array_does_not_keep_the_file_in_memory(target: pathlib.Path, team: Keys) -> None:
    safeload.dump([np.zeros(10), np.zeros(1_000_000)], target, signer=team.key)
    array = safeload.load(target, trust=team.pub)[0]
    while isinstance(array.base, np.ndarray):
        array = array.base
    assert array.flags.owndata or len(array.base) == array.nbytes


@pytest.mark.parametrize("mode", ["r", "c"])
@pytest.mark.parametrize("compress", [0, "zstd"])
def test_mmap_mode_says_who_may_write(target: pathlib.Path, team: Keys, mode: str, compress: Any) -> None:
    safeload.dump(np.zeros(100_000), target, compress, signer=team.key)
    assert safeload.load(target, mode, trust=team.pub).flags.writeable == (mode == "c")


@pytest.mark.parametrize("mode", ["r+", "w+", "x"])
def test_a_mode_that_writes_to_the_file_is_refused(target: pathlib.Path, team: Keys, mode: str) -> None:
    safeload.dump(np.zeros(10), target, signer=team.key)
    with pytest.raises(ValueError, match="mmap_mode"):
        safeload.load(target, mode, trust=team.pub)


@pytest.mark.parametrize("mode", [None, "r"])
def test_foreign_byte_order_is_converted_exactly_when_joblib_converts_it(
    target: pathlib.Path, team: Keys, mode: str | None
) -> None:
    value = np.arange(20_000, dtype=">i4")
    safeload.dump(value, target, signer=team.key)
    plain = target.with_suffix(".joblib")
    joblib.dump(value, plain)
    loaded, expected = safeload.load(target, mode, trust=team.pub), joblib.load(plain, mode)
    assert loaded.dtype == expected.dtype
    assert np.array_equal(loaded, expected)


def test_a_memory_mapped_array_is_saved_and_comes_back_as_an_array(
    target: pathlib.Path, team: Keys, tmp_path: pathlib.Path
) -> None:
    np.save(tmp_path / "a.npy", np.arange(30_000.0))
    safeload.dump({"a": np.load(tmp_path / "a.npy", mmap_mode="r")}, target, signer=team.key)
    loaded = safeload.load(target, trust=team.pub)["a"]
    assert type(loaded) is np.ndarray
    assert loaded.sum() == np.arange(30_000.0).sum()


def test_what_python_2_could_read_still_loads(tmp_path: pathlib.Path, team: Keys) -> None:
    value = {"a": np.arange(5), "s": {1, 2}, "b": b"\xff"}
    old = tmp_path / "old.pkl"
    old.write_bytes(pickle.dumps(value, protocol=2, fix_imports=True))
    safeload.convert(old, tmp_path / "new.safeload", signer=team.key)
    loaded = safeload.load(tmp_path / "new.safeload", trust=team.pub)
    assert loaded["a"].tolist() == [0, 1, 2, 3, 4]
    assert (loaded["s"], loaded["b"]) == ({1, 2}, b"\xff")


def test_the_manifest_says_what_is_inside(forest: RandomForestClassifier, target: pathlib.Path, team: Keys) -> None:
    manifest = safeload.dump(forest, target, signer=team.key, metadata={"owner": "churn team"})
    assert manifest.metadata["owner"] == "churn team"
    assert manifest.metadata["hyperparameters"]["n_estimators"] == 20
    assert set(manifest.environment.distributions) >= {"scikit-learn", "numpy", "joblib"}
    assert "sklearn.ensemble._forest.RandomForestClassifier" in manifest.globals
    assert manifest.arrays.count > 20
    assert safeload.inspect(target).claimed == manifest


def test_what_is_installed_after_the_first_save_is_recorded_too(
    tmp_path: pathlib.Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeload.dump(np.arange(3), tmp_path / "first.safeload", signer=team.key)
    site = tmp_path / "site"
    (site / "lately").mkdir(parents=True)
    (site / "lately" / "__init__.py").write_text("class Late:\n    pass\n", "utf-8")
    described = site / "lately_installed-1.2.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: lately-installed\nVersion: 1.2\n", "utf-8")
    (described / "RECORD").write_text("lately/__init__.py,,\n", "utf-8")
    monkeypatch.syspath_prepend(site)
    late = importlib.import_module("lately").Late()
    with pytest.warns(safeload.PolicyWarning):
        manifest = safeload.dump(late, tmp_path / "second.safeload", signer=team.key)
    assert manifest.environment.distributions == {"lately-installed": "1.2"}


def test_metadata_that_json_lacks_is_a_type_error_and_nothing_is_written(target: pathlib.Path, team: Keys) -> None:
    with pytest.raises(TypeError):
        safeload.dump([1], target, signer=team.key, metadata={"when": {1, 2}})
    assert not target.exists()


def test_without_a_signer_nothing_is_saved(target: pathlib.Path) -> None:
    with pytest.raises(NoSignerError, match="SAFELOAD_KEY") as caught:
        safeload.dump([1], target)
    assert "keygen" in caught.value.hint


def test_without_trust_nothing_is_loaded(target: pathlib.Path, team: Keys) -> None:
    safeload.dump([1], target, signer=team.key)
    with pytest.raises(NoTrustError, match="SAFELOAD_TRUST"):
        safeload.load(target)


def test_key_and_trust_may_come_from_the_environment(
    target: pathlib.Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFELOAD_KEY", str(team.key))
    monkeypatch.setenv("SAFELOAD_TRUST", str(team.pub))
    safeload.dump([1], target)
    assert safeload.load(target) == [1]


def test_a_plain_joblib_file_is_named_as_such_with_the_way_on(tmp_path: pathlib.Path, team: Keys) -> None:
    joblib.dump([1], tmp_path / "m.joblib")
    with pytest.raises(NotAnArtifactError) as caught:
        safeload.load(tmp_path / "m.joblib", trust=team.pub)
    assert "convert" in caught.value.hint
    assert "load_untrusted" in caught.value.hint


def test_an_artifact_of_another_environment_warns_refuses_or_is_silent(
    target: pathlib.Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeload.dump(np.zeros(3), target, signer=team.key)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    with pytest.warns(safeload.EnvironmentWarning, match=r"here 3\.99\.0") as warned:
        safeload.load(target, trust=team.pub)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    with pytest.raises(EnvironmentMismatchError) as caught:
        safeload.load(target, trust=team.pub, environment="exact")
    assert caught.value.differences
    safeload.load(target, trust=team.pub, environment="ignore")


def test_an_unknown_environment_mode_is_a_value_error(target: pathlib.Path, team: Keys) -> None:
    safeload.dump([1], target, signer=team.key)
    with pytest.raises(ValueError, match="environment must be"):
        safeload.load(target, trust=team.pub, environment="strict")


def test_pack_gives_back_byte_for_byte(tmp_path: pathlib.Path, target: pathlib.Path, team: Keys) -> None:
    for number, data in enumerate([b"", b"GGUF nonsense", pickle.dumps([1]), bytes(5_000_000)]):
        original = tmp_path / f"{number}.bin"
        original.write_bytes(data)
        safeload.pack(original, target, "zstd" if number % 2 else 0, signer=team.key)
        safeload.unpack(target, tmp_path / "back", trust=team.pub)
        assert (tmp_path / "back").read_bytes() == data


def test_a_packed_joblib_file_loads_compressed_or_not(
    forest: RandomForestClassifier, tmp_path: pathlib.Path, target: pathlib.Path, team: Keys
) -> None:
    for compress in (0, 3, "lzma", "xz", "bz2", "lz4", "gzip"):
        joblib.dump(forest, tmp_path / "m.joblib", compress)
        assert safeload.pack(tmp_path / "m.joblib", target, signer=team.key).members[0].kind == "joblib"
        assert np.array_equal(safeload.load(target, trust=team.pub).predict(X), forest.predict(X))


def test_a_packed_file_that_is_no_model_says_unpack(tmp_path: pathlib.Path, target: pathlib.Path, team: Keys) -> None:
    (tmp_path / "weights.gguf").write_bytes(b"GGUF\x03\0\0\0")
    safeload.pack(tmp_path / "weights.gguf", target, signer=team.key)
    with pytest.raises(CodecError) as caught:
        safeload.load(target, trust=team.pub)
    assert "unpack" in caught.value.hint


def test_a_folder_or_a_pipe_is_an_os_error(tmp_path: pathlib.Path, team: Keys) -> None:
    with pytest.raises(IsADirectoryError):
        safeload.load(tmp_path, trust=team.pub)
    with pytest.raises(FileNotFoundError):
        safeload.load(tmp_path / "absent", trust=team.pub)


def test_scratch_and_temporary_files_are_gone(tmp_path: pathlib.Path, team: Keys) -> None:
    safeload.dump(np.zeros(10_000), tmp_path / "m.safeload", "zstd", signer=team.key)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safeload"]


def test_only_a_regular_file_is_replaced(tmp_path: pathlib.Path, team: Keys) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="not a regular file"):
        safeload.dump([1], fifo, signer=team.key)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    with pytest.raises(OSError, match="not a regular file"):
        safeload.dump([1], os.devnull, signer=team.key)
    with pytest.raises(IsADirectoryError):
        safeload.dump([1], tmp_path, signer=team.key)


def test_a_key_is_never_overwritten(tmp_path: pathlib.Path, target: pathlib.Path) -> None:
    safeload.keygen(tmp_path / "own")
    safeload.keygen(tmp_path / "shared", kind="hmac")
    safeload.dump([1], target, signer=tmp_path / "own.key")
    for name in ("own.key", "own.pub", "shared.hmac"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(FileExistsError, match="never overwritten"):
            safeload.dump([1], tmp_path / name, signer=tmp_path / "own.key")
        with pytest.raises(FileExistsError, match="never overwritten"):
            safeload.unpack(target, tmp_path / name, trust=tmp_path / "own.pub")
        assert (tmp_path / name).read_bytes() == before


def test_a_model_that_decompresses_to_much_says_so_when_it_is_saved(target: pathlib.Path, team: Keys) -> None:
    value = np.zeros(70_000_000, dtype="u8")
    with pytest.warns(safeload.PolicyWarning, match=r"limits=safeload\.Limits\(expansion_floor=560"):
        safeload.dump(value, target, "zstd", signer=team.key)
    with pytest.raises(safeload.errors.LimitError):
        safeload.load(target, trust=team.pub)
    limits = safeload.Limits(expansion_floor=1 << 30)
    assert safeload.load(target, trust=team.pub, limits=limits).shape == value.shape


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "metadata that is no dict": ({"metadata": "text"}, TypeError, "metadata must be a dict"),
    "metadata of numpy": ({"metadata": {"n": np.int64(3)}}, TypeError, "metadata must be JSON"),
    "protocol as text": ({"protocol": "5"}, TypeError, "protocol must be an int"),
    "compress None": ({"compress": None}, ValueError, "compress must be"),
    "an unknown digest": ({"digest": "md5"}, ValueError, "digest must be"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named_and_nothing_is_written(case: str, target: pathlib.Path, team: Keys) -> None:
    arguments, error, text = WRONG[case]
    with pytest.raises(error, match=text):
        safeload.dump([1], target, signer=team.key, **arguments)
    assert not target.exists()


def test_wrong_arguments_of_load_are_named_before_the_file_is_opened(team: Keys) -> None:
    with pytest.raises(ValueError, match="mmap_mode must be"):
        safeload.load("absent", "team.pub", trust=team.pub)
    with pytest.raises(TypeError, match="policy must be a Policy"):
        safeload.load("absent", trust=team.pub, policy="mypkg.Scaler")  # type: ignore[arg-type]


def test_an_empty_file_and_an_artifact_in_the_wrong_place_are_named(target: pathlib.Path, team: Keys) -> None:
    with pytest.raises(safeload.errors.FormatError, match="empty"):
        safeload.load(io.BytesIO(), trust=team.pub)
    safeload.dump([1], target, signer=team.key)
    with pytest.raises(CodecError, match="a safeload file already"):
        safeload.load_untrusted(target)


def test_a_hint_is_part_of_the_traceback(target: pathlib.Path, team: Keys) -> None:
    safeload.dump([1], target, signer=team.key)
    with pytest.raises(NoTrustError) as caught:
        safeload.load(target)
    assert any("trust add" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("name", ["model T10:00.pkl", "CON.pkl", "Mu\u0308ller.pkl", "a\\b.pkl"])
def test_a_file_of_any_name_can_be_packed(name: str, tmp_path: pathlib.Path, target: pathlib.Path, team: Keys) -> None:
    (tmp_path / name).write_bytes(pickle.dumps([1]))
    safeload.pack(tmp_path / name, target, signer=team.key)
    assert safeload.load(target, trust=team.pub) == [1]


class _Stubborn:
    """Its parameters cannot be asked for."""

    def __init__(self, *args: int) -> None:
        self.args = args

    def get_params(self) -> dict[str, Any]:
        raise RuntimeError("no parameters")


class _Broken:
    def __reduce__(self) -> Any:
        raise ValueError("no state")


def test_an_object_that_has_no_parameters_to_show_is_saved_all_the_same(target: pathlib.Path, team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning):
        safeload.dump(_Stubborn(1), target, signer=team.key)
    policy = safeload.Policy.default().allow(f"{__name__}._Stubborn")
    assert safeload.load(target, trust=team.pub, policy=policy).args == (1,)


def test_whatever_a_class_raises_while_it_is_pickled_is_a_codec_error(target: pathlib.Path, team: Keys) -> None:
    with pytest.raises(CodecError, match="no state"):
        safeload.dump(_Broken(), target, signer=team.key)


def test_saving_what_cannot_be_analysed_says_so(target: pathlib.Path, team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning, match="will be refused"):
        safeload.dump(np.array(["a"], dtype=np.dtypes.StringDType()), target, signer=team.key)


def test_an_error_of_a_file_object_can_be_kept(team: Keys) -> None:
    # The buffer of a BytesIO that the collector took first brought CPython 3.12 down.
    try:
        safeload.load(io.BytesIO(b"\x89SFL\r\n\x1a\n" + bytes(5_000)), trust=team.pub)
    except safeload.SafeloadError as error:
        error.__dict__["self"] = error
    gc.collect()


class Own:
    """A class that no policy knows."""


def test_a_small_model_that_is_loaded_again_is_made_anew_and_refused_again(team: Keys, tmp_path: pathlib.Path) -> None:
    """Its analysis is remembered; whether the policy allows it is asked each time."""
    path = tmp_path / "m.safeload"
    with pytest.warns(safeload.PolicyWarning):
        safeload.dump({"a": [1, 2], "own": Own()}, path, signer=team.key)
    policy = safeload.Policy.default().allow(f"{Own.__module__}.Own")
    for _ in range(3):
        with pytest.raises(DisallowedGlobalError):
            safeload.load(path, trust=team.pub)
        loaded = safeload.load(path, trust=team.pub, policy=policy)
        assert type(loaded["own"]) is Own
        assert loaded["a"] == [1, 2]
        loaded["a"].append(3)
