"""What export-oms writes, the program of OpenSSF Model Signing accepts; and nothing else than what was exported."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import safeload
from programs import absent
from safeload.container.source import FileSource
from safeload.errors import AlgorithmError, DigestMismatchError, FormatError, NotAnArtifactError
from test_cli_desk import run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """release.key and release.pub, and a folder m with m.safeload, signed by another key."""
    monkeypatch.chdir(tmp_path)
    Path("m").mkdir()
    safeload.keygen("team")
    safeload.keygen("release", "ecdsa-p256")
    safeload.dump(list(range(100)), "m/m.safeload", signer="team.key")
    return tmp_path


@pytest.fixture
def accepts(folder: Path) -> Callable[..., bool]:
    """Whether `model_signing verify key` accepts the folder m."""
    program = Path(sys.executable).with_name("model_signing")
    if not program.exists():
        absent("model_signing", "pip install 'safeload[test]'")

    def verify(*options: str, signature: str = "m/model.sig", public_key: str = "release.pub") -> bool:
        command = [str(program), "verify", "key", "m", "--signature", signature, "--public_key", public_key, *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        assert (done.returncode == 0) == ("Verification succeeded" in done.stdout)
        return done.returncode == 0

    return verify


def signed_digest() -> str:
    """The SHA-256 of the one file that m/model.sig speaks of."""
    bundle = json.loads(Path("m/model.sig").read_bytes())
    (resource,) = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))["predicate"]["resources"]
    assert resource["name"] == "m.safeload"
    return str(resource["digest"])


def test_the_other_program_accepts_the_folder(accepts: Callable[..., bool]) -> None:
    assert safeload.export_oms("m/m.safeload", signer="release.key") == Path("m/model.sig")
    assert accepts()


def test_it_refuses_a_changed_byte_anywhere_in_the_file(accepts: Callable[..., bool]) -> None:
    safeload.export_oms("m/m.safeload", signer="release.key")
    good = Path("m/m.safeload").read_bytes()
    for at in (0, 100, 4096, len(good) - 1):
        changed = bytearray(good)
        changed[at] ^= 1
        Path("m/m.safeload").write_bytes(changed)
        assert not accepts(), at
    Path("m/m.safeload").write_bytes(good)
    assert accepts()


def test_it_refuses_another_key_and_another_bundle(accepts: Callable[..., bool]) -> None:
    safeload.export_oms("m/m.safeload", signer="release.key")
    safeload.keygen("other", "ecdsa-p256")
    assert not accepts(public_key="other.pub")
    bundle = json.loads(Path("m/model.sig").read_bytes())
    safeload.dump([2], "m/m.safeload", signer="team.key")
    safeload.export_oms("m/m.safeload", "new.sig", signer="other.key")
    forged = json.loads(Path("new.sig").read_bytes())
    forged["verificationMaterial"] = bundle["verificationMaterial"]
    Path("m/model.sig").write_text(json.dumps(forged))
    assert not accepts()


def test_other_files_of_the_folder_are_not_vouched_for(
    accepts: Callable[..., bool], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("m/README").write_text("not signed")
    outcome = run(capsys, "export-oms m/m.safeload --key release.key")
    assert outcome.code == 0
    assert "hint: it does not sign README; verify with --ignore_unsigned_files" in outcome.err
    assert not accepts()
    assert accepts("--ignore_unsigned_files")


def test_a_further_signature_on_the_artifact_comes_before_the_export(accepts: Callable[..., bool]) -> None:
    safeload.export_oms("m/m.safeload", signer="release.key")
    safeload.sign("m/m.safeload", signer="release.key")
    assert not accepts()
    safeload.export_oms("m/m.safeload", signer="release.key")
    assert accepts()


def test_the_bundle_may_lie_elsewhere_and_a_link_means_the_file(accepts: Callable[..., bool]) -> None:
    Path("link").symlink_to("m/m.safeload")
    safeload.export_oms("link", "elsewhere.sig", signer="release.key")
    assert accepts(signature="elsewhere.sig")
    assert safeload.export_oms("link", signer="release.key").samefile("m/model.sig")


@pytest.mark.parametrize("kind", ["ed25519", "ml-dsa-65", "ed25519+ml-dsa-65", "hmac"])
def test_another_kind_of_key_is_refused_with_the_command_that_makes_one(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = safeload.keygen("other", kind).paths[0]
    with pytest.raises(AlgorithmError, match="takes ECDSA keys") as caught:
        safeload.export_oms("m/m.safeload", signer=secret)
    assert "safeload keygen release --type ecdsa-p256" in caught.value.hint
    assert run(capsys, f"export-oms m/m.safeload --key {secret}").code == 2
    assert os.listdir("m") == ["m.safeload"]  # noqa: PTH208


def test_nobody_vouches_for_bytes_that_the_manifest_does_not_describe(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(Path("m/m.safeload").read_bytes())
    data[4096] ^= 1
    Path("m/m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.export_oms("m/m.safeload", signer="release.key")
    assert run(capsys, "export-oms m/m.safeload --key release.key").code == 1
    Path("m/m.safeload").write_bytes(data + b"x")
    with pytest.raises(FormatError):
        safeload.export_oms("m/m.safeload", signer="release.key")
    with pytest.raises(NotAnArtifactError):
        safeload.export_oms("team.pub", signer="release.key")
    assert os.listdir("m") == ["m.safeload"]  # noqa: PTH208


def test_the_digest_is_that_of_the_file_whatever_its_size(accepts: Callable[..., bool]) -> None:
    for size in (0, 1, (4 << 20) - 1, 4 << 20, (16 << 20) + 1, 37 << 20):
        Path("weights").write_bytes((b"no model" * (5 << 20))[:size])
        safeload.pack("weights", "m/m.safeload", signer="team.key")
        safeload.sign("m/m.safeload", signer="release.key")
        safeload.export_oms("m/m.safeload", signer="release.key")
        assert signed_digest() == hashlib.sha256(Path("m/m.safeload").read_bytes()).hexdigest()
    assert accepts()


def test_whoever_changes_the_file_meanwhile_gets_no_signature_on_the_change(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Path("m/m.safeload").read_bytes()
    read_into = FileSource.read_into

    def then_change(self: FileSource, offset: int, view: memoryview) -> None:
        """Whatever was read stands otherwise in the file from then on, in place."""
        read_into(self, offset, view)
        with Path("m/m.safeload").open("r+b") as file:
            file.seek(offset)
            file.write(bytes(len(view)))

    monkeypatch.setattr(FileSource, "read_into", then_change)
    safeload.export_oms("m/m.safeload", signer="release.key")
    assert Path("m/m.safeload").read_bytes() != good
    assert signed_digest() == hashlib.sha256(good).hexdigest()


def test_neither_the_artifact_nor_a_key_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("m/m.safeload").read_bytes()
    with pytest.raises(ValueError, match="would replace the artifact"):
        safeload.export_oms("m/m.safeload", "m/../m/m.safeload", signer="release.key")
    assert run(capsys, "export-oms m/m.safeload -o m/m.safeload --key release.key").code == 2
    assert run(capsys, "export-oms m/m.safeload -o team.key --key release.key").code == 2
    assert Path("m/m.safeload").read_bytes() == before
    assert safeload.Signer.from_file("team.key")


def test_a_signer_of_ones_own_says_no_public_key(folder: Path) -> None:
    inner = safeload.Signer.from_file("release.key")

    class Remote(safeload.Signer):
        keyid, algorithm = inner.keyid, inner.algorithm

        def sign(self, message: bytes) -> bytes:
            return inner.sign(message)

    with pytest.raises(TypeError, match="the bundle names the public key"):
        safeload.export_oms("m/m.safeload", signer=Remote())


def test_machines_are_told_where_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(capsys, "export-oms m/m.safeload --key release.key --json")
    keyid = safeload.TrustStore.from_file("release.pub").keys[0].keyid
    assert json.loads(outcome.out) == {
        "file": "m/m.safeload",
        "signature": "m/model.sig",
        "keyid": keyid,
        "algorithm": "ecdsa-p256-sha256",
    }


def test_a_name_that_is_no_text_is_misuse(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"m/\xff.safeload")
    shutil.copy("m/m.safeload", name)
    outcome = run(capsys, f"export-oms {name} --key release.key")
    assert (outcome.code, outcome.out) == (2, "")
    assert "must be valid Unicode" in outcome.err
