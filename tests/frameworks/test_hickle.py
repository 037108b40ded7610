"""hickle: what it keeps without a pickle comes back as hickle itself gives it back, and no pickle is ever read."""

from __future__ import annotations

import collections
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_iris, load_wine
from sklearn.feature_extraction.text import TfidfVectorizer

import safeload
from safeload.codecs.hickle_keys import Keys as Keys_
from safeload.codecs.hickle_tree import rebuild
from safeload.errors import CodecError, DigestMismatchError, LimitError, SafeloadError, UnsafeFileError
from safeload.limits import Limits
from safeload.mapped import Place
from testkit.frameworks import need
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import peak, through

need("hickle", extra="hickle")
import h5py
import hickle

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

FILES = Path(__file__).parent.parent / "data" / "scan"
IRIS, WINE = load_iris(), load_wine()
SHARED: list[Any] = [1, "a"]
VALUES: dict[str, Any] = {
    "data of flowers": {"X": IRIS.data, "y": IRIS.target, "names": IRIS.target_names, "of": list(IRIS.feature_names)},
    "words": TfidfVectorizer().fit([WINE.DESCR, IRIS.DESCR]).vocabulary_,
    "a sparse matrix": TfidfVectorizer().fit_transform([WINE.DESCR, IRIS.DESCR]),
    "other sparse ones": [
        scipy.sparse.csc_matrix(np.eye(3)), scipy.sparse.bsr_matrix(np.ones((4, 4), "f4"), blocksize=(2, 2))
    ],
    "nothing": None,
    "numbers": [1, "x", 2.5, True, None, 2j, 2**80, -(2**63), float("inf")],
    "numbers alone": ([1, 2], (1.5, 2), {3, 4}, [True, False], [1j, 2], [np.float32(1), np.float32(2)]),
    "empty": [[], (), {}, set(), "", b"", np.zeros((0, 3))],
    "texts": ["häß\0lich", b"\0\xff\0", ["a", "b"], {"a", "b"}, ""],
    "keys": {"a": 1, b"b": 2, 3: 4, 1.5: 5, 2j: 6, None: 7, (1, "x"): 8, "a/b": 9, np.int64(3): 1, "": 2, True: 3},
    "an ordered dict": collections.OrderedDict(b=1, a=[2, "x"]),
    "scalars": [np.float16(1), np.int8(-3), np.bool_(1), np.complex64(1j), np.longdouble(2)],
    "arrays": [
        np.arange(4).astype(">f4"), np.asfortranarray(np.ones((2, 3))), np.array(5.0), np.array(["a", "bcd"]),
        np.array([["a", "b"], ["", "d"]]), np.array([b"a", b"bc"]), np.array([True, False]), np.ma.array([1, 2]),
        np.ma.array([1.5, 2], mask=[False, True]),
    ],
    "one thing twice": {"b": SHARED, "a": SHARED, "c": {"d": SHARED}},
    "depth": [[[["x", [["y"]]]]]],
}  # fmt: skip


def said(value: Any) -> Any:
    """All that there is to tell of a value, types included."""
    if scipy.sparse.issparse(value):
        return type(value), value.shape, *map(said, (value.data, value.indices, value.indptr))
    if isinstance(value, np.ndarray):
        return type(value), value.dtype, value.shape, repr(value.tolist()), repr(getattr(value, "mask", None))
    if isinstance(value, (list, tuple)):
        return type(value), [said(each) for each in value]
    if isinstance(value, set):
        return type(value), sorted(repr(said(each)) for each in value)
    if isinstance(value, dict):
        return type(value), [(said(key), said(each)) for key, each in value.items()]
    return type(value), repr(value)


def written(value: Any, **how: Any) -> bytes:
    buffer = io.BytesIO()
    hickle.dump(value, buffer, filename="x", **how)
    return buffer.getvalue()


def changed(data: bytes, change: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


def loaded(data: bytes, team: Keys, folder: Path) -> Any:
    return safeload.load(signed(folder / "m.safeload", team.key, [("m.hkl", "hickle.file", data)]), trust=team.pub)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_hickle_gives_it_back(name: str, team: Keys, tmp_path: Path) -> None:
    safeload.dump(VALUES[name], tmp_path / "m.safeload", signer=team.key, codec="hickle")
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "m.hkl", trust=team.pub)
    expected = hickle.load(str(tmp_path / "m.hkl"))
    assert said(safeload.load(tmp_path / "m.safeload", trust=team.pub)) == said(expected)


def test_what_was_one_thing_is_one_thing(team: Keys) -> None:
    again = through(VALUES["one thing twice"], team, codec="hickle")
    assert again["a"] is again["b"] is again["c"]["d"]


LOADS = """
import sys, numpy as np, safeload
value = safeload.load(sys.argv[1], trust=sys.argv[2])
np.save(sys.argv[3], value["X"])
"""


def test_it_is_the_same_in_another_process(tmp_path: Path, team: Keys) -> None:
    manifest = safeload.dump(VALUES["data of flowers"], tmp_path / "m.safeload", 3, signer=team.key, codec="hickle")
    assert [(member.name, member.kind) for member in manifest.members] == [("model.hkl", "hickle.file")]
    assert manifest.environment.distributions["hickle"] == hickle.__version__
    command = [sys.executable, "-c", LOADS, str(tmp_path / "m.safeload"), str(team.pub), str(tmp_path / "x.npy")]
    subprocess.run(command, check=True)
    assert np.array_equal(np.load(tmp_path / "x.npy"), IRIS.data)


def test_a_file_of_hickle_is_packed_converted_and_loaded(tmp_path: Path, team: Keys) -> None:
    data = written({name: VALUES[name] for name in ("data of flowers", "a sparse matrix")}, compression="gzip")
    (tmp_path / "m.hkl").write_bytes(data)
    manifest = safeload.pack(tmp_path / "m.hkl", tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == "hickle.file"
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "again.hkl", trust=team.pub)
    assert (tmp_path / "again.hkl").read_bytes() == data
    safeload.convert(tmp_path / "m.hkl", tmp_path / "n.safeload", signer=team.key)
    expected = said(hickle.load(str(tmp_path / "m.hkl")))
    for path in ("m.safeload", "n.safeload"):
        assert said(safeload.load(tmp_path / path, trust=team.pub, environment="ignore")) == expected
    assert said(safeload.load_untrusted(tmp_path / "m.hkl")) == expected


def test_a_file_that_hickle_wrote_long_ago_loads() -> None:
    loaded = safeload.load_untrusted(FILES / "data.hkl")
    assert said(loaded) == said(hickle.load(str(FILES / "data.hkl")))


def test_hdf5_that_is_not_of_hickle_is_a_file(tmp_path: Path, team: Keys) -> None:
    with h5py.File(tmp_path / "m.hkl", "w") as file:
        file["data"] = 1
        file.create_group("x").attrs["HICKLE_VERSION"] = "5.0.3"
    manifest = safeload.pack(tmp_path / "m.hkl", tmp_path / "m.safeload", signer=team.key)
    assert manifest.members[0].kind == "file"
    with pytest.raises(CodecError, match="hdf5 is a format that is not loaded here"):
        safeload.load_untrusted(tmp_path / "m.hkl")


class Own:
    """A class of somebody's own."""


HOLDS_ITSELF: list[Any] = ["a"]
HOLDS_ITSELF.append(HOLDS_ITSELF)
DEEP: list[Any] = ["a"]
for _ in range(200):
    DEEP = [DEEP, "a"]
NOT_KEPT: dict[str, tuple[Any, str]] = {
    "an object": ({"a": [1, {"b": Own()}]}, r"\['a'\]\[1\]\['b'\]: a frameworks.test_hickle.Own"),
    "a range": (range(3), "the value: a builtins.range"),
    "a frozenset": ([frozenset([1]), "a"], r"\[0\]: a builtins.frozenset"),
    "a class that derives": (collections.Counter("aab"), "the value: a collections.Counter"),
    "objects in an array": ({"a": np.array([1, "x"], dtype=object)}, r"\['a'\]: an array of object"),
    "fields": (np.zeros(2, [("a", "i4")]), "an array of"),
    "dates": (np.array(["2020"], "M8[D]"), "an array of datetime64"),
    "no texts": (np.array([], "U3"), "an array of <U3, 1 dimensions and 0 items"),
    "a sparse array": (scipy.sparse.csr_array(np.eye(2)), "csr_array"),
    "a text of numpy's": (np.str_("a"), "numpy.str_"),
    "a long number among numbers": ({"a": [1, 2**70]}, r"\['a'\]: a whole number of more than 64 bits"),
    "single bytes": ([b"a", b"b"], "nothing but single bytes"),
    "no text at all": ({"a": "\ud800"}, r"\['a'\]: a text that UTF-8 has not"),
    "a key that is cut off": ({"a\0b": 1}, "a key that is too long, or has a zero in it"),
    "a key that becomes another": ({False: 1}, "hickle reads this key as True"),
    "a key of another kind": ({frozenset([1]): 1}, "a key that is a frozenset"),
    "what holds itself": (HOLDS_ITSELF, "it holds itself"),
    "what is too deep": (DEEP, "deeper than"),
    "too many": ([[1, "a"]] * 3 + [["a", n] for n in range(10_000)], "more than 20,000 values"),
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_what_hickle_would_pickle_or_change_is_refused(name: str, team: Keys, tmp_path: Path) -> None:
    value, why = NOT_KEPT[name]
    with pytest.raises(CodecError, match=f"hickle would not keep this as it is: .*{why}"):
        safeload.dump(value, tmp_path / "m.safeload", signer=team.key, codec="hickle")
    assert [*tmp_path.iterdir()] == []


class Marks:
    """Somebody's code."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("MARK",)


def as_bytes(data: bytes) -> Any:
    return np.frombuffer(data, "S1").reshape(1, -1)


def typed(data: bytes) -> Callable[[Any], Any]:
    """The table of types says `data` of the first type."""

    def change(file: Any) -> None:
        base = file["hickle_types_table/0"].attrs["base_type"]
        type_ = file["data"].attrs["type"]
        del file["hickle_types_table/0"]
        file["hickle_types_table/0"] = as_bytes(data)
        file["hickle_types_table/0"].attrs["base_type"] = base
        file["data"].attrs["type"] = file["hickle_types_table/0"].ref
        assert type_ is not None

    return change


def replaced(make: Callable[[Any], Any], name: str = 'data/"a"') -> Callable[[Any], Any]:
    """The value `name` is another, with the attributes that it had."""

    def change(file: Any) -> None:
        attrs = dict(file[name].attrs)
        del file[name]
        made = make(file)
        if made is not None:
            file[name] = made
        file[name].attrs.update(attrs)

    return change


def unnamed(data: Any) -> Callable[[Any], Any]:
    def change(file: Any) -> None:
        replaced(lambda file: data)(file)
        del file['data/"a"'].attrs["type"]

    return change


def linked(link: Any) -> Callable[[Any], Any]:
    def change(file: Any) -> None:
        del file['data/"a"']
        file['data/"a"'] = link

    return change


def elsewhere(file: Any) -> None:
    """Numbers that stand in another file."""
    file.create_dataset('data/"a"', (4,), "f8", external=[("/etc/passwd", 0, 32)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))  # noqa: S108
    file.create_virtual_dataset('data/"a"', layout)


def to_itself(file: Any) -> None:
    del file['data/"a"']
    file['data/"a"'] = file["data"]


def refers_to(file: Any) -> None:
    attrs = dict(file['data/"a"'].attrs)
    del file['data/"a"']
    node = file.create_dataset('data/"a"', data=file["data"].ref, dtype=h5py.ref_dtype)
    node.attrs.update({key: value for key, value in attrs.items() if key != "type"})


def described(**attributes: Any) -> Callable[[Any], Any]:
    return lambda file: file['data/"a"'].attrs.update(attributes)


def huge(file: Any) -> None:
    file.create_dataset('data/"a"', (1 << 40,), "f8", chunks=(1 << 16,))


CALL = pickle.dumps(Marks())
GOOD = written({"a": np.arange(4.0), "b": [1, "x"], "m": scipy.sparse.csr_matrix(np.eye(3)), "s": "text"})
HOSTILE: dict[str, Callable[[Any], Any]] = {
    "a pickle that calls": unnamed(np.frombuffer(CALL, "u1")),
    "a pickle that is harmless": unnamed(np.frombuffer(pickle.dumps(range(3)), "u1")),
    "numbers without a type": unnamed(np.arange(3.0)),
    "a type that calls": typed(CALL),
    "a type of os": typed(b"\x80\x04\x95\x11\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94."),
    "a type that is another": typed(pickle.dumps(list)),
    "a type with more behind it": typed(pickle.dumps(dict) + b"."),
    "a type of protocol 0": typed(pickle.dumps(dict, 0)),
    "a type in an attribute": lambda file: file["data"].attrs.update(type=np.void(CALL)),
    "a type that is a harmless attribute": lambda file: file["data"].attrs.update(type=np.void(pickle.dumps(dict))),
    "a type from elsewhere": lambda file: file["data"].attrs.update(type=file['data/"s"'].ref),
    "no type": lambda file: file["data"].attrs.__delitem__("type"),
    "an external link": linked(h5py.ExternalLink("/etc/passwd", "/")),
    "a soft link": linked(h5py.SoftLink('/data/"b"')),
    "a soft link to itself": linked(h5py.SoftLink('/data/"a"')),
    "external storage": replaced(elsewhere),
    "a virtual dataset": replaced(virtual),
    "a group in itself": to_itself,
    "a reference to what it is in": refers_to,
    "a huge shape": replaced(huge),
    "two types of numbers": described(np_dtype="<i8"),
    "objects": described(np_dtype="|O"),
    "no place": described(key_idx=-1),
    "a place that is taken": described(key_idx=1),
    "a far place": described(key_idx=1 << 60),
    "a key that is code": described(key_base_type="tuple"),
    "a name that is no key": described(key_base_type="int"),
    "indices outside": lambda file: file['data/"m"/indices'].write_direct(np.array([0, 1, 1 << 30], "i4")),
    "pointers outside": lambda file: file['data/"m"/indptr'].write_direct(np.array([0, 1, 2, 9], "i4")),
    "a large shape of a sparse matrix": lambda file: file['data/"m"/shape'].write_direct(np.array([1 << 62, 3])),
    "no sparse matrix": lambda file: file['data/"m"'].__delitem__("indptr"),
    "bytes that are no text": replaced(lambda file: as_bytes(b"\xff\xfe"), 'data/"s"'),
    "another version": lambda file: file.attrs.update(HICKLE_VERSION="4.0.0"),
    "no data": lambda file: file.__delitem__("data"),
    "no table": lambda file: file.__delitem__("hickle_types_table"),
    "a configuration of Keras": lambda file: file.attrs.update(model_config="{}"),
}


def test_the_file_that_they_are_made_of_loads(team: Keys, tmp_path: Path) -> None:
    assert loaded(GOOD, team, tmp_path)["s"] == "text"
    assert loaded(changed(GOOD, replaced(lambda file: np.arange(4.0))), team, tmp_path)["a"].sum() == 6


@pytest.mark.filterwarnings("ignore:the model was saved in another environment")  # "another version" says so too
@pytest.mark.parametrize("name", HOSTILE)
def test_what_hickle_does_not_write_is_refused(
    name: str, team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = changed(GOOD, HOSTILE[name])
    with pytest.raises(SafeloadError):
        loaded(data, team, tmp_path)
    (tmp_path / "m.hkl").write_bytes(data)
    with pytest.raises(SafeloadError):
        safeload.load_untrusted(tmp_path / "m.hkl")
    assert not (tmp_path / "MARK").exists()


@pytest.mark.parametrize("name", [name for name in HOSTILE if "calls" in name or "pickle" in name or "link" in name])
def test_it_is_refused_without_the_look_as_well(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "m.hkl").open("w+b") as file:
        file.write(changed(GOOD, HOSTILE[name]))
        file.flush()
        with pytest.raises((UnsafeFileError, CodecError)):
            rebuild(Place(file.fileno(), 0, file.tell()), "m.hkl", Limits())
    assert not (tmp_path / "MARK").exists()


def test_an_array_that_unpacks_to_more_than_the_limits_is_refused(team: Keys, tmp_path: Path) -> None:
    data = written({"a": np.zeros(20 << 20)}, compression="gzip")
    assert loaded(data, team, tmp_path)["a"].sum() == 0
    path = signed(tmp_path / "m.safeload", team.key, [("m.hkl", "hickle.file", data)])
    with pytest.raises((LimitError, UnsafeFileError)):
        safeload.load(path, trust=team.pub, limits=Limits(expansion_floor=1 << 20, expansion_ratio=10))


def in_each_other(depth: int) -> Any:
    value: Any = ("a", 1)
    for _ in range(depth):
        value = (value, value)
    return value


def test_keys_that_are_hashed_for_hours_are_refused(team: Keys, tmp_path: Path) -> None:
    assert loaded(written([in_each_other(10), "a"]), team, tmp_path)[1] == "a"
    with pytest.raises(LimitError, match="counted with repetition"):
        loaded(written([in_each_other(30), "a"]), team, tmp_path)
    assert loaded(written({in_each_other(2): 1}), team, tmp_path) == {in_each_other(2): 1}
    with pytest.raises(CodecError, match="hashed for too long"):
        Keys_().check("x", [in_each_other(40)])
    with pytest.raises(CodecError, match="a key that is a list"):
        Keys_().check("x", [(1, [2])])


def test_numbers_that_get_into_each_others_way_are_refused(team: Keys, tmp_path: Path) -> None:
    assert len(loaded(written({complex(n, 1) for n in range(5_000)}), team, tmp_path)) == 5_000
    with pytest.raises(LimitError, match="lead to the same places"):
        loaded(written({complex(-1_000_003 * n, n) for n in range(5_000)}), team, tmp_path)


def test_one_changed_byte_is_refused(team: Keys, tmp_path: Path) -> None:
    safeload.dump(VALUES["data of flowers"], tmp_path / "m.safeload", signer=team.key, codec="hickle")
    data = bytearray((tmp_path / "m.safeload").read_bytes())
    data[data.index(b"hickle_types_table")] ^= 1
    (tmp_path / "m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


def test_a_large_array_is_not_held_twice(team: Keys, tmp_path: Path) -> None:
    size = 120 << 20
    safeload.dump({"a": np.arange(size // 8)}, tmp_path / "large.safeload", signer=team.key, codec="hickle")
    safeload.dump({"a": np.arange(8)}, tmp_path / "small.safeload", signer=team.key, codec="hickle")
    assert peak(tmp_path / "large.safeload", team) - peak(tmp_path / "small.safeload", team) < 1.3 * size


def test_nothing_is_left_in_the_temporary_folder(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    through(VALUES["data of flowers"], team, codec="hickle")
    with pytest.raises(CodecError):
        through([np.datetime64("2020"), Own()], team, codec="hickle")
    assert [*tmp_path.iterdir()] == []


MUTANTS = """
import random, sys, tempfile
from safeload.codecs.hickle_tree import rebuild
from safeload.errors import SafeloadError
from safeload.limits import Limits
from safeload.mapped import Place
data = open(sys.argv[1], "rb").read()
chance, good, bad = random.Random(int(sys.argv[2])), 0, 0
for _ in range(int(sys.argv[3])):
    mutant = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        mutant[chance.randrange(len(mutant))] = chance.choice((0, 1, 0x7f, 0xff, chance.randrange(256)))
    with tempfile.TemporaryFile() as file:
        file.write(mutant)
        file.flush()
        try:
            repr(rebuild(Place(file.fileno(), 0, file.tell()), "x", Limits(expansion_floor=1 << 24)))
            good += 1
        except SafeloadError:
            bad += 1
print(good, bad)
"""


def test_no_mutant_of_a_file_ends_the_process(tmp_path: Path) -> None:
    """HDF5's own library may not survive them; that is why it is in a process of its own."""
    (tmp_path / "m.hkl").write_bytes(written({"a": [1, "x", np.arange(3)], "b": {"c": (1, 2)}}))
    command = [sys.executable, "-c", MUTANTS, str(tmp_path / "m.hkl"), "7", "25"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    good, bad = map(int, done.stdout.split())
    assert good > 2
    assert bad > 2


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/hickle.md", tmp_path, team, monkeypatch)


def test_sharing_that_doubles_with_each_level_is_refused(tmp_path: Path) -> None:
    """Forty levels are a list that `repr` never ends with."""
    value: Any = ["a", "b"]
    for _ in range(40):
        value = [value, ["x", "y"]]
    hickle.dump(value, tmp_path / "m.hkl")
    with h5py.File(tmp_path / "m.hkl", "r+") as file:
        group = file["data"]
        while isinstance(group.get("data0"), h5py.Group) and isinstance(group.get("data1"), h5py.Group):
            inner, index = group["data0"], group["data1"].attrs["item_index"]
            del group["data1"]
            group.create_dataset("data1", data=inner.ref, dtype=h5py.ref_dtype).attrs["item_index"] = index
            group = inner
    with pytest.raises(LimitError, match="counted with repetition"):
        safeload.load_untrusted(tmp_path / "m.hkl")


def test_a_path_is_the_file_and_a_text_is_a_text(team: Keys, tmp_path: Path) -> None:
    (tmp_path / "m.hkl").write_bytes(written({"a": [1, 2]}))
    for value, loaded in ((tmp_path / "m.hkl", {"a": [1, 2]}), (str(tmp_path / "m.hkl"), str(tmp_path / "m.hkl"))):
        safeload.dump(value, tmp_path / "m", signer=team.key, codec="hickle")
        assert safeload.load(tmp_path / "m", trust=team.pub) == loaded
