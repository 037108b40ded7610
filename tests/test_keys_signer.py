"""Signers: from files, from the environment, and of the caller's own."""

from __future__ import annotations

import copy
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError, NoSignerError, NoTrustError
from safeload.keys import (
    ALGORITHMS,
    ED25519,
    NUMBERS,
    HmacSigner,
    Key,
    KeySigner,
    Signer,
    TrustStore,
    algorithm_name,
    keygen,
    signer_from,
    trust_from,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("SAFELOAD_KEY", "SAFELOAD_TRUST", "SAFELOAD_KEY_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "ending", "algorithm", "size"), [("ed25519", "key", "ed25519", 64), ("hmac", "hmac", "hmac-sha256", 32)]
)
def test_what_a_key_file_signs_its_trusted_half_verifies(kind: str, ending: str, algorithm: str, size: int) -> None:
    made = keygen("team", kind=kind)
    signer = Signer.from_file(f"team.{ending}")
    assert (signer.algorithm, signer.keyid) == (algorithm, made.keyid)
    signature = signer.sign(b"message")
    assert len(signature) == size == ALGORITHMS[NUMBERS[algorithm]].most
    (key,) = TrustStore.from_file(made.paths[-1]).keys
    assert key.verify(b"message", signature)
    assert not key.verify(b"massage", signature)


@pytest.mark.parametrize("passphrase", ["secret", b"secret", "pässwörd"])
def test_an_encrypted_key_signs_with_its_passphrase(passphrase: str | bytes) -> None:
    made = keygen("team", passphrase=passphrase)
    assert Path("team.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert Signer.from_file("team.key", passphrase).keyid == made.keyid


def test_the_passphrase_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = keygen("team", "ed25519", "secret")
    with pytest.raises(KeyPassphraseError, match="no passphrase was given"):
        Signer.from_file("team.key")
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", "secret")
    assert Signer.from_file("team.key").keyid == made.keyid
    with pytest.raises(KeyPassphraseError, match="does not open"):
        Signer.from_file("team.key", "what was passed comes first")
    monkeypatch.setenv("SAFELOAD_KEY_PASSPHRASE", "")
    with pytest.raises(KeyPassphraseError, match="no passphrase was given"):
        Signer.from_file("team.key")


def test_a_passphrase_that_is_not_utf_8_comes_through_the_environment() -> None:
    made = keygen("team", passphrase=b"p\xe4ss")
    assert Signer.from_file("team.key", os.fsdecode(b"p\xe4ss")).keyid == made.keyid


def test_a_passphrase_that_is_no_text_is_refused_and_not_shown() -> None:
    keygen("team", "ed25519", "secret")
    with pytest.raises(KeyPassphraseError) as caught:
        Signer.from_file("team.key", "hunter2\ud800")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_public_key_does_not_sign_and_its_mode_is_not_blamed() -> None:
    keygen("team")
    with pytest.raises(KeyFileError, match=r"team\.pub is a public key, and signing takes the private one"):
        Signer.from_file("team.pub")


def test_a_key_of_another_algorithm_is_named() -> None:
    os.close(os.open("id", os.O_CREAT | os.O_WRONLY, 0o600))
    Path("id").write_bytes(b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
    with pytest.raises(AlgorithmError, match="id holds a key for RSA"):
        Signer.from_file("id")


@pytest.mark.parametrize("signer", [KeySigner(Key(ED25519, b"s" * 32)), HmacSigner(b"s" * 32)])
def test_a_signer_shows_no_secret_and_is_not_pickled(signer: Signer) -> None:
    assert repr(signer) == f"<{type(signer).__name__} {signer.keyid[:8]}...>"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="holds a secret"):
            pickle.dumps(signer, protocol)
    with pytest.raises(TypeError, match="holds a secret"):
        copy.deepcopy(signer)
    with pytest.raises(TypeError):
        vars(signer)


class Remote(Signer):
    """As a KMS would be."""

    def __init__(self, keyid: str, algorithm: str = "ed25519") -> None:
        self.keyid = keyid
        self.algorithm = algorithm

    def sign(self, message: bytes) -> bytes:
        return b"signed elsewhere: " + message


@dataclass(frozen=True)
class RemoteRecord(Signer):
    keyid: str
    algorithm: str = "ed25519"

    def sign(self, message: bytes) -> bytes:
        return message


def test_whatever_has_a_keyid_an_algorithm_and_sign_can_sign() -> None:
    for signer in (Remote("ab" * 32), RemoteRecord("ab" * 32)):
        assert signer_from(signer) is signer
        assert signer.sign(b"m").endswith(b"m")


def test_a_signer_that_the_format_has_no_place_for_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"Remote\.keyid must be 64 lower-case hexadecimal digits"):
        signer_from(Remote("AB" * 32))
    with pytest.raises(ValueError, match=r"Remote\.algorithm must be one of ed25519, hmac-sha256, ecdsa"):
        signer_from(Remote("ab" * 32, "rsa"))


def test_a_signer_without_sign_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        type("Half", (Signer,), {})()


def test_signer_from_takes_a_signer_a_path_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = keygen("team")
    for value in ("team.key", Path("team.key"), Signer.from_file("team.key")):
        assert signer_from(value).keyid == made.keyid
    monkeypatch.setenv("SAFELOAD_KEY", "team.key")
    assert signer_from(None).keyid == made.keyid


@pytest.mark.parametrize("value", [None, ""])
def test_nobody_said_who_signs(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("SAFELOAD_KEY", value)
    with pytest.raises(NoSignerError, match="SAFELOAD_KEY is not set") as caught:
        signer_from(None)
    assert "safeload keygen team" in caught.value.hint
    assert 'signer="team.key"' in caught.value.hint


def test_trust_from_takes_a_store_a_folder_a_file_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = keygen("team")
    secret = keygen("team", kind="hmac")
    Path("keys").mkdir()
    Path("keys/team.pub").write_bytes(Path("team.pub").read_bytes())
    store = TrustStore.open("keys")
    assert trust_from(store) is store
    for value in ("keys", Path("keys"), "keys/", "team.pub", Path("team.pub")):
        assert [key.keyid for key in trust_from(value).keys] == [made.keyid]
    assert [key.keyid for key in trust_from("team.hmac").keys] == [secret.keyid]
    monkeypatch.setenv("SAFELOAD_TRUST", "keys/")
    assert [key.keyid for key in trust_from(None).keys] == [made.keyid]


def test_nobody_said_whose_signatures_count() -> None:
    with pytest.raises(NoTrustError, match="SAFELOAD_TRUST is not set") as caught:
        trust_from(None)
    assert "safeload trust add team.pub --store keys/" in caught.value.hint


def test_an_empty_path_is_not_the_current_folder() -> None:
    """The current folder can be the download: a key beside the model would vouch for it."""
    keygen("mallory")
    with pytest.raises(KeyFileError, match="is empty"):
        trust_from("")
    with pytest.raises(KeyFileError, match="is empty"):
        TrustStore.open("")
    with pytest.raises(KeyFileError, match="is empty"):
        signer_from("")


@pytest.mark.parametrize("path", ["missing", "x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_is_a_key_file_error(path: str) -> None:
    for resolve in (signer_from, trust_from):
        with pytest.raises(KeyFileError, match="cannot read"):
            resolve(path)


@pytest.mark.parametrize("value", [3, b"team.key", True, ["team.key"]])
def test_another_type_is_misuse(value: object) -> None:
    with pytest.raises(TypeError, match="signer must be a Signer or a path"):
        signer_from(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="trust must be a TrustStore or a path"):
        trust_from(value)  # type: ignore[arg-type]


def test_the_table_of_algorithms_is_that_of_the_format() -> None:
    text = (Path(__file__).parent.parent / "docs" / "format.md").read_text(encoding="utf-8")
    for number, algorithm in ALGORITHMS.items():
        assert f"| {number} | `{algorithm.name}` |" in text
    assert algorithm_name(2) == "hmac-sha256"
    assert algorithm_name(77) == "algorithm 77"
