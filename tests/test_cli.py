"""What the commands say and how they end, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeload
from safeload.cli.group import COMMANDS
from test_cli_desk import lay, run

# (what is shown, command, exit code, words on stdout, words on stderr); without words that stream is empty.
Case = tuple[str, str, int, tuple[str, ...], tuple[str, ...]]
MISSING = ("safeload: error: nope: no such file or directory",)
NOT_OURS = ("safeload: error: m.joblib: this is not a safeload file", "safeload: hint:", "safeload convert")
CASES: list[Case] = [
    ("the version is said", "--version", 0, (f"safeload {safeload.__version__}",), ()),
    ("no command is a usage error that helps", "", 2, (), ("Usage: safeload", "keygen")),
    ("no command of trust either", "trust", 2, (), ("Usage: safeload trust", "add")),
    ("an unknown command", "frobnicate", 2, (), ("safeload: error: no such command", "hint: safeload --help")),
    ("an unknown option", "pack --nope", 2, (), ("safeload: error: no such option", "hint: safeload pack --help")),
    ("keygen says what to do next", "keygen new", 0, ("wrote new.key", "wrote new.pub", "keyid ", "trust add"), ()),
    ("keygen makes an HMAC key", "keygen new --type hmac", 0, ("wrote new.hmac", "--trust new.hmac"), ()),
    ("keygen overwrites nothing", "keygen team", 2, (), ("team.key exists", "hint: choose another name")),
    ("keygen takes a name without ending", "keygen a.key", 2, (), ("NAME is without its ending",)),
    ("an HMAC key has no passphrase", "keygen a --type hmac --passphrase", 2, (), ("is not encrypted",)),
    ("no terminal, no prompt", "keygen a --passphrase", 2, (), ("SAFELOAD_KEY_PASSPHRASE",)),
    ("trust add says the keyid", "trust add stranger.pub --store keys", 0, ("keys/stranger.pub",), ("compare",)),
    ("trust add of a known key", "trust add team.pub --store keys", 0, ("was trusted before",), ()),
    ("trust add of a private key", "trust add team.key --store keys", 2, (), ("is a private key",)),
    ("trust list", "trust list --store keys", 0, ("ed25519  team",), ()),
    ("trust list of no store", "trust list --store nope", 2, (), ("cannot read the trust store nope",)),
    ("pack", "pack m.joblib -o n.safeload --key team.key", 0, ("n.safeload: signed by", "holds m.joblib"), ()),
    ("pack of any file", "pack notes.txt -o n.safeload --key team.key", 0, ("only unpack gives back",), ()),
    ("pack warns", "pack evil.pkl -o n.safeload --key team.key", 0, ("signed by",), ("safeload: warning: ",)),
    ("pack compresses", "pack m.joblib -o n --key team.key --compress zstd:19", 0, (" as zstd",), ()),
    ("pack to an unknown method", "pack m.joblib -o n --key team.key --compress zst", 2, (), ("'zst'",)),
    ("pack at an impossible level", "pack m.joblib -o n --key team.key --compress zlib:10", 2, (), ("level 10",)),
    ("pack at a level that is none", "pack m.joblib -o n --key team.key --compress zlib:x", 2, (), ("not a number",)),
    ("metadata is KEY=VALUE", "pack m.joblib -o n --key team.key --metadata a", 2, (), ("'a' is not KEY=VALUE",)),
    ("metadata once", "pack m.joblib -o n --key team.key --metadata a=1 --metadata a=2", 2, (), ("twice",)),
    (
        "pack without a key",
        "pack m.joblib -o n",
        2,
        (),
        ("nobody said who signs", "hint: make a key", "--key"),
    ),
    ("pack with a public key", "pack m.joblib -o n --key team.pub", 2, (), ("team.pub is a public key",)),
    ("pack with no such key", "pack m.joblib -o n --key nope.key", 2, (), ("cannot read nope.key",)),
    ("a locked key", "pack m.joblib -o n --key locked.key", 2, (), ("locked.key is encrypted", "hint: set SAFELOAD")),
    ("pack of nothing", "pack nope -o n --key team.key", 2, (), MISSING),
    (
        "pack of a folder",
        "pack keys -o n --key team.key",
        0,
        ("holds the folder keys", "1 file, 113 bytes; unpack gives it back"),
        (),
    ),
    ("pack over itself", "pack m.joblib -o ./m.joblib --key team.key", 2, (), ("is the file that is read",)),
    ("pack into no folder", "pack m.joblib -o no/n --key team.key", 2, (), ("error: no: no such file or directory",)),
    ("pack onto a folder", "pack m.joblib -o keys --key team.key", 2, (), ("error: keys: is a directory",)),
    ("verify names who signed", "verify m.safeload --trust keys/", 0, ("m.safeload: verified, signed by team (",), ()),
    ("verify with one key", "verify m.safeload --trust team.pub", 0, ("verified",), ()),
    ("verify for nobody", "verify m.safeload", 2, (), ("nobody said whose", "hint: make a store", "--trust keys/")),
    ("verify a stranger's", "verify stranger.safeload --trust keys", 1, (), ("which keys/ does not trust", "hint:")),
    ("verify what was changed", "verify bad.safeload --trust keys", 1, (), ("bad.safeload: the payload was changed",)),
    ("verify another kind of file", "verify m.joblib --trust keys", 2, (), NOT_OURS),
    ("verify nothing", "verify nope --trust keys", 2, (), MISSING),
    ("verify a name that is empty", "verify '' --trust keys", 2, (), ("safeload: error: '': no such file",)),
    ("verify goes on", "verify nope bad.safeload m.safeload --trust keys", 1, ("m.safeload: ver",), ("nope", "bad")),
    ("verify several", "verify nope m.safeload --trust keys", 2, ("m.safeload: verified",), MISSING),
    ("unpack", "unpack m.safeload --trust keys -o back", 0, ("back: unpacked from m.safeload",), ()),
    ("unpack what was changed", "unpack bad.safeload --trust keys -o back", 1, (), ("the payload was changed",)),
    ("unpack another kind of file", "unpack m.joblib --trust keys -o back", 2, (), NOT_OURS),
    ("sign", "sign m.safeload --key stranger.key", 0, ("m.safeload: signed by", "too"), ()),
    ("sign twice", "sign m.safeload --key team.key", 1, (), ("already",)),
    ("sign what was changed", "sign bad.safeload --key stranger.key", 1, (), ("the payload was changed",)),
    ("inspect believes nothing", "inspect bad.safeload", 0, ("claimed, not verified", "To check: safeload ver"), ()),
    ("inspect another kind of file", "inspect m.joblib", 2, (), NOT_OURS),
    ("inspect nothing", "inspect nope", 2, (), MISSING),
    ("convert", "convert m.joblib -o n --key team.key", 0, ("n: rebuilt from m.joblib", "allowed"), ()),
    ("convert a call", "convert evil.pkl -o n --key team.key", 1, (), ("system is called at byte", "nothing was exec")),
    ("convert a text", "convert notes.txt -o n --key team.key", 1, (), ("notes.txt",)),
    ("allow a whole module", "convert m.joblib -o n --key team.key --allow os", 2, (), ("not a whole module",)),
    ("bench", "bench m.safeload --trust keys --repeats 1", 0, ("m.safeload: dict, kept by joblib", "\n  pickle"), ()),
    ("bench of what does not predict", "bench m.safeload --trust keys --data X.npy", 0, ("does not predict",), ()),
    ("bench of a plain file", "bench m.joblib --trust keys", 2, (), NOT_OURS),
    ("bench of what was changed", "bench bad.safeload --trust keys", 1, (), ("the payload was changed",)),
    ("bench for nobody", "bench m.safeload", 2, (), ("nobody said whose", "hint: make a store")),
    ("bench a stranger's", "bench stranger.safeload --trust keys", 1, (), ("which keys/ does not trust", "hint:")),
    ("a target without data", "bench m.safeload --trust keys --target y.npy", 2, (), ("there is no --data",)),
    ("data of another kind", "bench m.safeload --trust keys --data notes.txt", 2, (), ("neither .npy nor .csv",)),
    ("data that is a pickle", "bench m.safeload --trust keys --data evil.pkl", 2, (), ("neither .npy nor .csv",)),
    ("no such data", "bench m.safeload --trust keys --data no.npy", 2, (), ("no.npy: no such file",)),
    ("the demo needs an empty folder", "demo --folder keys", 2, (), ("keys is not empty",)),
]


@pytest.mark.parametrize(
    ("command", "code", "out", "err"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_command_says_what_it_did_and_ends_with_its_code(
    command: str,
    code: int,
    out: tuple[str, ...],
    err: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lay(tmp_path, monkeypatch)
    before = set(tmp_path.rglob("*"))
    outcome = run(capsys, command)
    assert outcome.code == code, outcome
    for words, text in ((out, outcome.out), (err, outcome.err)):
        assert all(word in text for word in words), outcome
        assert words or not text, outcome
    if code:
        assert set(tmp_path.rglob("*")) == before, "a command that fails leaves nothing behind"
    assert not Path("MARKER").exists()


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", *COMMANDS, "trust add", "trust list"])
def test_every_command_explains_itself_with_an_example(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(capsys, f"{command} {option}")
    assert outcome.code == 0
    assert "Example:\n" in outcome.out
    assert f"  safeload {command}" in outcome.out
    assert "..." not in outcome.out.replace("]...", "").replace("ARTIFACTS...", ""), "a help text is cut off"
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_what_pack_took_comes_back_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, monkeypatch)
    assert run(capsys, "pack evil.pkl -o e.safeload --key team.key --compress zlib").code == 0
    assert run(capsys, "unpack e.safeload --trust keys -o back.pkl").code == 0
    assert Path("back.pkl").read_bytes() == Path("evil.pkl").read_bytes()


def test_a_countersignature_counts_for_those_who_trust_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, monkeypatch)
    assert run(capsys, "verify m.safeload --trust stranger.pub").code == 1
    assert run(capsys, "sign m.safeload --key stranger.key").code == 0
    assert run(capsys, "verify m.safeload --trust stranger.pub").code == 0


def test_the_environment_names_key_trust_and_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, monkeypatch)
    monkeypatch.setenv("SAFELOAD_KEY", "locked.key")
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", "sesame")
    monkeypatch.setenv("SAFELOAD_TRUST", "locked.pub")
    assert run(capsys, "sign m.safeload").code == 0
    assert run(capsys, "verify m.safeload").code == 0
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", "wrong")
    outcome = run(capsys, "sign m.safeload")
    assert outcome.code == 2
    assert "hint: correct SAFELOAD_KEY_PASSPHRASE" in outcome.err


def test_convert_rebuilds_a_class_that_is_allowed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path, monkeypatch)
    Path("mine.py").write_text("class Scaler: pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("s.pkl").write_bytes(b"\x80\x02cmine\nScaler\n)\x81.")
    refused = run(capsys, "convert s.pkl -o s.safeload --key team.key")
    assert refused.code == 1
    assert "--allow mine.Scaler" in refused.err
    assert run(capsys, "convert s.pkl -o s.safeload --key team.key --allow mine.Scaler").code == 0
