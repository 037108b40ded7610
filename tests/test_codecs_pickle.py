"""What `pickle.dump` writes, and arrays beside it."""

from __future__ import annotations

import io
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier

import safeload
from safeload.errors import CodecError, PolicyError, SafeloadError, VerificationError
from testkit.hiding import stack_global
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import peak
from testkit.roundtrip import through as _through

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

through = partial(_through, codec="pickle")
LARGE = np.arange(20_000.0)


def same(a: Any, b: Any) -> bool:
    return bool((a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()))


@pytest.mark.parametrize("protocol", [None, *range(6)])
def test_a_model_predicts_as_before_in_every_protocol(protocol: int | None, team: Keys) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(10, random_state=0).fit(x, y)
    file = io.BytesIO()
    manifest = safeload.dump(model, file, signer=team.key, codec="pickle", protocol=protocol)
    assert {member.kind for member in manifest.members} == {"pickle"}
    assert "sklearn.ensemble._forest.RandomForestClassifier" in manifest.globals
    file.seek(0)
    assert np.array_equal(safeload.load(file, trust=team.pub).predict_proba(x), model.predict_proba(x))


ARRAYS: dict[str, Any] = {
    "flat": LARGE,
    "rows": LARGE.reshape(100, -1),
    "columns": np.asfortranarray(LARGE.reshape(100, -1)),
    "turned": LARGE.reshape(10, 20, 100).transpose(1, 0, 2),
    "every second": LARGE[::2],
    "none": np.zeros((0, 5)),
    "big-endian": LARGE.astype(">f8"),
    "days": LARGE.astype("i8").view("M8[D]"),
    "records": np.zeros(20_000, [("a", "i4"), ("b", "f8")]),
    "texts": np.array(["a", "ünï"] * 10_000),
    "small": np.arange(3),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_as_pickle_brings_them(name: str, team: Keys) -> None:
    array = ARRAYS[name]
    for mode in (None, "c", "r"):
        loaded = through([array, {"a": array}], team, mmap_mode=mode)
        like = pickle.loads(pickle.dumps(array, 5))
        assert loaded[1]["a"] is loaded[0]
        assert same(loaded[0], array)
        assert loaded[0].flags.f_contiguous == like.flags.f_contiguous
        assert loaded[0].flags.aligned


def test_what_was_read_only_stays_so_and_all_is_with_mmap_mode_r(team: Keys) -> None:
    fixed = LARGE.copy()
    fixed.flags.writeable = False
    loaded = through([fixed, LARGE], team)
    assert [array.flags.writeable for array in loaded] == [False, True]
    assert not any(array.flags.writeable for array in through([fixed, LARGE], team, mmap_mode="r"))


def test_frames_with_texts_of_arrow_come_back(team: Keys) -> None:
    texts = pd.array([f"text {i}" for i in range(20_000)], dtype="string[pyarrow]")
    frame = pd.DataFrame({"number": LARGE, "text": texts})
    pd.testing.assert_frame_equal(through(frame, team), frame)


def test_only_large_arrays_are_members_and_not_too_many_of_them(team: Keys) -> None:
    arrays = [np.full(8_192, i, "f8") for i in range(1_005)]
    file = io.BytesIO()
    manifest = safeload.dump([LARGE, np.arange(3), *arrays], file, signer=team.key, codec="pickle")
    assert [member.kind for member in manifest.members].count("pickle.buffer") == 1_000
    file.seek(0)
    loaded = safeload.load(file, trust=team.pub)
    assert all(map(same, loaded, [LARGE, np.arange(3), *arrays]))


def test_bytes_that_are_no_array_stay_in_the_stream(team: Keys) -> None:
    value = {"bytes": pickle.PickleBuffer(bytes(100_000)), "array": pickle.PickleBuffer(bytearray(100_000))}
    loaded = through(value, team)
    assert loaded == {key: pickle.loads(pickle.dumps(each, 5)) for key, each in value.items()}
    assert [type(each) for each in loaded.values()] == [bytes, bytearray]


@pytest.mark.parametrize("compress", [0, 3, ("zstd", 3)])
def test_members_may_be_compressed_and_encrypted(compress: Any, team: Keys) -> None:
    file = io.BytesIO()
    safeload.dump([LARGE, LARGE + 1], file, compress, signer=team.key, codec="pickle", passphrase="p" * 12)
    file.seek(0)
    loaded = safeload.load(file, trust=team.pub, passphrase="p" * 12)
    assert all(map(same, loaded, [LARGE, LARGE + 1]))


def test_training_goes_on_as_if_nothing_had_been_saved(team: Keys) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    model = SGDClassifier(random_state=0).partial_fit(x[:300], y[:300], classes=[0, 1])
    again = through(model, team)
    for each in (model, again):
        each.partial_fit(x[300:], y[300:])
    assert again.coef_.tobytes() == model.coef_.tobytes()


def test_loading_takes_the_memory_of_the_arrays_and_not_twice_that(team: Keys, tmp_path: Path) -> None:
    size = 200_000_000
    safeload.dump([np.arange(4)], tmp_path / "small", signer=team.key, codec="pickle")
    safeload.dump([np.zeros(size // 8)], tmp_path / "large", signer=team.key, codec="pickle")
    assert peak(tmp_path / "large", team) - peak(tmp_path / "small", team) < 1.1 * size


class Own:
    """A class that no policy knows."""


def test_what_loading_will_need_is_said_when_it_is_saved(team: Keys) -> None:
    with pytest.warns(safeload.PolicyWarning, match="Own"):
        safeload.dump([Own(), LARGE], io.BytesIO(), signer=team.key, codec="pickle")


def test_needs_and_scan_know_the_buffers(team: Keys, tmp_path: Path) -> None:
    path = tmp_path / "m.safeload"
    safeload.dump([LARGE, LARGE + 1], path, signer=team.key, codec="pickle")
    assert safeload.needs(path).granted
    report = safeload.scan(path, trust=team.pub)
    assert not report.findings
    assert report.complete


def test_what_cannot_be_pickled_is_said_and_nothing_is_written(team: Keys, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="cannot be pickled"):
        safeload.dump(lambda: 0, tmp_path / "m", signer=team.key, codec="pickle")
    assert not list(tmp_path.iterdir())


def test_a_changed_buffer_is_noticed(team: Keys, tmp_path: Path) -> None:
    path = tmp_path / "m.safeload"
    safeload.dump(LARGE, path, signer=team.key, codec="pickle")
    data = bytearray(path.read_bytes())
    data[data.find(LARGE[100:200].tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(VerificationError):
        safeload.load(path, trust=team.pub)


def forged(stream: bytes, team: Keys, folder: Path, buffers: int = 1) -> Path:
    members = [("model.pickle", "pickle", stream)]
    members += [(f"buffers/{i:04}", "pickle.buffer", LARGE.tobytes()) for i in range(buffers)]
    return signed(folder / "m.safeload", team.key, members)


STREAM = pickle.dumps(LARGE, 5, buffer_callback=lambda _: False)
HOSTILE: dict[str, tuple[bytes, int]] = {
    "a buffer that is there is not asked for": (b"\x80\x05N.", 1),
    "one is asked for that is not there": (STREAM, 0),
    "one too many is there": (STREAM, 2),
    "the object itself": (b"\x80\x05\x97.", 1),
    "in a list": (b"\x80\x05]\x97a.", 1),
    "as a key": (b"\x80\x05}\x97Ns.", 1),
    "as a state": (b"\x80\x05" + stack_global("sklearn.linear_model._ridge", "Ridge") + b")\x81\x97b.", 1),
    "BUILT": (b"\x80\x05\x97}b.", 1),
    "called": (b"\x80\x05\x97)R.", 1),
    "given to something else": (b"\x80\x05" + stack_global("builtins", "bytearray") + b"\x97\x85R.", 1),
    "made two arrays": (b"\x80\x05(\x97\x94" + b"0" + b"t.", 1),
    "got from the memo": (b"\x80\x05\x97\x94h\x00\x86.", 1),
    "doubled": (b"\x80\x05\x972\x86.", 1),
    "something else is made read-only": (b"\x80\x05C\x01a\x98.", 0),
    "read-only is not said at once": (b"\x80\x05\x97\x94\x98.", 1),
    "thrown away": (b"\x80\x05\x970N.", 1),
    "an array longer than its buffer": (STREAM.replace(b"M\x20\x4e", b"M\x21\x4e"), 1),
    "an array of objects": (STREAM.replace(b"\x8c\x02f8", b"\x8c\x02O8"), 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_buffer_becomes_the_memory_of_one_array_or_nothing(name: str, team: Keys, tmp_path: Path) -> None:
    stream, buffers = HOSTILE[name]
    with pytest.raises(SafeloadError):
        safeload.load(forged(stream, team, tmp_path, buffers), trust=team.pub)


def test_the_honest_twin_of_these_loads(team: Keys, tmp_path: Path) -> None:
    path = forged(STREAM, team, tmp_path)
    assert same(safeload.load(path, trust=team.pub), LARGE)
    with pytest.warns(safeload.UnsafeWarning):
        everything = safeload.Policy.unsafe_allow_all()
    assert same(safeload.load(path, trust=team.pub, policy=everything), LARGE)


def test_a_plain_file_has_no_buffers(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(STREAM)
    with pytest.raises(PolicyError, match="there is none"):
        safeload.load_untrusted(tmp_path / "m.pkl")


def test_calls_in_the_stream_are_refused_as_everywhere(team: Keys, tmp_path: Path) -> None:
    stream = b"\x80\x05" + stack_global("os", "system") + b"\x8c\x04true\x85R."
    with pytest.raises(PolicyError, match=r"os\.system"):
        safeload.load(forged(stream, team, tmp_path, 0), trust=team.pub)


@pytest.mark.parametrize("kinds", [["pickle.buffer"], ["pickle.buffer", "pickle"], ["pickle", "pickle"]])
def test_members_that_are_not_a_pickle_and_its_buffers_are_refused(
    kinds: list[str], team: Keys, tmp_path: Path
) -> None:
    members = [(f"m{i}", kind, b"\x80\x05N.") for i, kind in enumerate(kinds)]
    with pytest.raises(CodecError, match="not a pickle and its buffers"):
        safeload.load(signed(tmp_path / "m.safeload", team.key, members), trust=team.pub)


def test_the_page_says_what_is_so(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/pickle.md", tmp_path, team, monkeypatch)
