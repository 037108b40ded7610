"""Record arrays: their items are made as numpy makes them, and the two classes get nowhere else."""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import SafeloadError

if TYPE_CHECKING:
    from conftest import Keys

FIELDS = [("a", "i4"), ("b", "f8", (2,)), ("c", "U3")]


def records(count: int = 3) -> Any:
    made = np.zeros(count, FIELDS).view(np.recarray)
    made.a, made.c = range(count), "xy"
    return made


VALUES: dict[str, Any] = {
    "one": records(),
    "none": records(0),
    "of two dimensions": records(6).reshape(2, 3),
    "by columns": np.asfortranarray(records(6).reshape(2, 3)),
    "one item": records()[1],
    "as a plain array": records().view(np.ndarray),
    "without fields": np.arange(4.0).view(np.recarray),
    "records in records": np.zeros(2, [("r", records().dtype), ("n", "i2")]).view(np.recarray),
    "with objects": np.rec.fromrecords([(1, "a"), (2, None)], dtype=[("a", "i8"), ("b", "O")]),
    "from columns": np.rec.fromarrays([np.arange(3.0), np.ones(3)], dtype=[("x", "f8"), ("y", "f8")]),
    "large": records(5_000),
    "twice": [records(), records()],
}


def same(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(
        type(left) is type(right)
        and left.dtype == right.dtype
        and left.dtype.type is right.dtype.type
        and repr(left.tolist()) == repr(right.tolist())
    )


@pytest.mark.parametrize("name", VALUES)
def test_record_arrays_come_back_in_every_protocol(name: str) -> None:
    value = VALUES[name]
    for protocol in range(6):
        plain, file = pickle.dumps(value, protocol), io.BytesIO()
        joblib.dump(value, file, protocol=protocol)
        for data in (plain, file.getvalue()):
            assert same(safeload.load_untrusted(io.BytesIO(data)), value), (name, protocol)


@pytest.mark.parametrize("codec", ["joblib", "pickle", None])
def test_they_are_saved_without_a_warning_and_loaded(codec: str | None, team: Keys) -> None:
    for name, value in VALUES.items():
        file = io.BytesIO()
        safeload.dump(value, file, signer=team.key, codec=codec)
        file.seek(0)
        assert same(safeload.load(file, trust=team.pub), value), name


def test_attributes_are_fields_as_before() -> None:
    loaded = safeload.load_untrusted(io.BytesIO(pickle.dumps(records())))
    assert loaded.a.tolist() == [0, 1, 2]
    assert loaded[0].c == "xy"
    loaded.a[0] = 7
    assert loaded[0].a == 7


RECORD, RECARRAY = b"cnumpy\nrecord\n", b"cnumpy\nrecarray\n"
DTYPE, MAKE = b"cnumpy\ndtype\n", b"cnumpy._core.multiarray\n_reconstruct\n"
STATE = b"(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
HOSTILE: dict[str, bytes] = {
    "record, called": RECORD + b"(I1000000000\ntR.",
    "record, instantiated": b"\x80\x02" + RECORD + b")\x81.",
    "record, kept": RECORD + b".",
    "recarray, called": RECARRAY + b"((I3\ntS'f8'\ntR.",
    "recarray, instantiated": b"\x80\x02" + RECARRAY + b"(I3\nt\x81.",
    "recarray, kept": RECARRAY + b".",
    "recarray by its other name": b"cnumpy.rec\nrecarray\n((I3\ntS'f8'\ntR.",
    "a dtype of records without fields": DTYPE + b"(" + RECORD + b"I0\nI1\ntR" + STATE + b".",
    "a dtype of a recarray": DTYPE + b"(" + RECARRAY + b"I00\nI01\ntR" + STATE + b".",
    "a dtype of an array": DTYPE + b"(cnumpy\nndarray\nI00\nI01\ntR" + STATE + b".",
    "an array of records": MAKE + b"(" + RECORD + b"(I0\ntS'b'\ntR.",
    "a recarray of a shape": MAKE + b"(" + RECARRAY + b"(I9\ntS'b'\ntR.",
    "a recarray without its state": MAKE + b"(" + RECARRAY + b"(I0\ntS'b'\ntR.",
    "a function of its module": b"cnumpy.rec\nfromfile\n(S'/etc/passwd'\ntR.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_they_are_made_in_one_way_only(name: str) -> None:
    assert list(pickletools.genops(HOSTILE[name]))
    with pytest.raises(SafeloadError):
        safeload.load_untrusted(io.BytesIO(HOSTILE[name]))


def test_less_items_than_the_shape_asks_for_are_refused() -> None:
    data = pickle.dumps(records(), 2)
    assert data.count(b"K\x03\x85") == 1
    with pytest.raises(SafeloadError):
        safeload.load_untrusted(io.BytesIO(data.replace(b"K\x03\x85", b"K\x09\x85")))
