"""Several signatures, and other programs' view of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest

import safeload
from safeload.container.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from safeload.errors import (
    AlreadySignedError,
    BadSignatureError,
    DigestMismatchError,
    UnsignedError,
    UntrustedSignerError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys


@pytest.fixture
def signed(tmp_path: Path, team: Keys) -> Path:
    safeload.dump({"a": [1, 2, 3]}, tmp_path / "m.safeload", signer=team.key)
    return tmp_path / "m.safeload"


def test_openssl_verifies_a_signature_over_the_pae_bytes(signed: Path, team: Keys, tmp_path: Path) -> None:
    opened = safeload.inspect(signed)
    pae, signature = tmp_path / "pae", tmp_path / "sig"
    pae.write_bytes(pre_authentication_encoding(opened.manifest_bytes))
    signature.write_bytes(opened.records[0].signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(team.pub), "-rawin"]
    command += ["-in", str(pae), "-sigfile", str(signature)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    pae.write_bytes(pae.read_bytes() + b" ")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


def test_the_pre_authentication_encoding_is_that_of_the_specification() -> None:
    assert pre_authentication_encoding(b"{}") == b"DSSEv1 %d %s 2 {}" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())


def test_a_second_signature_lets_either_signer_be_trusted(signed: Path, team: Keys, stranger: Keys) -> None:
    safeload.sign(signed, signer=stranger.key)
    assert [key.name for key in safeload.verify(signed, trust=team.pub).signers] == ["team"]
    assert [key.name for key in safeload.verify(signed, trust=stranger.pub).signers] == ["stranger"]


def test_a_further_signature_changes_no_byte_before_it(signed: Path, stranger: Keys) -> None:
    before = signed.read_bytes()
    safeload.sign(signed, signer=stranger.key)
    assert signed.read_bytes()[: len(before)] == before


def test_a_key_signs_once(signed: Path, team: Keys) -> None:
    before = signed.read_bytes()
    with pytest.raises(AlreadySignedError):
        safeload.sign(signed, signer=team.key)
    assert signed.read_bytes() == before


def test_nobody_countersigns_bytes_that_the_manifest_does_not_describe(signed: Path, stranger: Keys) -> None:
    data = bytearray(signed.read_bytes())
    data[4096] ^= 1
    signed.write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.sign(signed, signer=stranger.key)
    assert signed.read_bytes() == data


def test_two_signers_at_once_both_get_their_signature_in(signed: Path, team: Keys, tmp_path: Path) -> None:
    names = [f"signer{number}" for number in range(6)]
    for name in names:
        safeload.keygen(tmp_path / name)
    code = "import sys, safeload; safeload.sign(sys.argv[1], signer=sys.argv[2])"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(signed), str(tmp_path / f"{name}.key")]) for name in names
    ]
    assert [process.wait() for process in running] == [0] * len(names)
    assert len(safeload.inspect(signed).records) == 1 + len(names)
    for name in names:
        safeload.verify(signed, trust=tmp_path / f"{name}.pub").close()


def test_an_unknown_signer_is_named(signed: Path, stranger: Keys, team: Keys) -> None:
    with pytest.raises(UntrustedSignerError) as caught:
        safeload.verify(signed, trust=stranger.pub)
    assert caught.value.keyids == (safeload.TrustStore.from_file(team.pub).keys[0].keyid,)
    assert "m.safeload is signed by" in str(caught.value)


def test_a_stripped_signature_is_refused(signed: Path, team: Keys) -> None:
    layout = safeload.inspect(signed).layout
    signed.write_bytes(signed.read_bytes()[: layout.records_off])
    with pytest.raises(UnsignedError):
        safeload.load(signed, trust=team.pub)


def test_a_bad_signature_of_a_trusted_key_is_refused_whatever_others_say(
    signed: Path, team: Keys, stranger: Keys, tmp_path: Path
) -> None:
    safeload.sign(signed, signer=stranger.key)
    data = bytearray(signed.read_bytes())
    data[-1] ^= 1
    signed.write_bytes(data)
    folder = tmp_path / "keys"
    folder.mkdir()
    for each in (team.pub, stranger.pub):
        shutil.copy(each, folder)
    with pytest.raises(BadSignatureError):
        safeload.verify(signed, trust=folder)
    assert safeload.load(signed, trust=team.pub) == {"a": [1, 2, 3]}


def test_an_hmac_key_signs_and_verifies_when_it_is_named(tmp_path: Path) -> None:
    safeload.keygen(tmp_path / "shared", kind="hmac")
    safeload.dump([1], tmp_path / "m.safeload", signer=tmp_path / "shared.hmac")
    assert safeload.load(tmp_path / "m.safeload", trust=tmp_path / "shared.hmac") == [1]


def test_accepting_anybody_warns_and_names_no_signer(signed: Path) -> None:
    with pytest.warns(UserWarning, match="unsafe_accept_any"):
        trust = safeload.TrustStore.unsafe_accept_any()
    with safeload.verify(signed, trust=trust) as artifact:
        assert artifact.signers == ()
        assert artifact.load() == {"a": [1, 2, 3]}


def test_a_signer_of_ones_own_needs_three_things(tmp_path: Path, team: Keys) -> None:
    inner = safeload.Signer.from_file(team.key)

    class Remote(safeload.Signer):
        keyid, algorithm = inner.keyid, inner.algorithm

        def sign(self, message: bytes) -> bytes:
            return inner.sign(message)

    safeload.dump([1], tmp_path / "m.safeload", signer=Remote())
    assert safeload.load(tmp_path / "m.safeload", trust=team.pub) == [1]


def test_an_artifact_outlives_what_it_was_verified_from(signed: Path, team: Keys) -> None:
    with safeload.inspect(signed) as unverified:
        artifact = unverified.verify(safeload.TrustStore.from_file(team.pub))
    with artifact:
        assert artifact.load() == {"a": [1, 2, 3]}


def test_a_refusal_is_logged(signed: Path, stranger: Keys, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UntrustedSignerError):
        safeload.load(signed, trust=stranger.pub)
    assert any("refused" in record.message and "m.safeload" in record.message for record in caplog.records)


def test_what_a_caller_does_to_a_manifest_is_seen_by_nobody_else(tmp_path: Path, team: Keys) -> None:
    """Manifests of the same bytes are parsed once."""
    path = tmp_path / "m.safeload"
    safeload.dump([1.0], path, signer=team.key, metadata={"a": {"b": [1, {"c": 2}]}})
    first = safeload.verify(path, trust=team.pub).manifest
    first.metadata["a"]["b"][1]["c"] = 3
    first.metadata["a"]["d"] = 4
    cast("dict[str, str]", first.environment.distributions)["numpy"] = "0"
    secret = tmp_path / "secret.safeload"
    safeload.dump([1.0], secret, signer=team.key, passphrase="correct horse")
    encryption = safeload.verify(secret, trust=team.pub).manifest.encryption
    assert encryption is not None
    cast("dict[str, str]", encryption.recipients[0]).clear()
    assert safeload.load(secret, trust=team.pub, passphrase="correct horse") == [1.0]
    second = safeload.verify(path, trust=team.pub).manifest
    assert second.metadata == {"a": {"b": [1, {"c": 2}]}}
    assert "numpy" not in second.environment.distributions
    assert second == safeload.verify(path, trust=team.pub).manifest
