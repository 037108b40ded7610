"""Each recipe of docs/interop.md, run as it stands there with the programs themselves; and that they can say no."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from cryptography.hazmat.primitives import serialization

from programs import absent
from safeload.keys import public_keyid
from safeload.keys.trusted import read_trusted_key

pytestmark = pytest.mark.once

PAGE = (Path(__file__).parent.parent / "docs" / "interop.md").read_text("utf-8")
KEYS = ("team.pub", "release.pub")
NEWER_OPENSSL = "With OpenSSL 3.5:"


def blocks(title: str) -> list[tuple[str, str]]:
    """(language, code) of the blocks under the heading `title`; without one, those before the first heading."""
    _, *sections = re.split(r"^## ", f"## \n{PAGE}", flags=re.MULTILINE)
    (section,) = [section for section in sections if section.split("\n", 1)[0].strip() == title]
    return re.findall(r"^```(sh|python)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Desk:
    """A folder in which the blocks run, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = str(Path(sys.executable).parent)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}

    def run(self, language: str, code: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def follow(self, title: str, *, most: int = 99) -> str:
        """Run the first `most` blocks under `title`; the Python ones are one program. Gives what they printed."""
        found = blocks(title)[:most]
        assert found
        said = ""
        for language, code in found:
            if language == "sh":
                said += self.worked("sh", code)
        if python := "\n".join(code for language, code in found if language == "python"):
            said += self.worked("python", python)
        return said

    def worked(self, language: str, code: str) -> str:
        done = self.run(language, code)
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    joblib.dump({"weights": list(range(1000))}, folder / "model.joblib")
    desk = Desk(folder)
    desk.follow("")
    desk.follow("Take a file apart")
    return folder


@pytest.fixture
def desk(_made: Path, tmp_path: Path) -> Desk:
    for program in ("openssl", "ssh-keygen", "sha256sum"):
        if shutil.which(program) is None:
            absent(program, "apt-get install openssl openssh-client coreutils")
    shutil.copytree(_made, tmp_path / "desk")
    return Desk(tmp_path / "desk")


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_every_block_of_the_page_is_run_by_a_test() -> None:
    titles = ["", "Take a file apart", "openssl", "ssh-keygen", "securesystemslib: DSSE", "OpenSSF Model Signing"]
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == titles[1:]
    assert sum(len(blocks(title)) for title in titles) == PAGE.count("\n```sh\n") + PAGE.count("\n```python\n")


def test_the_pieces_are_those_of_the_file_and_the_payload_is_checked(desk: Desk) -> None:
    names = {path.name for path in desk.folder.glob("*.sig")}
    assert names == {f"{public_keyid(read_trusted_key(desk.folder / name).public)}.sig" for name in KEYS}
    check = "python3 payload.py churn.safeload"
    desk.worked("sh", check)
    flip(desk.folder / "churn.safeload", 5000)
    assert "the payload is not what was signed" in desk.run("sh", check).stderr


def test_openssl_verifies_what_both_keys_signed(desk: Desk) -> None:
    assert desk.follow("openssl", most=1) == "Signature Verified Successfully\nVerified OK\n"
    functions, *commands = blocks("openssl")[0][1].splitlines()
    flip(desk.folder / "pae.bin")
    for command in commands:
        assert desk.run("sh", f"{functions}\n{command}").returncode != 0


def test_openssl_verifies_ml_dsa_where_it_knows_it(desk: Desk) -> None:
    assert NEWER_OPENSSL in PAGE
    version = re.findall(r"OpenSSL (\d+)\.(\d+)", desk.worked("sh", "openssl version"))[0]
    if tuple(map(int, version)) < (3, 5):
        pytest.skip("this openssl is older than 3.5, which knows ML-DSA first")
    assert "Signature Verified Successfully" in desk.worked(*blocks("openssl")[1])


def test_ssh_keygen_verifies_what_the_same_key_signed_beside_the_file(desk: Desk) -> None:
    said = desk.follow("ssh-keygen")
    assert 'Good "safeload" signature for team with ED25519 key' in said
    assert 'Good "safeload" signature for bob with ECDSA key' in said
    verify = "ssh-keygen -Y verify -f allowed_signers -I {} -n {} -s churn.safeload.sig < churn.safeload"
    desk.worked("sh", verify.format("team", "safeload"))
    for name, namespace in (("bob", "safeload"), ("ada", "safeload"), ("team", "file")):
        assert desk.run("sh", verify.format(name, namespace)).returncode != 0
    flip(desk.folder / "churn.safeload")
    assert desk.run("sh", verify.format("team", "safeload")).returncode != 0


def test_the_line_made_of_a_pem_is_that_of_the_same_key(desk: Desk) -> None:
    desk.follow("ssh-keygen")
    key = serialization.load_pem_private_key((desk.folder / "team.key").read_bytes(), None)
    form = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    (desk.folder / "id").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    (desk.folder / "id").chmod(0o600)
    sign = "ssh-keygen -q -Y sign -f id -n safeload < churn.safeload > ada.sig"
    verify = "ssh-keygen -Y verify -f allowed_signers -I ada -n safeload -s ada.sig < churn.safeload"
    assert 'Good "safeload" signature for ada' in desk.worked("sh", f"{sign}\n{verify}")


def test_securesystemslib_verifies_envelopes_beside_the_file_and_of_its_records(desk: Desk) -> None:
    assert desk.follow("securesystemslib: DSSE").endswith("1 signed\n2 signed\n")
    python = "\n".join(code for language, code in blocks("securesystemslib: DSSE") if language == "python")
    flip(next(desk.folder.glob(f"{public_keyid(read_trusted_key(desk.folder / 'team.pub').public)}.sig")))
    refused = desk.run("python", python)
    assert (refused.stdout, "Found: 1, Expected 2" in refused.stderr) == ("1 signed\n", True)
    refused = desk.run("python", python.replace('trusted("eve.pub")', 'trusted("team.pub")'))
    assert (refused.stdout, "Found: 0, Expected 1" in refused.stderr) == ("", True)


def test_one_key_under_two_ids_is_one_where_key_material_is_counted(desk: Desk) -> None:
    desk.follow("securesystemslib: DSSE")
    first = next(code for language, code in blocks("securesystemslib: DSSE") if language == "python")
    twice = """
from securesystemslib.signer import Signature
(signature,) = envelope.signatures.values()
key = trusted("eve.pub")
other = SSlibKey("another", key.keytype, key.scheme, key.keyval)
envelope.signatures["another"] = Signature("another", signature.signature)
accepted = envelope.verify([key, other], threshold=2)
print(len(accepted), len({key.keyval["public"] for key in accepted.values()}))
"""
    assert desk.worked("python", first + twice) == "1 signed\n2 1\n"


def test_model_signing_accepts_the_folder(desk: Desk) -> None:
    if not Path(sys.executable).with_name("model_signing").exists():
        absent("model_signing", "pip install 'safeload[test]'")
    assert desk.follow("OpenSSF Model Signing").endswith("Verification succeeded\n")
    flip(desk.folder / "release" / "churn.safeload")
    verify = blocks("OpenSSF Model Signing")[0][1].splitlines()[-1]
    assert desk.run("sh", verify).returncode != 0
