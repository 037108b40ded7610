"""``safeload policy``: what may load and what a model needs, said without loading anything."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import shlex
import struct
import sys
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import safeload
from safeload import Policy
from test_cli_desk import lay, run
from test_cli_process import HEAVY, imported
from testkit.vector import VECTORS, Vector

P4 = b"\x80\x04"


def sbu(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return (b"\x8c" + bytes([len(data)]) if len(data) < 256 else b"X" + struct.pack("<I", len(data))) + data


def name(path: str) -> bytes:
    module, _, last = path.rpartition(".")
    return sbu(module) + sbu(last) + b"\x93"


def made(path: str) -> bytes:
    return name(path) + b")\x81}" + sbu("a") + b"K\x01sb"


def called(path: str) -> bytes:
    return name(path) + b"K\x01\x85R"


def listed(*items: bytes) -> bytes:
    return P4 + b"](" + b"".join(items) + b"e."


MINE = listed(
    made("mypkg.features.Scaler"), made("mypkg.features.Clip"), called("mypkg.features.Unit"), name("mypkg.log")
)
EVIL = listed(called("posix.system"), made("mypkg.Scaler"), name("builtins.eval"), b"K\x022")


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)
    Path("mine.pkl").write_bytes(MINE)
    Path("evil2.pkl").write_bytes(EVIL)
    Path("z.pkl.gz").write_bytes(zlib.compress(MINE))
    Path("cut.pkl").write_bytes(MINE[:-2])


def document(
    capsys: pytest.CaptureFixture[str], command: str, code: int, option: str = "--format json"
) -> dict[str, Any]:
    outcome = run(capsys, f"policy {command} {option}")
    assert outcome.code == code, outcome
    assert outcome.out.isascii()
    found: dict[str, Any] = json.loads(outcome.out)
    assert ("error" in found) == (code != 0)
    if code:
        assert set(found["error"]) == {"type", "message", "hint"}
        assert f"safeload: error: {found['error']['message']}\n" in outcome.err
    return found


# --- the table: command, exit code, words on stdout, words on stderr; without words that stream is empty --------------

NEEDS_NOTHING = ("m.joblib: needs nothing, the default policy grants",)
PASTE = (
    'Policy.default().allow("mypkg.features.Clip", "mypkg.features.Scaler", "mypkg.log")'
    '.allow("mypkg.features.Unit", use=("new", "build", "reference", "call"))',
    "--allow mypkg.features.Clip --allow mypkg.features.Scaler --allow mypkg.log --allow-call mypkg.features.Unit",
)
UNSIGNED = "No signature was checked. To check: safeload verify m.safeload --trust keys/"
CASES: list[tuple[str, str, int, tuple[str, ...], tuple[str, ...]]] = [
    ("no command helps", "", 2, (), ("Usage: safeload policy", "learn")),
    ("learn of a plain model", "learn m.joblib", 0, NEEDS_NOTHING, ()),
    ("learn of what is yours", "learn mine.pkl", 0, ("mine.pkl: 4 of its 4 names are beyond", *PASTE), ()),
    ("learn of compressed data", "learn z.pkl.gz", 0, PASTE, ()),
    ("learn of an artifact", "learn m.safeload", 0, ("needs nothing", UNSIGNED), ()),
    ("learn of several", "learn m.joblib mine.pkl", 0, (*NEEDS_NOTHING, *PASTE), ()),
    ("learn goes on", "learn nope mine.pkl", 2, PASTE, ("safeload: error: nope: no such file",)),
    ("learn of a call", "learn evil.pkl", 0, ("dangerous: it starts programs", "nothing to paste for evil.pkl"), ()),
    ("learn of a text", "learn notes.txt", 2, (), ("notes.txt: this is neither a pickle nor",)),
    ("learn of half a file", "learn cut.pkl", 2, (), ("safeload: error: cut.pkl: the stream ends",)),
    ("learn of nothing", "learn", 2, (), ("missing argument",)),
    ("check of a plain model", "check m.joblib", 0, ("m.joblib: the default policy grants all",), ()),
    ("check of an artifact", "check m.safeload", 0, ("grants all of its", UNSIGNED), ()),
    ("check of a stranger's", "check stranger.safeload", 0, ("grants all", "No signature was checked"), ()),
    ("check of a damaged one", "check bad.safeload", 2, (), ("bad.safeload: the payload was changed",)),
    ("check of a call", "check evil.pkl", 1, ("system is called\n",), ("not grant its only name", "policy learn evil")),
    ("check with half of the lines", "check mine.pkl --allow mypkg.log", 1, ("Scaler is",), ("not grant 3 of its 4",)),
    ("check with all lines", f"check mine.pkl {PASTE[1]}", 0, ("grants all of its 4 names",), ()),
    ("check of a text", "check notes.txt", 2, (), ("notes.txt: this is neither",)),
    ("check of half a file", "check cut.pkl", 2, (), ("cut.pkl: the stream ends",)),
    ("check of nothing", "check nope", 2, (), ("nope: no such file or directory",)),
    ("check of a folder", "check keys", 2, (), ("keys: is a directory",)),
    ("allow a whole module", "check m.joblib --allow os", 2, (), ("not a whole module",)),
    ("show", "show", 0, ("The default policy grants", "scikit-learn", ">=1.5"), ()),
    ("show of the other", "show --untrusted", 0, ("The untrusted policy grants",), ()),
    ("show of a class", "show uuid.UUID", 0, ("listed     python", "a checker looks at the finished objects"), ()),
    ("show of an estimator", "show sklearn.svm._classes.SVC", 0, ("instantiated, without", "a checker"), ()),
    ("show of what is confined", "show numpy.ndarray", 0, ("confined   to the", "multiarray._reconstruct"), ()),
    ("show of a module", "show sklearn.svm", 0, ("sklearn.svm: ", "_classes.SVC referenced,instantiated,built"), ()),
    ("show of half a name", "show sklearn.sv", 1, (), ("grants nothing that is called sklearn.sv",)),
    ("show of a public name", "show sklearn.svm.SVC", 1, (), ("hint: it grants sklearn.svm._classes.SVC",)),
    ("show of what nobody grants", "show os.system", 1, (), ("error: the default policy grants nothing", "hint")),
    ("list of no library", "list --library nump", 2, (), ("'nump' has no list", "numpy, ")),
    ("an unknown format", "list --format xml", 2, (), ("'xml'",)),
]


@pytest.mark.parametrize(
    ("command", "code", "out", "err"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_command_says_what_it_found_and_ends_with_its_code(
    command: str, code: int, out: tuple[str, ...], err: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(Path().rglob("*"))
    outcome = run(capsys, f"policy {command}")
    assert outcome.code == code, outcome
    for words, text in ((out, outcome.out), (err, outcome.err)):
        assert all(word in text for word in words), outcome
        assert words or not text, outcome
    assert set(Path().rglob("*")) == before, "nothing is written, and nothing in a file was run"


@pytest.mark.parametrize("command", ["learn", "check", "show", "list"])
def test_every_command_explains_itself_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, f"policy {command} --help")
    assert outcome.code == 0
    assert f"Example:\n    safeload policy {command}" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


# --- learn and check ----------------------------------------------------------------------------


def test_learn_tells_the_worst_first_and_what_to_do_instead(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "policy learn evil2.pkl").out
    places = [
        text.index(word) for word in ("posix.system is called", "only if the package is yours", "cannot be allowed")
    ]
    assert places == sorted(places)
    assert "ask whoever made the file" in " ".join(text.split())
    assert "allow(" not in text, "what is dangerous takes the lines of the rest away"
    assert "--allow" not in text


def test_learn_fits_80_columns_but_for_the_lines_to_paste(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "policy learn m.safeload mine.pkl evil2.pkl").out.splitlines()
    assert max(len(line) for line in lines if "allow(" not in line and "--allow" not in line) <= 80


def test_the_python_line_is_one_that_loads(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mypkg_of_this_test.py").write_text("class Scaler: pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(".")
    data = listed(made("mypkg_of_this_test.Scaler"))
    Path("s.pkl").write_bytes(data)
    (line,) = [line for line in run(capsys, "policy learn s.pkl").out.splitlines() if "Policy." in line]
    assert "mypkg_of_this_test" not in sys.modules, "learning imports nothing"
    policy = eval(line, {"Policy": Policy})  # noqa: S307  # our own words, to see that they work
    (loaded,) = safeload.load_untrusted(io.BytesIO(data), policy=policy)
    assert loaded.a == 1


def test_check_names_all_that_stands_against_a_file_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "policy check evil2.pkl").out.splitlines()
    assert [line.partition(": ")[2] for line in lines] == [
        "posix.system is called",
        "mypkg.Scaler is instantiated and built",
        "builtins.eval is referenced",
        "DUP, which no pickler writes",
    ]
    assert [EVIL[int(line.split()[1].strip(":"))] for line in lines] == [0x93, 0x93, 0x93, ord("2")]


@pytest.mark.parametrize("data", [MINE, EVIL, pickle.dumps([1]), P4 + b"N.N."], ids=["mine", "evil", "plain", "twice"])
def test_check_and_the_loader_agree(data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.pkl").write_bytes(data)
    try:
        safeload.load_untrusted("x.pkl")
        code = 0
    except safeload.errors.PolicyError:
        code = 1
    assert run(capsys, "policy check x.pkl --untrusted").code == code


def test_what_is_nested_in_an_array_is_found_at_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    joblib.dump(np.array([{"key": ("mypkg.Odd", 1)}, None], dtype=object), "o.joblib")
    data = Path("o.joblib").read_bytes()
    inside = data.index(sbu("key"))
    changed = data[:inside] + sbu("key") + b"0" + made("mypkg.Odd") + b"0" + data[inside:]
    Path("o.joblib").write_bytes(_without_frames(changed))
    found = document(capsys, "check o.joblib", 1)
    assert [each["name"] for each in found["denied"]] == ["mypkg.Odd"]
    place = found["denied"][0]["offset"]
    assert Path("o.joblib").read_bytes()[place : place + 1] == b"\x93"


def _without_frames(data: bytes) -> bytes:
    """Their lengths do not fit any more."""
    while (at := data.find(b"\x95")) >= 0:
        data = data[:at] + data[at + 9 :]
    return data


def test_an_artifact_of_files_or_of_ciphertext_has_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    safeload.pack("notes.txt", "n.safeload", signer="team.key")
    vector = VECTORS / "encrypted-one.vec"
    Path("e.safeload").write_bytes(Vector.decode(vector.stem, vector.read_bytes()).body)
    for file, reason in (("n", "holds no pickle, but files"), ("e", "the payload is encrypted")):
        outcome = run(capsys, f"policy check {file}.safeload")
        assert (outcome.code, outcome.out) == (2, "")
        assert f"safeload: error: {file}.safeload: " in outcome.err
        assert reason in outcome.err


@pytest.mark.parametrize("compress", ["zstd", "zlib", "lzma"])
def test_the_payload_of_a_compressed_artifact_is_judged(compress: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, f"pack mine.pkl -o c.safeload --key team.key --compress {compress}").code == 0
    outcome = run(capsys, "policy check c.safeload")
    assert outcome.code == 1
    assert "mypkg.log is referenced" in outcome.out
    assert "No signature was checked" in outcome.out


def test_judging_an_artifact_gives_nothing_that_can_be_loaded() -> None:
    found = safeload.needs("m.safeload")
    assert found.artifact
    assert {type(getattr(found, field)) for field in found.__slots__} == {str, bool, int, tuple}


# --- documents ----------------------------------------------------------------------------------

NEED = {"name", "use", "offset", "count", "risk", "reason", "instead", "option"}
KEYS = {"file", "policy", "artifact", "verified", "granted", "used", "denied", "denied_count", "facts"}
GRANT = {"name", "uses", "library", "versions", "contracts", "confined_to"}


@pytest.mark.parametrize("option", ["--format json", "--format=json", "--json"])
def test_the_document_of_check(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "check evil2.pkl", 1, option)
    assert set(found) == {*KEYS, "error"}
    assert (found["granted"], found["verified"], found["artifact"], found["used"]) == (False, False, False, 3)
    assert [set(each) for each in found["denied"]] == [NEED] * 3
    assert [set(each) for each in found["facts"]] == [{"kind", "offset", "text"}]
    assert found["error"]["type"] == "PolicyError"
    assert set(document(capsys, "check m.safeload", 0, option)) == KEYS
    assert document(capsys, "check nope", 2, option)["error"]["type"] == "FileNotFoundError"
    assert document(capsys, "check", 2, option)["error"]["type"] == "MissingParameter"


def test_the_document_of_learn(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "learn mine.pkl m.joblib", 0)
    assert set(found) == {"policy", "files", "grant"}
    assert [set(file) for file in found["files"]] == [KEYS, KEYS]
    assert found["grant"] == {"python": PASTE[0], "cli": PASTE[1]}
    broken = document(capsys, "learn nope evil.pkl", 2)
    assert (broken["grant"], broken["error"]) == (None, broken["files"][0]["error"])


def test_the_documents_of_show_and_list(capsys: pytest.CaptureFixture[str]) -> None:
    summary = document(capsys, "show", 0)
    assert set(summary) == {"policy", "names", "libraries"}
    assert [set(row) for row in summary["libraries"]] == [{"library", "names", "contracts", "versions"}] * len(
        summary["libraries"]
    )
    every = document(capsys, "list", 0)
    assert all(set(grant) == GRANT for grant in every["names"])
    assert len(every["names"]) == summary["names"] == sum(row["names"] for row in summary["libraries"])
    (one,) = document(capsys, "show numpy.dtype", 0)["names"]
    assert one["contracts"] == ["stub"]
    assert document(capsys, "show os.system", 1)["error"]["type"] == "PolicyError"


# --- show and list ------------------------------------------------------------------------------


def test_list_has_every_name_once_on_a_line_of_its_own_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "policy list").out.splitlines()
    names = [line.split(" ")[0] for line in lines]
    assert names == sorted({".".join(key) for key in Policy.default().allowed})
    assert all(len(line.split(" ")) == 2 for line in lines)
    assert "collections.OrderedDict referenced,called,filled,keyed" in lines
    assert len(run(capsys, "policy list --untrusted").out.splitlines()) == len(Policy.untrusted().allowed)


def test_a_library_is_named_as_it_is_installed_or_imported(capsys: pytest.CaptureFixture[str]) -> None:
    by_name = run(capsys, "policy list --library scikit-learn").out
    assert by_name == run(capsys, "policy list --library sklearn").out
    assert "sklearn.svm._classes.SVC" in by_name
    assert "numpy" not in by_name


def test_every_name_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    # A prefix that all names of numpy share: each class is looked at.
    lines = run(capsys, "policy show numpy").out.splitlines()
    assert len(lines) - 1 == sum(module.partition(".")[0] == "numpy" for module, _ in Policy.default().allowed)


def test_no_machine_learning_library_is_imported_to_judge_or_to_list() -> None:
    for command in (["learn", "m.safeload"], ["check", "m.joblib"], ["show"], ["list"]):
        assert not imported("policy", *command) & HEAVY
    assert not imported("--help") & HEAVY


# --- hostile files ------------------------------------------------------------------------------

HOSTILE = [
    "os\x1b[31m.sy\x1b]8;;http://x\x07",
    "\u202eevil.x",
    "mypkg.x\nsafeload: verified",
    "mypkg.$(touch MARKER)",
    "mypkg.a b; touch MARKER",
    "[/nope].[bold]",
    "\ud800.y",
    "m.\x00",
]


@pytest.mark.parametrize("command", ["learn", "check"])
def test_hostile_names_are_shown_escaped_and_never_pasted(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("h.pkl").write_bytes(listed(*map(name, HOSTILE)))
    outcome = run(capsys, f"policy {command} h.pkl")
    text = outcome.out + outcome.err
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert "\nsafeload: verified" not in text
    assert "allow(" not in text
    assert len(document(capsys, f"{command} h.pkl", int(command == "check"))) > 1


@pytest.mark.parametrize("command", ["learn", "check"])
def test_a_hostile_file_name_is_shown_escaped(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = "x\x1b[31m\u202e\nsafeload: verified.pkl"
    Path(file).write_bytes(MINE)
    outcome = run(capsys, f"policy {command} {shlex.quote(file)}")
    assert "\x1b" not in outcome.out + outcome.err
    assert "\nsafeload: verified" not in outcome.out + outcome.err


def test_a_name_of_a_megabyte_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    Path("l.pkl").write_bytes(listed(name("a." * 500_000 + "b"), name("c." + "d" * 1_000_000)))
    for command, code in (("learn", 0), ("check", 1)):
        outcome = run(capsys, f"policy {command} l.pkl")
        assert outcome.code == code
        assert len(outcome.out + outcome.err) < 3_000
        assert len(json.dumps(document(capsys, f"{command} l.pkl", code))) < 6_000


def test_a_flood_of_names_is_counted_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    count = 12_000
    Path("f.pkl").write_bytes(listed(*(f"cm{index}\nC\n".encode() for index in range(count))))
    outcome = run(capsys, "policy check f.pkl")
    assert len(outcome.out.splitlines()) == 1_001
    assert "... and 11,000 more; --format json shows 10,000 of them all" in outcome.out
    learned = run(capsys, "policy learn f.pkl").out
    assert "more than 10,000 of its 12,000 names" in learned
    assert len(learned.splitlines()) < 130
    assert "allow(" not in learned, "nobody is asked to allow what was not shown"
    found = document(capsys, "check f.pkl", 1)
    assert (len(found["denied"]), found["denied_count"], found["used"]) == (10_000, count, count)


def test_more_names_than_are_shown_are_not_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    for count, pasted in ((100, True), (101, False)):
        Path("f.pkl").write_bytes(listed(*(name(f"mypkg.C{index}") for index in range(count))))
        assert ("Policy.default().allow(" in run(capsys, "policy learn f.pkl").out) is pasted


def test_a_bomb_has_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.pkl").write_bytes(zlib.compress(P4 + b"N0" * 40_000_000 + b"N."))
    outcome = run(capsys, "policy check b.pkl")
    assert (outcome.code, outcome.out) == (2, "")
    assert "bytes of opcodes" in outcome.err


def test_whatever_an_artifact_holds_is_judged_or_refused_in_words() -> None:
    for vector in VECTORS.glob("*.vec"):
        body = Vector.decode(vector.stem, vector.read_bytes()).body
        with contextlib.suppress(safeload.SafeloadError):  # and nothing else
            assert safeload.needs(io.BytesIO(body)).granted, vector.stem
