"""What SECURITY.md says of algorithms is what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import safeload
from safeload.hazmat import kinds
from safeload.keys import ALGORITHMS, HMAC_SHA256, NUMBERS
from test_cli_desk import lay

PAGE = (Path(__file__).parent.parent / "SECURITY.md").read_text("utf-8")
# Whoever asks for one of these gets an error instead.
WITHOUT = """
import hashlib, sys
sys.modules["blake3"] = None
def refused(*arguments, **options):
    raise AssertionError("not approved")
hashlib.scrypt = refused
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.kdf import argon2, scrypt
x25519.X25519PrivateKey = argon2.Argon2id = scrypt.Scrypt = refused
from safeload.cli import main
sys.exit(main(sys.argv[1:]))
"""


def row(name: str) -> list[str]:
    (found,) = re.findall(rf"^\| `{re.escape(name)}` \|(.*)\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def numbers(cell: str) -> list[int]:
    return [int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", cell)]


@pytest.mark.parametrize("name", list(NUMBERS))
def test_the_sizes_of_the_page_are_those_of_the_code(name: str) -> None:
    public, secret, signature, *_ = row(name)
    known = ALGORITHMS[NUMBERS[name]]
    assert numbers(signature) == sorted({known.least, known.most})
    if name == HMAC_SHA256:
        assert (public, numbers(secret)) == ("-", [32])
        return
    parts = [kinds.KINDS[part] for part in kinds.PAIRS.get(name, (name,))]
    assert numbers(public) == [sum(part.public_bytes for part in parts)]
    assert numbers(secret) == [sum(part.secret_bytes for part in parts)]


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ed25519", "ml-dsa-65"])
def test_a_file_is_made_and_verified_with_approved_algorithms_only(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, monkeypatch)
    for command in (
        f"keygen release --type {kind}",
        "pack m.joblib -o n.safeload --key release.key --digest sha256",
        "verify n.safeload --trust release.pub",
        "unpack n.safeload --trust release.pub -o back",
    ):
        done = subprocess.run([sys.executable, "-c", WITHOUT, *command.split()], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
    assert Path("back").read_bytes() == Path("m.joblib").read_bytes()


def test_a_key_that_openssl_encrypted_by_pbkdf2_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, monkeypatch)
    safeload.keygen("release", "ecdsa-p256")
    (options,) = re.findall(r"`openssl (pkcs8 -topk8 [^`]*)`", PAGE)
    command = ["openssl", *options.split(), "-in", "release.key", "-passout", "pass:sesame", "-out", "locked"]
    subprocess.run(command, check=True, capture_output=True)
    Path("locked").chmod(0o600)
    assert safeload.Signer.from_file("locked", "sesame").keyid == safeload.Signer.from_file("release.key").keyid
