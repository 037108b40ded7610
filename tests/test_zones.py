"""Time zones come back by name; and the call that makes them is the only one of its kind."""

from __future__ import annotations

import datetime
import io
import pickle
import struct
import subprocess
import sys
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

import safeload
from safeload.errors import CodecError, DisallowedGlobalError, LimitError, SafeloadError, UnsafeStreamError
from safeload.policy.allowlist import allow_list
from safeload.readers.joblib import analyse
from safeload.readers.observations import Use

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICIES = {"default": safeload.Policy.default(), "untrusted": safeload.Policy.untrusted()}
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def _line(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


P3, P4 = b"\x80\x03", b"\x80\x04"
GETATTR, ZONE = _line("builtins", "getattr"), _line("zoneinfo", "ZoneInfo")
UNPICKLE = _text("_unpickle")
METHOD = GETATTR + ZONE + UNPICKLE + b"\x86R"
ARGS = _text("Europe/Berlin") + b"K\x01\x86"
MADE = METHOD + ARGS + b"R"


def _load(data: bytes, **options: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(data), **options)


def _streams(value: Any) -> list[bytes]:
    written = []
    for protocol in range(6):
        written.append(pickle.dumps(value, protocol))
        pure = io.BytesIO()
        pickle._Pickler(pure, protocol).dump(value)
        written.append(pure.getvalue())
        joined = io.BytesIO()
        joblib.dump(value, joined, protocol=protocol)
        written.append(joined.getvalue())
    return written


# --- what is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+5", "GMT-0", "PST8PDT"])
def test_a_zone_comes_back_by_every_pickler_and_protocol(name: str, policy: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    for data in _streams(zone):
        assert _load(data, policy=POLICIES[policy]) is zone


@pytest.mark.parametrize("policy", POLICIES)
def test_many_zones_come_back_with_what_they_share(policy: str) -> None:
    tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")
    for data in _streams([BERLIN, BERLIN, {"a": tokyo}, (tokyo, None)]):
        loaded = _load(data, policy=POLICIES[policy])
        assert all(one is other for one, other in zip(loaded[:2], [BERLIN, BERLIN], strict=True))
        assert loaded[2]["a"] is loaded[3][0] is tokyo


def test_every_zone_of_this_system_comes_back() -> None:
    zones = [zoneinfo.ZoneInfo(name) for name in sorted(zoneinfo.available_timezones())]
    assert len(zones) > 400
    loaded = _load(pickle.dumps(zones))
    assert all(one is other for one, other in zip(loaded, zones, strict=True))


def test_a_zone_that_was_made_anew_is_made_anew() -> None:
    for data in _streams([zoneinfo.ZoneInfo.no_cache("Asia/Tokyo"), zoneinfo.ZoneInfo.no_cache("Asia/Tokyo")]):
        one, other = _load(data)
        assert one.key == other.key == "Asia/Tokyo"
        assert len({id(one), id(other), id(zoneinfo.ZoneInfo("Asia/Tokyo"))}) == 3


@pytest.mark.parametrize("flag", [b"\x88", b"I01\n", b"K\x01", b"I1\n"])
def test_the_zones_of_pure_python_say_true_for_one(flag: bytes) -> None:
    assert _load(P3 + METHOD + _text("Europe/Berlin") + flag + b"\x86R.") is BERLIN


@pytest.mark.parametrize("flag", [b"\x89", b"I00\n", b"K\x00", b"I0\n"])
def test_the_zones_of_pure_python_say_false_for_nought(flag: bytes) -> None:
    loaded = _load(P3 + METHOD + _text("Europe/Berlin") + flag + b"\x86R.")
    assert (loaded.key, loaded is BERLIN) == ("Europe/Berlin", False)


@pytest.mark.parametrize("policy", POLICIES)
def test_times_with_a_zone_come_back(policy: str) -> None:
    autumn = datetime.datetime(2020, 10, 25, 2, 30, 1, 5, tzinfo=BERLIN)
    times = [autumn, autumn.replace(year=2001), datetime.time(3, 4, 5, 6, tzinfo=BERLIN)]
    for data in _streams(times):
        loaded = _load(data, policy=POLICIES[policy])
        assert loaded == times
        assert all(each.tzinfo is BERLIN for each in loaded)
        assert loaded[0].utcoffset() == autumn.utcoffset()


def test_the_second_of_two_equal_hours_comes_back() -> None:
    second = datetime.datetime(2020, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    for protocol in (4, 5):
        loaded = _load(pickle.dumps(second, protocol))
        assert (loaded.fold, loaded.utcoffset()) == (1, datetime.timedelta(hours=1))


def test_times_with_a_zone_may_be_keys() -> None:
    times = {datetime.datetime(2020, month, 1, tzinfo=BERLIN): month for month in range(1, 13)}
    for data in _streams(times):
        assert _load(data) == times


@pytest.mark.filterwarnings("ignore::safeload.warn.UnsafeWarning")
def test_zones_come_back_under_a_policy_that_allows_everything() -> None:
    everything = safeload.Policy.unsafe_allow_all()
    for data in _streams([BERLIN, {BERLIN: 1}]):
        assert _load(data, policy=everything) == [BERLIN, {BERLIN: 1}]


def test_both_kinds_of_methods_may_stand_in_one_file() -> None:
    stats = pytest.importorskip("scipy.stats")
    value = [BERLIN, stats.binom(5, 0.5), zoneinfo.ZoneInfo("Asia/Tokyo"), stats.randint(1, 5)]
    for protocol in range(6):
        loaded = _load(pickle.dumps(value, protocol))
        assert loaded[0] is BERLIN
        assert loaded[2].key == "Asia/Tokyo"
        assert loaded[1].rvs(3, random_state=1).tolist() == value[1].rvs(3, random_state=1).tolist()


def test_a_zone_of_a_file_is_not_pickled_at_all() -> None:
    path = next(path for root in zoneinfo.TZPATH if (path := Path(root, "UTC")).is_file())
    with path.open("rb") as file:
        zone = zoneinfo.ZoneInfo.from_file(file)
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(zone)


# --- names --------------------------------------------------------------------------------------

NAMES = [
    "",
    ".",
    "..",
    "../passwd",
    "../../../etc/passwd",
    "/etc/passwd",
    "/Europe/Berlin",
    "//Europe/Berlin",
    "Europe//Berlin",
    "Europe/Berlin/",
    "Europe/./Berlin",
    "Europe/../Europe/Berlin",
    "Europe/Berlin\n",
    "Europe/Berlin\0",
    "Europe\\Berlin",
    "C:/Windows/win.ini",
    "Europe/B\u00e9rlin",
    "\uff25urope/Berlin",
    "zone.tab",
    "tzdata.zi",
    "a" * 1_000,
    "/".join("a" * 30),
    # well formed, and no zone
    "Europe",
    "Nowhere/Atall",
    "leapseconds",
    "posixrules",
    "posix/UTC",
    "right/UTC",
    "__init__",
    "__pycache__/x",
    "NUL",
    "CON",
    "europe/berlin",
]


@pytest.mark.parametrize("flag", [b"K\x01", b"K\x00"])
@pytest.mark.parametrize("name", NAMES)
def test_a_zone_has_the_name_of_one(name: str, flag: bytes) -> None:
    with pytest.raises(CodecError):
        _load(P3 + METHOD + _text(name) + flag + b"\x86R.")


OPENS = """if True:
    import io, sys, safeload
    from safeload.errors import CodecError

    head, tail, *names = map(bytes.fromhex, sys.argv[1:])
    seen = []
    sys.addaudithook(lambda event, args: seen.append(str(args[0])) if event in ("open", "import") else None)

    def load(name):
        seen.clear()
        safeload.load_untrusted(io.BytesIO(head + b"X" + len(name).to_bytes(4, "little") + name + tail))

    def paths(name):
        folder, _, last = name.decode().rpartition("/")
        return [each for each in seen if each.endswith("/" + last) or (folder and "." + folder in each)]

    load(b"Asia/Kabul")
    assert paths(b"Asia/Kabul"), seen
    for name in names:
        try:
            load(name)
        except CodecError:
            assert not paths(name), (name, paths(name))
        else:
            raise AssertionError(name)
"""


def test_no_file_is_opened_and_no_module_imported_for_a_name_that_is_none() -> None:
    names = "Europe", "idlelib/help", "CON", "posix/Cuba", "../hosts", "/dev/stdin", "__init__", "x/__init__"
    parts = [P3 + METHOD, b"K\x00\x86R.", *map(str.encode, names)]
    done = subprocess.run(
        [sys.executable, "-c", OPENS, *(part.hex() for part in parts)],
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_zone_that_is_missing_is_named_and_the_name_is_shown_harmlessly() -> None:
    with pytest.raises(CodecError, match="time zone Nowhere/Atall, which this system does not have") as caught:
        _load(P3 + METHOD + _text("Nowhere/Atall") + b"K\x01\x86R.")
    assert "tzdata" in str(caught.value.hint)
    with pytest.raises(CodecError) as caught:
        _load(P3 + METHOD + _text("\x1b[2J") + b"K\x01\x86R.")
    assert "\x1b" not in str(caught.value)


def test_where_there_is_no_data_a_zone_is_missing_and_found_again(tmp_path: Path) -> None:
    before = zoneinfo.TZPATH
    data = pickle.dumps(zoneinfo.ZoneInfo("Asia/Kathmandu"))
    (tmp_path / "Local").mkdir()
    utc = zoneinfo.ZoneInfo("UTC")
    for root in before:
        if (source := Path(root, "UTC")).is_file():
            (tmp_path / "Local" / "Zone").write_bytes(source.read_bytes())
            break
    else:
        pytest.skip("this system has its zones in a package only")
    try:
        zoneinfo.reset_tzpath([str(tmp_path)])
        assert _load(P3 + METHOD + _text("Local/Zone") + b"K\x00\x86R.").utcoffset(None) == utc.utcoffset(None)
    finally:
        zoneinfo.reset_tzpath(before)
    with pytest.raises(CodecError):
        _load(P3 + METHOD + _text("Local/Zone") + b"K\x00\x86R.")
    assert _load(data).key == "Asia/Kathmandu"


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        b")",
        _text("UTC") + b"\x85",
        _text("UTC") + b"K\x02\x86",
        _text("UTC") + b"J\xff\xff\xff\xff\x86",
        _text("UTC") + b"G" + struct.pack(">d", 1.0) + b"\x86",
        _text("UTC") + b"N\x86",
        _text("UTC") + _text("1") + b"\x86",
        _text("UTC") + b"K\x01K\x01\x87",
        b"C\x03UTCK\x01\x86",
        b"NK\x01\x86",
        b"K\x05K\x01\x86",
        b"]K\x01\x86",
        METHOD + b"K\x01\x86",
        MADE + b"K\x01\x86",
        _line("builtins", "str") + b"K\x01\x86",
        ZONE + UNPICKLE + b"\x86",
        ZONE + b"K\x01\x86",
        _text("UTC") + MADE + b"\x86",
        b"]" + _text("UTC") + b"aK\x01e",
    ],
)
def test_the_call_takes_a_name_and_a_flag(args: bytes) -> None:
    with pytest.raises(SafeloadError):
        _load(P3 + METHOD + args + b"R.")


# --- other calls --------------------------------------------------------------------------------


def _method(module: str = "zoneinfo", name: str = "ZoneInfo", attribute: bytes = UNPICKLE) -> bytes:
    return GETATTR + _line(module, name) + attribute + b"\x86R"


PUT, GET = b"q\x00", b"h\x00"
PASSWD = _text("/etc/passwd") + b"\x85R"
# Each is in protocol 3, and none is what a pickler writes.
ATTACKS: Mapping[str, bytes] = {
    "another method of the class": _method(attribute=_text("no_cache")) + _text("UTC") + b"\x85R.",
    "a constructor that opens files": _method(attribute=_text("from_file")) + PASSWD + b".",
    "another method of a class that may be called": _method("builtins", "dict", _text("fromkeys")) + b"]\x85R.",
    "the class's own constructor": _method(attribute=_text("__new__")) + ZONE + PASSWD + b".",
    "the class's class": _method(attribute=_text("__class__")) + PASSWD + b".",
    "its subclasses": _method(attribute=_text("__subclasses__")) + b")R.",
    "its cache": _method(attribute=_text("clear_cache")) + b")R.",
    "a dotted name": _method(attribute=_text("_unpickle.__func__")) + ARGS + b"R.",
    "a name with a nought": _method(attribute=_text("_unpickle\0")) + ARGS + b"R.",
    "a long name": _method(attribute=_text("_unpickle" * 99)) + ARGS + b"R.",
    "a long name of another class": _method("builtins", "dict", _text("fromkeys" * 99)) + ARGS + b"R.",
    "a long name of a function": _method("os", "system", _text("__call__" * 99)) + ARGS + b"R.",
    "a name in Python 2's text": _method(attribute=b"U\x09_unpickle") + ARGS + b"R.",
    "a number for a name": _method(attribute=b"K\x01") + ARGS + b"R.",
    "a name as bytes": _method(attribute=b"C\x09_unpickle") + ARGS + b"R.",
    "a name with odd bytes": _method(attribute=b"X\x0a\x00\x00\x00_unpickle\xff") + ARGS + b"R.",
    "a name that is made": _method(attribute=_line("builtins", "bytes") + b")R") + ARGS + b"R.",
    "a name that is fetched": _text("from_file") + PUT + b"0" + _method(attribute=GET) + PASSWD + b".",
    "no name": GETATTR + ZONE + b"\x85R" + ARGS + b"R.",
    "a default": GETATTR + ZONE + UNPICKLE + _line("builtins", "list") + b"\x87R" + ARGS + b"R.",
    "another class": _method("pandas", "Index") + ARGS + b"R.",
    "a class that is called already": _method("collections", "OrderedDict") + ARGS + b"R.",
    "another function of the module": _method("zoneinfo", "reset_tzpath") + ARGS + b"R.",
    "the pure class of the same name": _method("zoneinfo._zoneinfo", "ZoneInfo") + ARGS + b"R.",
    "the class by another path": _method("zoneinfo", "_zoneinfo.ZoneInfo") + ARGS + b"R.",
    "the module's path cut elsewhere": _method("zoneinfo.ZoneInfo", "_unpickle") + ARGS + b"R.",
    "an instance": GETATTR + MADE + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "a fetched instance": MADE + PUT + b"0" + GETATTR + GET + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "a list": GETATTR + b"]" + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "a text": GETATTR + _text("zoneinfo.ZoneInfo") + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "the method of the method": GETATTR + METHOD + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "the entropy of the class": _method(attribute=_text("_entropy")) + ARGS + b"R.",
    "the entropy of the method": GETATTR + METHOD + _text("_entropy") + b"\x86R" + ARGS + b"R.",
    "getattr by another name": _line("operator", "attrgetter") + UNPICKLE + b"\x85R" + ZONE + b"\x85R" + ARGS + b"R.",
    "getattr of getattr": GETATTR + GETATTR + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "the class is called": ZONE + _text("UTC") + b"\x85R.",
    "the class is made": ZONE + _text("UTC") + b"\x85\x81.",
    "the class is made with names": ZONE + _text("UTC") + b"\x85}\x92.",
    "the class alone": ZONE + b".",
    "the class in a list": b"]" + ZONE + b"a.",
    "the class as a key": b"}" + ZONE + b"K\x01s.",
    "the class is built": ZONE + b"}b.",
    "the class is filled": ZONE + _text("a") + b"K\x01s.",
    "the class by copyreg": _line("copyreg", "_reconstructor") + ZONE + _line("builtins", "object") + b"N\x87R.",
    "the class as a factory": _line("collections", "defaultdict") + ZONE + b"\x85R.",
    "the class in a partial": _line("functools", "partial") + ZONE + b"\x85R(" + ZONE + b"(" + _text("UTC") + b"t}Ntb.",
    "the class as an array's": _line("numpy._core.multiarray", "_reconstruct") + ZONE + b"K\x00\x85C\x01b\x87R.",
    "the class as an index's": _line("pandas.core.indexes.base", "_new_Index") + ZONE + b"}\x86R.",
    "the class in a state": _line("sklearn.utils._bunch", "Bunch") + b")\x81}" + _text("a") + ZONE + b"sb.",
    "the class in a slot": _line("uuid", "UUID") + b")\x81N}" + _text("int") + ZONE + b"s\x86b.",
    "the class for an offset": _line("datetime", "timezone") + ZONE + b"\x85R.",
    "the class is kept and used": b"]" + ZONE + PUT + b"a" + GETATTR + GET + UNPICKLE + b"\x86R" + ARGS + b"Ra.",
    "the method alone": METHOD + b".",
    "the method in a list": b"]" + METHOD + b"a.",
    "the method in a tuple": METHOD + b"\x85.",
    "the method as a value": b"}" + _text("a") + METHOD + b"s.",
    "the method as a key": b"}" + METHOD + b"K\x01s.",
    "the method in a tuple as a key": b"}" + METHOD + b"\x85K\x01s.",
    "the method as an argument": _line("builtins", "set") + b"]" + METHOD + b"a\x85R.",
    "the method as a state": _line("uuid", "UUID") + b")\x81}" + _text("int") + METHOD + b"sb.",
    "the method as a zone": _line("datetime", "time") + b"C\x06\x00\x00\x00\x00\x00\x00" + METHOD + b"\x86R.",
    "the method as a factory": _line("collections", "defaultdict") + METHOD + b"\x85R.",
    "the method in a partial": (
        _line("functools", "partial") + METHOD + PUT + b"\x85R(" + GET + b"(" + _text("UTC") + b"t}Ntb."
    ),
    "the method is built": METHOD + b"}b" + ARGS + b"R.",
    "the method is built and kept": METHOD + b"}" + _text("__call__") + _line("builtins", "list") + b"sb.",
    "the method is filled": METHOD + _text("a") + b"K\x01s" + ARGS + b"R.",
    "the method is appended to": METHOD + b"K\x01a" + ARGS + b"R.",
    "the method is made": METHOD + ARGS + b"\x81.",
    "the method is made with names": METHOD + ARGS + b"}\x92.",
    "the method by OBJ": b"(" + METHOD + _text("UTC") + b"K\x01o.",
    "getattr by OBJ": b"(" + GETATTR + ZONE + UNPICKLE + b"o" + ARGS + b"R.",
    "getattr by INST": b"(" + ZONE + UNPICKLE + b"ibuiltins\ngetattr\n" + ARGS + b"R.",
    "getattr is made": GETATTR + ZONE + UNPICKLE + b"\x86\x81" + ARGS + b"R.",
    "the class by INST": b"(" + _text("UTC") + b"izoneinfo\nZoneInfo\n.",
    "the method is called by way of the memo": METHOD + PUT + b"0" + GET + ARGS + b"R.",
    "the method is called twice": METHOD + PUT + ARGS + b"R0" + GET + ARGS + b"R.",
    "the method is called, and kept": b"]" + METHOD + PUT + ARGS + b"Ra" + GET + b"a.",
    "the method is kept, and called": b"]" + METHOD + PUT + b"a" + GET + ARGS + b"Ra.",
    "the method is doubled": METHOD + b"2" + ARGS + b"R\x86.",
    "the method takes another's place": MADE + PUT + b"0" + METHOD + PUT + ARGS + b"R0" + GET + PASSWD + b".",
    "the method is thrown away": METHOD + b"0" + MADE + b".",
    "one is called and one is kept": b"]" + METHOD + b"a" + MADE + b"a.",
    "one is called and one is kept, of one class": (
        b"](" + GETATTR + ZONE + PUT + UNPICKLE + b"\x86R" + ARGS + b"R" + GETATTR + GET + UNPICKLE + b"\x86Re."
    ),
    "the arguments of getattr are used twice": (
        b"](" + GETATTR + PUT + ZONE + UNPICKLE + b"\x86q\x01R" + ARGS + b"R" + GET + b"h\x01Re."
    ),
    "the arguments of getattr are kept": (
        GETATTR + ZONE + UNPICKLE + b"\x86" + PUT + b"R" + ARGS + b"R" + GET + b"\x86."
    ),
    "getattr is kept": b"]" + GETATTR + PUT + ZONE + UNPICKLE + b"\x86R" + ARGS + b"Ra" + GET + b"a.",
    "the zone is called": MADE + b")R.",
    "the zone is called as its method is": MADE + ARGS + b"R.",
    "the zone of the method's own arguments is called": METHOD + ZONE + UNPICKLE + b"\x86R" + ARGS + b"R.",
    "a fetched zone is called": MADE + PUT + b"0" + GET + ARGS + b"R.",
    "the zone is built": MADE + b"}b.",
    "the zone is built with attributes": MADE + b"}" + _text("key") + _text("x") + b"sb.",
    "the zone is built with slots": MADE + b"N}" + _text("utcoffset") + _text("x") + b"s\x86b.",
    "the zone is filled": MADE + _text("a") + b"K\x01s.",
    "the zone is appended to": MADE + b"K\x01a.",
    "the zone is a key": b"}" + MADE + b"K\x01s.",
    "the zone is in a key": b"}" + MADE + b"\x85K\x01s.",
    "a fetched zone is a key": MADE + PUT + b"0}" + GET + b"K\x01s.",
    "the zone is in a set": _line("builtins", "set") + b"]" + MADE + b"a\x85R.",
    "the zone is in a frozen set": P4 + b"(" + MADE + b"\x91.",
    "another method of something made": GETATTR + MADE + _text("utcoffset") + b"\x86RN\x85R.",
    "a plain call of a value": b"K\x01)R.",
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("how", ATTACKS)
def test_a_zone_is_made_in_one_way_only(how: str, policy: str) -> None:
    """Refused by what the analysis saw: nothing of the file was built."""
    data = ATTACKS[how] if ATTACKS[how].startswith(P4) else P3 + ATTACKS[how]
    with pytest.raises((DisallowedGlobalError, UnsafeStreamError)):
        _load(data, policy=POLICIES[policy])


def test_the_way_of_the_attacks_is_right_otherwise() -> None:
    assert _load(P3 + MADE + b".") is BERLIN
    assert _load(P3 + b"](" + MADE + PUT + GET + b"e.") == [BERLIN, BERLIN]


def test_the_entropy_of_a_class_is_no_way_around() -> None:
    """One name is for classes and one for objects: neither serves the other."""
    with pytest.raises(CodecError, match="of a scipy"):
        _load(P3 + GETATTR + MADE + _text("_entropy") + b"\x86R.")
    for attack in ("the entropy of the class", "an instance"):
        with pytest.raises(DisallowedGlobalError, match="getattr"):
            _load(P3 + ATTACKS[attack])


def test_what_is_called_that_is_no_plain_global_stays_a_fact() -> None:
    def facts(data: bytes) -> set[str]:
        return {fact.kind for fact in analyse(memoryview(P3 + data)).facts}

    assert facts(MADE + b".") == set()
    calls = "another class", "a default", "an instance", "the zone is called", "the method is made", "getattr is made"
    for how in calls:
        assert "call-on-value" in facts(ATTACKS[how]), how


def test_the_policy_grants_a_reference_that_stands_under_getattr() -> None:
    (zone,) = (used for used in analyse(memoryview(P3 + MADE + b".")).globals if used.module == "zoneinfo")
    assert (zone.use, set(zone.owners), zone.free) == (Use.REFERENCED, {("builtins", "getattr")}, False)
    assert allow_list("python")["zoneinfo", "ZoneInfo"] == Use.REFERENCED


def test_a_name_that_somebody_allowed_opens_no_other_way() -> None:
    """The class stays confined, whatever else of it is granted."""
    wider = safeload.Policy.default().allow("zoneinfo.ZoneInfo", "zoneinfo.reset_tzpath")
    assert _load(P3 + MADE + b".", policy=wider) is BERLIN
    for how in ("the class in a list", "the method alone", "another method of the class", "the class is called"):
        with pytest.raises((DisallowedGlobalError, UnsafeStreamError)):
            _load(P3 + ATTACKS[how], policy=wider)


# --- how many -----------------------------------------------------------------------------------


def test_a_file_full_of_zones_is_refused() -> None:
    """Ten bytes of a file are ten thousand of memory, where each zone is made anew."""
    head = GETATTR + b"q\x00" + ZONE + UNPICKLE + b"\x86q\x01R" + _text("Asia/Gaza") + b"K\x00\x86q\x02R"
    with pytest.raises(LimitError, match="zones"):
        _load(P3 + b"](" + head + b"h\x00h\x01Rh\x02R" * 20_000 + b"e.")
    assert len(_load(P3 + b"](" + head + b"h\x00h\x01Rh\x02R" * 900 + b"e.")) == 901


def test_zones_are_counted_where_objects_repeat_too() -> None:
    head = GETATTR + b"q\x00" + ZONE + b"q\x01" + UNPICKLE + b"q\x02\x86R" + _text("Asia/Gaza") + b"q\x03K\x00\x86R"
    zone = b"h\x00h\x01h\x02\x86Rh\x03K\x00\x86R"
    shell = _line("sklearn.utils._bunch", "Bunch") + b"q\x04)\x81}" + _text("z") + b"q\x05" + zone + b"sb"
    again = b"h\x04)\x81}h\x05" + zone + b"sb"
    with pytest.raises(LimitError, match="zones"):
        _load(P3 + b"](" + head + shell + again * 5_000 + b"e.")


def test_zones_of_many_arrays_are_counted_together(tmp_path: Path) -> None:
    def arrays(count: int, zones: int) -> list[Any]:
        made = []
        for _ in range(count):
            array = np.empty(zones, object)
            array[:] = [zoneinfo.ZoneInfo.no_cache("Asia/Gaza") for _ in range(zones)]
            made.append(array)
        return made

    joblib.dump(arrays(3, 100), tmp_path / "few.joblib")
    assert len(safeload.load_untrusted(tmp_path / "few.joblib")) == 3
    joblib.dump(arrays(12, 100), tmp_path / "many.joblib")
    with pytest.raises(LimitError, match="zones"):
        safeload.load_untrusted(tmp_path / "many.joblib")


def test_a_time_for_each_of_many_arrays_is_no_bomb(tmp_path: Path) -> None:
    value = [np.array([datetime.datetime(2020, 1, 1, tzinfo=BERLIN), None], dtype=object) for _ in range(3_000)]
    joblib.dump(value, tmp_path / "many.joblib")
    loaded = safeload.load_untrusted(tmp_path / "many.joblib")
    assert all(one[0] == other[0] for one, other in zip(loaded, value, strict=True))
