"""A folder is packed as it is, and comes back byte for byte."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import pytest

import safeload
from safeload.artifact.packing import parts_of
from safeload.container.frames import write_all

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

TREES: dict[str, dict[str, bytes | None]] = {
    "a SavedModel": {
        "saved_model.pb": b"\x08\x01",
        "variables/variables.index": b"i",
        "variables/variables.data-00000-of-00001": bytes(5_000_000),
        "assets/": None,
    },
    "one file": {"only.bin": b"x"},
    "nothing but folders": {"a/b/c/": None, "a/d/": None},
    "files of no bytes": {"a": b"", "b/c": b""},
    "the last of no bytes": {"a": b"x", "b": b""},
    "names of all kinds": {"ünïcode/Größe.txt": b"1", "a b/c.d.e": b"2", ".hidden": b"3", "x@y/-z": b"4"},
    "a pickle, which is a file like others": {"m.pkl": b"\x80\x02]q\x00.", "deep/m.pkl": b"\x80\x02}q\x00."},
}


def written(folder: Path, tree: dict[str, bytes | None]) -> Path:
    for name, data in tree.items():
        path = folder / name
        (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data)
    return folder


def content(folder: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = None
    return found


@pytest.mark.parametrize("compress", [0, "zstd"])
@pytest.mark.parametrize("name", TREES)
def test_a_folder_comes_back_as_it_was(name: str, compress: str | int, tmp_path: Path, team: Keys) -> None:
    source = written(tmp_path / "source", TREES[name])
    safeload.pack(source, tmp_path / "m.safeload", compress, signer=team.key)
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert content(tmp_path / "out") == content(source) == TREES[name]


def test_an_encrypted_folder_comes_back_too(tmp_path: Path, team: Keys) -> None:
    source = written(tmp_path / "source", TREES["a SavedModel"])
    safeload.pack(source, tmp_path / "m.safeload", signer=team.key, passphrase="open")
    assert b"\x08\x01" not in (tmp_path / "m.safeload").read_bytes()[4096:4200]
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub, passphrase="open")
    assert content(tmp_path / "out") == TREES["a SavedModel"]


def test_the_order_of_files_is_that_of_their_names(tmp_path: Path, team: Keys) -> None:
    source = written(tmp_path / "source", dict.fromkeys(("b/x", "a", "c", "b/a"), b""))
    manifest = safeload.pack(source, tmp_path / "m.safeload", signer=team.key)
    assert [member.name for member in manifest.members] == ["a", "b/a", "b/x", "c"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("con", "rename it"), ("a:b", "rename it"), ("dot.", "rename it"), ("a\nb", "rename it"), ("A", "collides")],
)
def test_names_that_mean_something_else_elsewhere_are_refused(name: str, said: str, tmp_path: Path, team: Keys) -> None:
    source = written(tmp_path / "source", {"a": b"", f"{name}": b""})
    with pytest.raises((ValueError, safeload.errors.FormatError), match=said):
        safeload.pack(source, tmp_path / "m.safeload", signer=team.key)
    assert not (tmp_path / "m.safeload").exists()


def test_links_and_devices_are_refused_and_nothing_is_written(tmp_path: Path, team: Keys) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not for you")
    source = written(tmp_path / "source", {"a": b"x"})
    for make in (
        lambda path: path.symlink_to(secret),
        lambda path: path.symlink_to(tmp_path, target_is_directory=True),
        lambda path: os.mkfifo(path),
    ):
        make(source / "b")
        with pytest.raises(ValueError, match=r"symbolic link|neither a file nor a folder"):
            safeload.pack(source, tmp_path / "m.safeload", signer=team.key)
        (source / "b").unlink()
    assert not (tmp_path / "m.safeload").exists()


def test_an_empty_folder_is_no_model(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(ValueError, match="a folder with nothing in it"):
        safeload.pack(tmp_path / "source", tmp_path / "m.safeload", signer=team.key)


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path, team: Keys) -> None:
    source = written(tmp_path / "source", {"only.bin": b"x"})
    safeload.pack(source, tmp_path / "m.safeload", signer=team.key)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert content(tmp_path / "out") == {"mine": b"mine"}


def test_nobody_else_gets_at_a_folder_before_it_is_whole(
    tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "a").write_bytes(b"1")
    (tmp_path / "in" / "b" / "c").write_bytes(b"2")
    safeload.pack(tmp_path / "in", tmp_path / "f.safeload", signer=team.key)
    modes: list[int] = []

    def seen(fd: int, data: Any, offset: int) -> None:
        modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob(".safeload-*.tmp"))
        write_all(fd, data, offset)

    monkeypatch.setattr("safeload.artifact.unpacking.write_all", seen)
    before = os.umask(0)
    try:
        safeload.unpack(tmp_path / "f.safeload", tmp_path / "out", trust=team.pub)
    finally:
        os.umask(before)
    assert modes == [0o700, 0o700]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o777
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.safeload", "in", "out"]


def test_scan_looks_into_each_file_of_a_folder(tmp_path: Path, team: Keys) -> None:
    call = b"\x80\x02cos\nsystem\nU\x09touch MARKq\x00\x85R."
    trees: dict[str, dict[str, bytes | None]] = {
        "good": {"m.pkl": b"\x80\x02]q\x00.", "assets/": None},
        "bad": {"m.pkl": b"\x80\x02]q\x00.", "deep/x.bin": call},
    }
    for name, tree in trees.items():
        safeload.pack(written(tmp_path / name, tree), tmp_path / f"{name}.safeload", signer=team.key)
        report = safeload.scan(tmp_path / f"{name}.safeload", trust=team.pub)
        assert report.exit_code == (1 if name == "bad" else 0)


def test_what_becomes_a_link_while_a_folder_is_packed_is_not_followed(tmp_path: Path, team: Keys) -> None:
    (tmp_path / "secret").write_bytes(b"not for you")
    source = written(tmp_path / "source", {"a": b"x"})
    (part,) = parts_of(source)
    (source / "a").unlink()
    (source / "a").symlink_to(tmp_path / "secret")
    file = io.BytesIO()
    with pytest.raises(OSError, match=r"a"):
        part.write(file)
    assert file.getvalue() == b""
