"""Arrays are kept as ``.npy`` members, and come back as they were."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra import numpy as arrays

import safeload
from safeload.container.leaves import LeafTable
from safeload.errors import CodecError, SafeloadError
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import peak, through

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

ARRAYS: dict[str, Any] = {
    "numbers": np.arange(12.0).reshape(3, 4),
    "columns first": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "every second": np.arange(40.0)[::2],
    "backwards": np.arange(5)[::-1],
    "one number": np.array(3.5),
    "none": np.zeros((0, 5), "i2"),
    "small": np.array([1.5, np.nan, np.inf], "f2"),
    "large": np.array([1 + 2j], "c16"),
    "long": np.array([1.1], np.longdouble),
    "truth": np.array([True, False]),
    "texts": np.array(["a", "ünï"]),
    "bytes": np.array([b"a", b"bcd"]),
    "days": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "spans": np.array([1, 2], "m8[ns]"),
    "steps": np.array([1, 2], "m8[25us]"),
    "no unit": np.array(["NaT"], "M8"),
    "records": np.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]),
    "records of arrays": np.zeros(2, [("a", "i4", (2, 3)), ("b", "S3")]),
    "raw": np.zeros(2, "V7"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_as_it_was(name: str, team: Keys) -> None:
    array = ARRAYS[name]
    for mode in (None, "c", "r"):
        loaded = through(array, team, mmap_mode=mode)
        assert type(loaded) is np.ndarray
        assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
        assert loaded.tobytes() == array.tobytes()
        assert loaded.flags.writeable == (mode != "r")
        assert loaded.flags.f_contiguous == array.flags.f_contiguous or name in ("every second", "backwards")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays.arrays(
        arrays.scalar_dtypes() | arrays.array_dtypes(), arrays.array_shapes(min_dims=0, min_side=0, max_side=5)
    )
)
def test_any_array_without_objects_comes_back(team: Keys, array: Any) -> None:
    loaded = through(array, team, mmap_mode="c")  # None makes the byte order this machine's, as joblib does
    assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
    assert loaded.tobytes() == array.tobytes()


def test_a_dict_of_arrays_comes_back_in_its_order(team: Keys) -> None:
    value = {"w": np.arange(3), "b": np.zeros((2, 2)), "a1": np.array(["x"])}
    loaded = through(value, team)
    assert list(loaded) == list(value)
    assert all(np.array_equal(loaded[name], array) for name, array in value.items())


def test_unpacked_it_is_what_numpy_reads(tmp_path: Path, team: Keys) -> None:
    safeload.dump({"w": np.arange(3), "b": np.zeros(2)}, tmp_path / "m.safeload", signer=team.key)
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.npy", "w.npy"]
    assert np.array_equal(np.load(tmp_path / "out" / "w.npy"), np.arange(3))


@pytest.mark.parametrize(
    "value",
    [
        np.array([{}]),
        {"a": np.array([None])},
        {"a": 1},
        {},
        {1: np.zeros(1)},
        {"a/b": np.zeros(1)},
        {"a": np.zeros(1), "A": np.ones(1)},
        {"con": np.zeros(1), "x" * 300: np.zeros(1)},
        np.matrix([[1]]),
        np.ma.array([1], mask=[True]),
    ],
    ids=repr,
)
def test_what_is_not_made_for_npy_is_kept_by_joblib(value: Any, team: Keys) -> None:
    file = io.BytesIO()
    manifest = safeload.dump(value, file, signer=team.key)
    assert [member.kind for member in manifest.members] == ["joblib"]
    file.seek(0)
    loaded = safeload.load(file, trust=team.pub)
    assert type(loaded) is type(value)
    with pytest.raises(CodecError, match="codec='numpy' takes"):
        safeload.dump(value, io.BytesIO(), signer=team.key, codec="numpy")


def test_the_codec_can_be_chosen(team: Keys) -> None:
    file = io.BytesIO()
    manifest = safeload.dump(np.arange(3), file, signer=team.key, codec="joblib")
    assert [member.kind for member in manifest.members] == ["joblib"]
    with pytest.raises(ValueError, match="codec must be None or one of keras, torch, tensorflow, onnx, numpy"):
        safeload.dump(1, io.BytesIO(), signer=team.key, codec="npz")


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


HOSTILE: dict[str, list[tuple[str, bytes]]] = {
    "objects": [("numpy.array", header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([1])))],
    "objects in records": [
        ("numpy.array", header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}", bytes(8)))
    ],
    "a pickle": [("numpy.array", pickle.dumps([1]))],
    "cut off": [("numpy.array", npy(np.arange(9))[:-1])],
    "longer": [("numpy.array", npy(np.arange(9)) + b"x")],
    "as many items of no size": [
        ("numpy.array", header("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000,)}"))
    ],
    "a shape below 0": [("numpy.array", header("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}"))],
    "a shape beyond memory": [
        ("numpy.array", header("{'descr': '<i8', 'fortran_order': False, 'shape': (4611686018427387904, 4)}"))
    ],
    "no item, and large": [
        ("numpy.array", header("{'descr': '<i8', 'fortran_order': False, 'shape': (0, 9" + "0" * 30 + ")}"))
    ],
    "no item, and larger than memory": [
        ("numpy.array", header(f"{{'descr': '<i8', 'fortran_order': False, 'shape': (0, {2**62}, {2**62})}}"))
    ],
    "an item that is large": [
        ("numpy.array", header("{'descr': '|S999999999', 'fortran_order': False, 'shape': (0,)}"))
    ],
    "no letter, and large": [
        ("numpy.array", header(f"{{'descr': '>U0', 'fortran_order': False, 'shape': (0, {2**31}, {2**31})}}"))
    ],
    "one name twice": [
        ("numpy.array", header("{'descr': [('a', '<i8'), ('a', '<i8')], 'fortran_order': False, 'shape': (0,)}"))
    ],
    **{
        f"the unit {unit}": [
            ("numpy.array", header(f"{{'descr': '<M8[{unit}]', 'fortran_order': False, 'shape': (1,)}}", bytes(8)))
        ]
        for unit in ("25s/0", "s/0", "0s", "-1s", "25s/-1", "", "x", "9999999999s")
    },
    "a dtype that is none": [
        ("numpy.array", header("{'descr': '<q9', 'fortran_order': False, 'shape': (1,)}", bytes(9)))
    ],
    "fields over one another": [
        ("numpy.array", header("{'descr': {'names': ['a']}, 'fortran_order': False, 'shape': (1,)}", bytes(9)))
    ],
    "a call for a header": [("numpy.array", header("__import__('os').system('touch MARK')"))],
    "two arrays": [("numpy.array", npy(np.arange(1))), ("numpy.array", npy(np.arange(1)))],
    "an array and a dict": [("numpy.array", npy(np.arange(1))), ("numpy.dict", npy(np.arange(1)))],
    "an array and a stream": [("numpy.array", npy(np.arange(1))), ("joblib", pickle.dumps(1))],
    "an unknown kind": [("numpy.masked", npy(np.arange(1)))],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_forged_is_refused(name: str, tmp_path: Path, team: Keys) -> None:
    members = [(f"m{n}.npy", kind, data) for n, (kind, data) in enumerate(HOSTILE[name])]
    path = signed(tmp_path / "m.safeload", team.key, members)
    with pytest.raises(SafeloadError):
        safeload.load(path, trust=team.pub)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process took")
def test_a_large_array_takes_its_size_and_little_more(tmp_path: Path, team: Keys) -> None:
    peaks = []
    for shape in ((1, 1), (10_000, 10_000)):
        safeload.dump(np.zeros(shape), tmp_path / "m", signer=team.key)
        peaks.append(peak(tmp_path / "m", team))
        (tmp_path / "m").unlink()
    assert peaks[1] - peaks[0] < 1.1 * 800_000_000


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/numpy.md", tmp_path, team, monkeypatch)


def test_files_of_numpy_are_converted_unless_they_hold_objects(tmp_path: Path, team: Keys) -> None:
    np.save(tmp_path / "a.npy", np.arange(5))
    np.savez(tmp_path / "b.npz", w=np.arange(3), b=np.zeros(2))
    np.savez_compressed(tmp_path / "c.npz", w=np.zeros(100_000))
    for name, keys in (("a.npy", None), ("b.npz", ["w", "b"]), ("c.npz", ["w"])):
        safeload.convert(tmp_path / name, tmp_path / "m.safeload", signer=team.key)
        loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
        assert (None if isinstance(loaded, np.ndarray) else list(loaded)) == keys
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "o.npz", a=np.array([{}]))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(SafeloadError):
            safeload.load_untrusted(tmp_path / name)


def test_archives_of_arrays_are_packed_and_loaded(tmp_path: Path, team: Keys) -> None:
    arrays = {"w": np.arange(6.0).reshape(2, 3).T, "b": np.zeros(0), "s": np.array("text")}
    for name, save in (("plain.npz", np.savez), ("small.npz", np.savez_compressed)):
        save(tmp_path / name, allow_pickle=False, **arrays)
        manifest = safeload.pack(tmp_path / name, tmp_path / "m.safeload", signer=team.key)
        assert [member.kind for member in manifest.members] == ["numpy.archive"]
        loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
        assert {key: (one.dtype, one.tolist()) for key, one in loaded.items()} == {
            key: (one.dtype, one.tolist()) for key, one in arrays.items()
        }
        loaded["w"][0, 0] = 7  # nobody else's
        safeload.unpack(tmp_path / "m.safeload", tmp_path / f"again {name}", trust=team.pub)
        assert (tmp_path / f"again {name}").read_bytes() == (tmp_path / name).read_bytes()


def test_archives_that_hold_more_than_arrays_are_packed_and_not_loaded(tmp_path: Path, team: Keys) -> None:
    np.savez(tmp_path / "objects.npz", a=np.array([print]))
    np.savez(tmp_path / "changed.npz", a=np.arange(1000))
    data = (tmp_path / "changed.npz").read_bytes()
    (tmp_path / "changed.npz").write_bytes(data.replace((500).to_bytes(8, "little"), (501).to_bytes(8, "little"), 1))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", _npy(np.zeros(4_000_000)))
    for name in ("objects.npz", "changed.npz", "bomb.npz"):
        safeload.pack(tmp_path / name, tmp_path / "m.safeload", signer=team.key)
        with pytest.raises(SafeloadError):
            safeload.load(tmp_path / "m.safeload", trust=team.pub, limits=safeload.Limits(expansion_floor=1 << 20))


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_dict_of_one_array_is_unpacked_into_a_folder(tmp_path: Path, team: Keys) -> None:
    safeload.dump({"w": np.arange(3)}, tmp_path / "m.safeload", signer=team.key)
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert np.array_equal(np.load(tmp_path / "out" / "w.npy"), np.arange(3))


def test_a_joblib_file_that_is_converted_stays_one(tmp_path: Path, team: Keys) -> None:
    joblib.dump({"w": np.arange(3)}, tmp_path / "m.joblib")
    manifest = safeload.convert(tmp_path / "m.joblib", tmp_path / "m.safeload", signer=team.key)
    assert [member.kind for member in manifest.members] == ["joblib"]


@pytest.mark.parametrize("shape", [(9**30, 0), (2**62, 2**62, 0), (10**18,)])
def test_a_file_that_says_too_much_of_itself_is_packed_all_the_same(shape: Any, tmp_path: Path, team: Keys) -> None:
    (tmp_path / "a.npy").write_bytes(header(f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}}}"))
    manifest = safeload.pack(tmp_path / "a.npy", tmp_path / "m.safeload", signer=team.key)
    assert manifest.arrays.count == 0
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "b.npy", trust=team.pub)
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()
    with pytest.raises(CodecError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


def test_an_array_that_is_packed_loads(tmp_path: Path, team: Keys) -> None:
    np.save(tmp_path / "a.npy", np.arange(5))
    safeload.pack(tmp_path / "a.npy", tmp_path / "m.safeload", signer=team.key)
    assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub), np.arange(5))


@pytest.mark.parametrize("encrypted", [False, True])
def test_each_leaf_is_hashed_once_however_many_members_lie_in_it(
    encrypted: bool, tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a thousand members of a leaf had all of it read and hashed anew."""
    sizes = [10, 3 << 20, 7, 9 << 20, *[1_000] * 200, 4 << 20]
    arrays = {f"a{n}": np.full(size, n % 251, "u1") for n, size in enumerate(sizes)}
    path, passphrase = tmp_path / "m.safeload", "correct horse" if encrypted else None
    safeload.dump(arrays, path, signer=team.key, passphrase=passphrase)
    hashed: list[int] = []
    compare = LeafTable._compare

    def counted(table: LeafTable, index: int, actual: bytes) -> None:
        hashed.append(index)
        compare(table, index, actual)

    monkeypatch.setattr(LeafTable, "_compare", counted)
    loaded = safeload.load(path, trust=team.pub, passphrase=passphrase)
    assert all(np.array_equal(loaded[name], array) for name, array in arrays.items())
    assert all(array.ctypes.data % 16 == 0 for array in loaded.values())
    # The first leaf of what is encrypted says with what, and is looked at for that before.
    assert [hashed.count(index) for index in range(1, 5)] == [1] * 4
    assert hashed.count(0) <= (3 if encrypted else 1)
