"""Key files on disk: what is opened, who may read it, what is written."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from safeload.errors import KeyFileError, KeyPermissionsError
from safeload.hazmat import keyfiles
from safeload.keys import ED25519, Key, Signer, TrustStore, hmac_keyid, hmacfile, keygen, public_keyid, short
from safeload.keys.keyfile import PUBLIC_MODE, SECRET_MODE, NewFile, create_all, read_key_file

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such mode")
KEY = bytes(range(32))
LINE = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TITLE = b"safeload hmac-sha256 key v1"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- keygen -----------------------------------------------------------------------------------


def test_keygen_writes_a_pair_of_which_only_the_public_half_is_for_others(here: Path) -> None:
    made = keygen("team")
    assert made.paths == (Path("team.key"), Path("team.pub"))
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 & ~0o044 for path in made.paths] == [0, 0]
    assert stat.S_IMODE(Path("team.key").stat().st_mode) == 0o600
    assert TrustStore.from_file("team.pub").keys[0].keyid == made.keyid == Signer.from_file("team.key").keyid


def test_keygen_writes_a_shared_secret_for_its_owner_alone(here: Path) -> None:
    made = keygen("team", kind="hmac")
    assert made.paths == (Path("team.hmac"),)
    assert stat.S_IMODE(Path("team.hmac").stat().st_mode) == 0o600
    lines = Path("team.hmac").read_bytes().split(b"\n")
    assert lines[0] == TITLE
    assert lines[2:] == [b""]
    assert TrustStore.from_file("team.hmac").keys[0].keyid == made.keyid == Signer.from_file("team.hmac").keyid


def test_keygen_keeps_the_secret_closed_under_a_careless_umask(here: Path) -> None:
    before = os.umask(0)
    try:
        keygen("team")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("team.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("team.pub").stat().st_mode) == 0o644


def test_keygen_keeps_dots_in_the_name(here: Path) -> None:
    assert keygen("model-v1.2").paths == (Path("model-v1.2.key"), Path("model-v1.2.pub"))


def test_keygen_never_overwrites(here: Path) -> None:
    keygen("team")
    keygen("team", kind="hmac")
    before = {path: path.read_bytes() for path in here.iterdir()}
    for kind, name in (("ed25519", "team.key"), ("hmac", "team.hmac")):
        with pytest.raises(KeyFileError, match=f"{name} exists, and a key is never overwritten") as caught:
            keygen("team", kind=kind)
        assert "another name" in caught.value.hint
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_keygen_leaves_no_private_key_behind_where_the_public_one_cannot_be_written(here: Path) -> None:
    Path("team.pub").write_text("another")
    with pytest.raises(KeyFileError, match=r"team\.pub exists"):
        keygen("team")
    assert [path.name for path in here.iterdir()] == ["team.pub"]
    assert Path("team.pub").read_text() == "another"


def test_keygen_does_not_follow_a_link_to_somewhere_else(here: Path) -> None:
    Path("team.key").symlink_to("elsewhere")
    with pytest.raises(KeyFileError, match=r"team\.key exists"):
        keygen("team")
    assert not Path("elsewhere").exists()


def test_a_full_disk_leaves_no_half_key(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match=r"cannot write team\.key: No space left on device"):
        keygen("team")
    assert list(here.iterdir()) == []


def test_an_interrupt_leaves_no_half_key(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keygen("team")
    assert list(here.iterdir()) == []


def test_keygen_into_a_folder_that_is_not_there_says_so(here: Path) -> None:
    with pytest.raises(KeyFileError, match=r"cannot write nowhere/team\.key: No such file or directory"):
        keygen("nowhere/team")


def test_keygen_refuses_what_makes_no_sense(here: Path) -> None:
    with pytest.raises(ValueError, match="protects nothing"):
        keygen("team", passphrase="")
    with pytest.raises(ValueError, match="is not encrypted"):
        keygen("team", "hmac", "x")
    with pytest.raises(ValueError, match="kind must be"):
        keygen("team", kind="rsa")
    assert list(here.iterdir()) == []


def test_keygen_does_not_take_a_passphrase_from_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", "meant for another key")
    keygen("team")
    assert Path("team.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_only_files_that_this_call_made_are_removed(here: Path) -> None:
    Path("b").write_text("mine")
    with pytest.raises(KeyFileError):
        create_all([NewFile("a", b"1", SECRET_MODE), NewFile("b", b"2", PUBLIC_MODE)])
    assert [path.name for path in here.iterdir()] == ["b"]


# --- reading ----------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o777, 0o610])
def test_a_secret_that_others_may_touch_is_refused(here: Path, mode: int) -> None:
    keygen("team")
    keygen("team", kind="hmac")
    for name in ("team.key", "team.hmac"):
        Path(name).chmod(mode)
        with pytest.raises(KeyPermissionsError, match=rf"{name} is a secret.*\(mode {mode:04o}\)") as caught:
            Signer.from_file(name)
        assert caught.value.hint == f"chmod 600 {name}"
    with pytest.raises(KeyPermissionsError):
        TrustStore.from_file("team.hmac")


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_that_its_owner_alone_may_read_is_used(here: Path, mode: int) -> None:
    keygen("team")
    Path("team.key").chmod(mode)
    Signer.from_file("team.key")


def test_on_windows_the_mode_says_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keygen("team")
    Path("team.key").chmod(0o644)
    file = read_key_file("team.key")
    monkeypatch.setattr(os, "name", "nt")
    try:
        file.refuse_if_others_can_read()
    finally:
        monkeypatch.undo()


@posix_only
def test_the_command_in_the_hint_survives_a_shell(here: Path) -> None:
    path = Path("a b; touch pwned.key")
    keygen(path.with_suffix(""))
    path.chmod(0o644)
    with pytest.raises(KeyPermissionsError) as caught:
        Signer.from_file(path)
    subprocess.run(["sh", "-c", caught.value.hint], check=True)
    Signer.from_file(path)
    assert not Path("pwned.key").exists()


@posix_only
@pytest.mark.parametrize("verb", ["Signer.from_file", "TrustStore.from_file"])
def test_a_pipe_is_refused_and_nothing_hangs(here: Path, verb: str) -> None:
    os.mkfifo("pipe.pub")
    program = f"import sys; sys.path.insert(0, sys.argv[1])\nfrom safeload.keys import *\n{verb}('pipe.pub')"
    root = str(Path(__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", program, root], capture_output=True, timeout=30)
    assert b"KeyFileError: pipe.pub is a named pipe, not a key file" in done.stderr


def test_folders_and_devices_are_refused(here: Path) -> None:
    with pytest.raises(KeyFileError, match="is a folder, not a key file"):
        read_key_file(here)
    if os.name != "nt":
        with pytest.raises(KeyFileError, match="/dev/zero is a device, not a key file"):
            read_key_file("/dev/zero")


def test_a_file_larger_than_64_kib_is_refused(here: Path) -> None:
    Path("big").write_bytes(bytes(64 * 1024))
    assert len(read_key_file("big").data) == 64 * 1024
    Path("big").write_bytes(bytes(64 * 1024 + 1))
    with pytest.raises(KeyFileError, match="big is larger than 64 KiB"):
        read_key_file("big")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.key", r"cannot read missing\.key: No such file or directory"),
        ("a\0b", r"cannot read a\\x00b: not a possible path"),
        ("x" * 5000, "File name too long"),
        ("", "is empty"),
    ],
)
def test_a_path_that_cannot_be_read_is_a_key_file_error(here: Path, path: str, reason: str) -> None:
    with pytest.raises(KeyFileError, match=reason):
        Signer.from_file(path)
    with pytest.raises(KeyFileError, match=reason):
        TrustStore.from_file(path)


def test_a_key_file_does_not_show_what_is_in_it(here: Path) -> None:
    keygen("team")
    assert "PRIVATE" not in repr(read_key_file("team.key"))
    assert "secret" not in repr(NewFile("a", b"secret", SECRET_MODE))


# --- HMAC key files ---------------------------------------------------------------------------


def test_an_hmac_key_file_comes_back() -> None:
    assert hmacfile.render(KEY) == TITLE + b"\n" + LINE + b"\n"
    assert hmacfile.parse(hmacfile.render(KEY), "k") == KEY


@pytest.mark.parametrize("data", [TITLE + b"\r\n" + LINE + b"\r\n", TITLE + b"\n" + LINE])
def test_line_ends_of_windows_and_a_missing_last_one_are_tolerated(data: bytes) -> None:
    assert hmacfile.parse(data, "k") == KEY


@pytest.mark.parametrize(
    "data",
    [
        TITLE,
        TITLE + b"\n",
        TITLE + b"\n" + LINE + b"\n\n",
        TITLE + b"\n" + LINE + b"\nmore\n",
        TITLE + b"\n " + LINE + b"\n",
        TITLE + b"\n" + LINE + b" \n",
        TITLE + b"\n\n" + LINE,
        TITLE + b"\n" + LINE[:-1] + b"\n",
        TITLE + b"\n" + LINE[:-2] + b"9=\n",
        TITLE + b"\n" + LINE[:-2] + b"\n",
        TITLE + b"\n" + LINE[:-4] + b"\n",
        TITLE + b"\nAAAA" + LINE + b"\n",
        TITLE + b"\n" + LINE.replace(b"A", b"-", 1) + b"\n",
        TITLE + b"\n" + KEY.hex().encode() + b"\n",
        TITLE + b"\n" + KEY,
    ],
)
def test_any_other_hmac_key_file_is_damaged(data: bytes) -> None:
    with pytest.raises(KeyFileError, match="k is damaged") as caught:
        hmacfile.parse(data, "k")
    assert LINE.decode()[:8] not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("title", [b"safeload hmac-sha256 key v2", TITLE + b" ", b"safeload hmac-sha256 key"])
def test_an_hmac_key_file_of_another_version_is_not_guessed_at(title: bytes) -> None:
    with pytest.raises(KeyFileError, match="does not begin with the line") as caught:
        hmacfile.parse(title + b"\n" + LINE + b"\n", "k")
    assert "newer safeload" in caught.value.hint


# --- keyids -----------------------------------------------------------------------------------


@needs_openssl
def test_a_keyid_is_the_hash_that_openssl_and_sha256sum_give(here: Path) -> None:
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    Path("k.pub").write_bytes(keyfiles.public_pem(Key(ED25519, public)))
    command = "openssl pkey -pubin -in k.pub -outform DER | openssl dgst -sha256 -r"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, text=True)
    assert done.stdout.split()[0] == public_keyid(Key(ED25519, public))


@needs_openssl
def test_the_keyid_of_an_hmac_key_is_fixed() -> None:
    command = r"{ printf 'safeload/v1 hmac\000'; cat; } | openssl dgst -sha256 -r"
    done = subprocess.run(["sh", "-c", command], input=KEY, capture_output=True, check=True)
    assert done.stdout.split()[0].decode() == hmac_keyid(KEY)


def test_a_keyid_is_shown_by_its_first_eight_digits() -> None:
    assert short("3f9a2b1c" + "0" * 56) == "3f9a2b1c..."
    assert short("\x1b[2J") == "\\x1b[2J..."
