"""Frames, indexes and times of pandas whose zones are the standard library's or dateutil's."""

from __future__ import annotations

import datetime
import importlib
import io
import pickle
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import Bunch

import safeload
from safeload.errors import SafeloadError
from testkit.frames import objects_of, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

pd: Any = pandas  # whose types know less than it does
tz: Any = importlib.import_module("dateutil.tz")  # which has none
POLICIES = {"default": safeload.Policy.default(), "untrusted": safeload.Policy.untrusted()}
NAMES = ("Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+5")
BERLIN, TOKYO = zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("Asia/Tokyo")


def _times(zone: Any = BERLIN, **options: Any) -> Any:
    return pd.date_range("2020-10-24 22:00", periods=6, freq="h", tz=zone, unit="ns", **options)


def _mixed() -> Any:
    return pd.DataFrame({"a": _times(), "b": np.arange(6), "c": _times(TOKYO), "d": list("abcdef")}, index=_times())


def _objects() -> Any:
    """Each row has a zone of its own."""
    rows = [pd.Timestamp("2020-07-01", tz=zone) for zone in (BERLIN, TOKYO)]
    plain = [datetime.datetime(2020, 7, 1, tzinfo=zone) for zone in (BERLIN, TOKYO)]
    return pd.DataFrame({"a": objects_of(*rows), "b": objects_of(*plain)})


OBJECTS: dict[str, Callable[[], Any]] = {
    "index": _times,
    "index with a name": lambda: _times(name="when"),
    "index without a step": lambda: _times()[[0, 3, 1]],
    "empty index": lambda: _times()[:0],
    "another unit": lambda: _times().as_unit("s"),
    "series": lambda: pd.Series(_times(), index=_times(TOKYO), name="x"),
    "missing": lambda: pd.Series([_times()[0], pd.NaT]),
    "frame": _mixed,
    "objects": _objects,
    "levels": lambda: pd.MultiIndex.from_product([_times(), ["a", "b"]], names=["when", "what"]),
    "categories": lambda: pd.Categorical(_times()[[0, 1, 0]], categories=_times()),
    "intervals": lambda: pd.IntervalIndex.from_breaks(_times()),
    "array": lambda: _times().array,
    "dtype": lambda: pd.DatetimeTZDtype("ns", BERLIN),
    "timestamp": lambda: pd.Timestamp("2020-07-01 01:02:03.000004005", tz=BERLIN),
    "interval": lambda: pd.Interval(_times()[0], _times()[1]),
    "labels": lambda: pd.DataFrame([[1, 2]], columns=objects_of(_times()[0], _times(TOKYO)[0])),
    "attributes": lambda: pd.Series([1, 2]).set_axis(_times()[:2]),
}


def _streams(value: Any) -> list[bytes]:
    written = []
    for protocol in range(6):
        written.append(pickle.dumps(value, protocol))
        buffer = io.BytesIO()
        joblib.dump(value, buffer, protocol=protocol)
        written.append(buffer.getvalue())
    return written


def _load(data: bytes, **options: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), **options)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", OBJECTS)
def test_objects_with_zones_come_back_by_every_protocol(name: str, policy: str) -> None:
    value = OBJECTS[name]()
    for data in _streams(value):
        assert same(_load(data, policy=POLICIES[policy]), value)


@pytest.mark.parametrize("name", NAMES)
def test_their_zones_are_the_same_objects(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    for data in _streams([_times(zone), pd.Series(_times(zone)), _times(zone)[1], _times(zone).dtype]):
        index, series, time, dtype = _load(data)
        assert index.tz is series.dt.tz is time.tz is dtype.tz is zone


def test_both_of_two_equal_hours_come_back() -> None:
    hours = _times()[4:6]
    assert {time.fold for time in hours} == {0, 1}
    for data in _streams(list(hours)):
        for time, was in zip(_load(data), hours, strict=True):
            assert (time, time.fold, time.utcoffset()) == (was, was.fold, was.utcoffset())


def test_times_with_zones_may_be_keys() -> None:
    value = dict(zip(_times(), range(6), strict=True))
    for data in _streams(value):
        assert _load(data) == value


def test_frames_with_zones_come_back_from_signed_files(team: Keys, tmp_path: Path) -> None:
    safeload.dump(_mixed(), tmp_path / "frame.safeload", signer=team.key)
    assert same(safeload.load(tmp_path / "frame.safeload", trust=team.pub), _mixed())


@pytest.mark.parametrize("policy", POLICIES)
def test_models_that_hold_zones_predict_the_same(policy: str) -> None:
    rows = pd.DataFrame({"when": pd.Series(list(_times()) * 5, dtype=object)})
    labels = np.arange(30) % 6 > 2
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(rows, labels)
    for data in _streams(Bunch(model=model, rows=rows, zone=BERLIN)):
        loaded = _load(data, policy=POLICIES[policy])
        np.testing.assert_array_equal(loaded.model.predict_proba(rows), model.predict_proba(rows))
        np.testing.assert_array_equal(loaded.model.predict_proba(loaded.rows), model.predict_proba(rows))
        assert loaded.zone is BERLIN


@pytest.mark.filterwarnings("ignore::safeload.warn.UnsafeWarning")
@pytest.mark.parametrize("name", OBJECTS)
def test_objects_with_zones_come_back_under_a_policy_that_allows_everything(name: str) -> None:
    value = OBJECTS[name]()
    for data in _streams(value):
        assert same(_load(data, policy=safeload.Policy.unsafe_allow_all()), value)


@pytest.mark.parametrize("name", ["../Europe/Berlin", "Europe/Nowhere00", "/etc/localtime00", "Europe.Berlin00"])
def test_a_frame_whose_zone_was_renamed_is_refused(name: str) -> None:
    data = pickle.dumps(_times())
    assert data.count(b"\x8c\x0dEurope/Berlin") == 1
    with pytest.raises(SafeloadError):
        _load(data.replace(b"\x8c\x0dEurope/Berlin", b"\x8c" + bytes([len(name)]) + name.encode(), 1))


# --- dateutil -----------------------------------------------------------------------------------

HOUR = datetime.timedelta(hours=1)
DATEUTIL: dict[str, Any] = {
    "utc": tz.tzutc(),
    "offset": tz.tzoffset("x", 3600),
    "offset without a name": tz.tzoffset(None, -HOUR),
    "local": tz.tzlocal(),
}


def _line(name: str, module: str = "dateutil.tz.tz") -> bytes:
    return f"c{module}\n{name}\n".encode()


def _state(**items: Any) -> bytes:
    return _plain(items)


def _plain(value: Any) -> bytes:
    """Protocol 2, without PROTO and STOP; nothing memoised."""
    buffer = io.BytesIO()
    pickler = pickle._Pickler(buffer, 2)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()[2:-1]


# As dateutil 2 writes them, by protocols 2 and later.
OLD = {
    "utc": _line("tzutc") + b")\x81",
    "offset": _line("tzoffset") + b")\x81" + _state(_name="x", _offset=HOUR) + b"b",
    "offset without a name": _line("tzoffset") + b")\x81" + _state(_name=None, _offset=-HOUR) + b"b",
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", DATEUTIL)
def test_zones_of_dateutil_come_back(name: str, policy: str) -> None:
    zone = DATEUTIL[name]
    time = datetime.datetime(2020, 7, 1, tzinfo=zone)
    value = [zone, time, pd.Timestamp(time), pd.DatetimeIndex([pd.Timestamp(time)])]
    for protocol in range(2, 6):
        loaded = _load(pickle.dumps(value, protocol), policy=POLICIES[policy])
        assert loaded == value
        assert type(loaded[0]) is type(zone)
        assert vars(loaded[0]) == vars(zone)
        assert {loaded[1]: 1} == {time: 1}


def test_there_is_one_utc() -> None:
    assert all(_load(data) is tz.UTC for data in [pickle.dumps(tz.UTC, 4), b"\x80\x02" + OLD["utc"] + b"."])


@pytest.mark.parametrize("name", OLD)
def test_zones_of_older_releases_of_dateutil_load(name: str) -> None:
    loaded = _load(b"\x80\x02" + OLD[name] + b".")
    assert (loaded, vars(loaded)) == (DATEUTIL[name], vars(DATEUTIL[name]))


LOCAL = {"_std_offset": HOUR, "_dst_offset": HOUR, "_dst_saved": 0 * HOUR, "_hasdst": False, "_tznames": ("A", "B")}
REFUSED = {
    "a state for the one UTC": _line("tzutc") + b")\x81}b",
    "an attribute for the one UTC": _line("tzutc") + b")\x81" + _state(_trans_list=[1], _trans_idx=[9]) + b"b",
    "a state for the one UTC, called": _line("tzutc") + b")R" + _state(utcoffset=1) + b"b",
    "an argument for UTC": _line("tzutc") + b"K\x01\x85R",
    "lists that C code would follow": (
        _line("tzoffset") + b")\x81" + _state(_name="x", _offset=HOUR, _trans_list=[1], _trans_idx=[9]) + b"b"
    ),
    "no name": _line("tzoffset") + b")\x81" + _state(_offset=HOUR) + b"b",
    "a long name": _line("tzoffset") + b")\x81" + _state(_name="x" * 1_000, _offset=HOUR) + b"b",
    "a name that is none": _line("tzoffset") + b")\x81" + _state(_name=[], _offset=HOUR) + b"b",
    "a number": _line("tzoffset") + b")\x81" + _state(_name="x", _offset=3600) + b"b",
    "a day": _line("tzoffset") + b")\x81" + _state(_name="x", _offset=24 * HOUR) + b"b",
    "a number, called": _line("tzoffset") + b"NM\x10\x0e\x86R",
    "an object, called": _line("tzoffset") + b"N" + OLD["offset"] + b"\x86R",
    "one argument": _line("tzoffset") + b"N\x85R",
    "another state for what was called": (
        _line("tzoffset") + b"N" + _line("timedelta", "datetime")
        + b"K\x00K\x01K\x00\x87R\x86R" + _state(_name="x", _offset=[]) + b"b"
    ),
    "a slot": _line("tzoffset") + b")\x81N" + _state(_name="x", _offset=HOUR) + b"\x86b",
    "a local zone without": _line("tzlocal") + b")\x81" + _state(_hasdst=False) + b"b",
    "a local zone of a number": _line("tzlocal") + b")\x81" + _state(**{**LOCAL, "_dst_saved": 1}) + b"b",
    "a local zone of odd names": _line("tzlocal") + b")\x81" + _state(**{**LOCAL, "_tznames": ("A",)}) + b"b",
    "the class": _line("tzutc"),
    "the class in a list": b"]" + _line("tzoffset") + b"a",
    "the class by copyreg": (
        _line("_reconstructor", "copyreg") + _line("tzutc") + _line("object", "builtins") + b"N\x87R"
    ),
    "the local class by copyreg": (
        _line("_reconstructor", "copyreg") + _line("tzlocal") + _line("object", "builtins") + b"N\x87R"
    ),
    "a key": b"}" + OLD["utc"] + b"K\x01s",
    "a file": _line("tzfile") + b"X\x0b\x00\x00\x00/etc/passwd\x85R",
    "a name": _line("gettz") + b"X\x0b\x00\x00\x00/etc/passwd\x85R",
    "a rule": _line("tzstr") + b")\x81}b",
}  # fmt: skip


@pytest.mark.parametrize("how", REFUSED)
def test_zones_of_dateutil_are_made_in_no_other_way(how: str) -> None:
    before = dict(vars(tz.UTC))
    with pytest.raises(SafeloadError):
        _load(b"\x80\x02" + REFUSED[how] + b".")
    assert vars(tz.UTC) == before


def test_the_local_zone_of_another_machine_is_kept() -> None:
    loaded = _load(b"\x80\x02" + _line("tzlocal") + b")\x81" + _state(**LOCAL) + b"b.")
    assert (type(loaded), vars(loaded)) == (tz.tzlocal, LOCAL)


def test_what_dateutil_keeps_for_all_is_never_changed() -> None:
    """It remembers offsets by name: one that a file made, and then gave a state, must be nobody else's."""
    shared = tz.tzoffset("x", 3600)
    made = _line("tzoffset") + b"X\x01\x00\x00\x00x" + _line("timedelta", "datetime") + b"K\x00M\x10\x0eK\x00\x87R\x86R"
    loaded = _load(b"\x80\x02" + made + _state(_name="y", _offset=2 * HOUR) + b"b.")
    assert loaded.utcoffset(None) == 2 * HOUR
    assert shared.utcoffset(None) == tz.tzoffset("x", 3600).utcoffset(None) == HOUR


BERLIN_FILE = tz.gettz("Europe/Berlin")


@pytest.mark.skipif(BERLIN_FILE is None, reason="this system has no files of zones")
@pytest.mark.parametrize("policy", POLICIES)
def test_zones_that_are_files_are_found_again_by_name(policy: str) -> None:
    times = pd.date_range("2020-03-28", periods=4, tz=BERLIN_FILE, unit="ns")
    frame = pd.DataFrame({"a": times, "b": objects_of(*times), "c": objects_of(*times.to_pydatetime())})
    for value in (BERLIN_FILE, times, frame, times[0]):
        for data in _streams(value):
            loaded = _load(data, policy=POLICIES[policy])
            assert loaded == value if value is BERLIN_FILE else same(loaded, value)
    moved = tz.gettz("America/New_York")
    assert same(_load(pickle.dumps(times)).tz_convert(moved), times.tz_convert(moved))


@pytest.mark.skipif(BERLIN_FILE is None, reason="this system has no files of zones")
def test_zones_of_dateutil_below_4_are_found_again() -> None:
    """Written by dateutil 2.9.0 in protocols 0 to 5, with all rules."""
    written = safeload.load_untrusted(Path(__file__).parent / "data" / "zones-dateutil-2.9.0.joblib")
    assert [_load(data) for data in written] == [BERLIN_FILE] * 6


FILES = {
    "no name and no path": (None, None, ()),
    "a path that is no zone's": (None, "/etc/passwd", ()),
    "a name that is a path": ("/etc/passwd", "/usr/share/zoneinfo/UTC", ()),
    "a name that leads upwards": ("../../etc/passwd", None, ()),
    "a device": ("/dev/zero", None, ()),
    "a name in bytes": (b"UTC", None, ()),
    "a long path": (None, "/" * 5_000 + "UTC", ()),
    "no rules": ("UTC",),
    "more": ("UTC", None, (), ()),
}


@pytest.mark.parametrize("how", FILES)
def test_a_zone_that_is_a_file_opens_no_other_file(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(tz, "gettz", asked.append)
    kind = _line("tzfile", "dateutil.tz._tzfile")
    made = _line("_unpickle", "dateutil.tz._tzfile") + b"(" + kind + b"".join(map(_plain, FILES[how])) + b"tR"
    with pytest.raises(SafeloadError):
        _load(b"\x80\x02" + made + b".")
    assert asked == []
