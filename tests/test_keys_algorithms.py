"""Each algorithm that signs: its key files, its signatures, and what openssl says to both."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

import safeload
from safeload import SafeloadError, TrustStore
from safeload.errors import AlgorithmError, BadSignatureError, KeyFileError, KeyPassphraseError
from safeload.hazmat import kinds
from safeload.keys import (
    ECDSA_P256,
    ED25519,
    HYBRID,
    KEY_TYPES,
    ML_DSA_65,
    Key,
    Signer,
    TrustedKey,
    keygen,
    public_keyid,
)
from safeload.keys.trusted import read_trusted_key

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = [kind for kind in KEY_TYPES if kind != "hmac"]
MESSAGE = b"DSSEv1 ..."


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_key_of_each_kind_signs_a_file_that_its_public_half_verifies(kind: str, passphrase: str | None) -> None:
    made = keygen("team", kind, passphrase)
    signer = Signer.from_file("team.key", passphrase)
    safeload.dump([1, 2], "m.safeload", signer=signer)
    with safeload.verify("m.safeload", trust="team.pub") as artifact:
        assert [(key.algorithm, key.keyid) for key in artifact.signers] == [(KEY_TYPES[kind], made.keyid)]
        assert artifact.load() == [1, 2]
    data = bytearray(Path("m.safeload").read_bytes())
    data[-1] ^= 1
    Path("m.safeload").write_bytes(data)
    with pytest.raises(BadSignatureError):
        safeload.verify("m.safeload", trust="team.pub")


@pytest.mark.parametrize("kind", PAIRS)
def test_the_wrong_passphrase_opens_no_key(kind: str) -> None:
    keygen("team", kind, "correct horse")
    with pytest.raises(KeyPassphraseError):
        Signer.from_file("team.key", "wrong")


@pytest.mark.parametrize("kind", PAIRS)
def test_one_key_signs_and_no_other_key_of_its_kind_verifies(kind: str) -> None:
    keygen("one", kind)
    keygen("other", kind)
    signature = Signer.from_file("one.key").sign(MESSAGE)
    assert read_trusted_key("one.pub").verify(MESSAGE, signature)
    assert not read_trusted_key("one.pub").verify(MESSAGE + b"!", signature)
    assert not read_trusted_key("other.pub").verify(MESSAGE, signature)


def test_a_hybrid_signature_holds_only_if_both_parts_do() -> None:
    """Whoever breaks one algorithm, or has one of the two keys, still cannot sign."""
    keygen("both", "ed25519+ml-dsa-65")
    keygen("thief", "ed25519+ml-dsa-65")
    key = read_trusted_key("both.pub")
    good = Signer.from_file("both.key").sign(MESSAGE)
    other = Signer.from_file("thief.key").sign(MESSAGE)
    assert key.verify(MESSAGE, good)
    for forged in (
        good[:64] + other[64:],
        other[:64] + good[64:],
        good[:64],
        good[64:],
        good + b"!",
        good[64:] + good[:64],
    ):
        assert not key.verify(MESSAGE, forged)


def test_a_hybrid_is_two_ordinary_pem_blocks_in_order() -> None:
    keygen("both", "ed25519+ml-dsa-65")
    text = Path("both.pub").read_text()
    first, second = text.split("-----END PUBLIC KEY-----\n")[:2]
    Path("swapped.pub").write_text(f"{second}-----END PUBLIC KEY-----\n{first}-----END PUBLIC KEY-----\n")
    with pytest.raises(KeyFileError, match="holds 2 keys, ML-DSA-65 and Ed25519"):
        read_trusted_key("swapped.pub")
    Path("half.pub").write_text(f"{first}-----END PUBLIC KEY-----\n")
    half, both = read_trusted_key("half.pub"), read_trusted_key("both.pub")
    assert (half.algorithm, both.algorithm) == (ED25519, HYBRID)
    assert both.material.startswith(half.material)
    assert half.keyid != both.keyid


def test_openssl_reads_an_ecdsa_pair_and_verifies_what_it_signs() -> None:
    keygen("team", "ecdsa-p256")
    assert openssl("pkey", "-in", "team.key", "-pubout") == Path("team.pub").read_bytes()
    Path("m").write_bytes(MESSAGE)
    Path("s").write_bytes(Signer.from_file("team.key").sign(MESSAGE))
    assert b"Verified OK" in openssl("dgst", "-sha256", "-verify", "team.pub", "-signature", "s", "m")


@pytest.mark.parametrize("form", ["uncompressed", "compressed"])
def test_a_pair_that_openssl_made_signs_and_has_one_keyid(form: str) -> None:
    """A compressed point is another spelling of the same key; with two keyids it would count twice."""
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "team.key")
    Path("team.key").chmod(0o600)
    openssl("ec", "-in", "team.key", "-pubout", "-conv_form", form, "-out", "team.pub")
    key = read_trusted_key("team.pub")
    signer = Signer.from_file("team.key")
    assert key.keyid == signer.keyid
    assert key.verify(MESSAGE, signer.sign(MESSAGE))
    Path("m").write_bytes(MESSAGE)
    openssl("dgst", "-sha256", "-sign", "team.key", "-out", "s", "m")
    assert key.verify(MESSAGE, Path("s").read_bytes())


def test_the_old_format_of_openssl_is_named_with_the_command_that_converts_it() -> None:
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "old.key")
    Path("old.key").chmod(0o600)
    with pytest.raises(KeyFileError, match="old format of OpenSSL") as caught:
        Signer.from_file("old.key")
    command = caught.value.hint.split()
    subprocess.run(command, check=True)
    Path("team.key").chmod(0o600)
    assert Signer.from_file("team.key").algorithm == ECDSA_P256


def test_a_key_of_openssh_that_pem_could_hold_says_how() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    Path("id.pub").write_bytes(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    with pytest.raises(AlgorithmError) as caught:
        read_trusted_key("id.pub")
    assert "ssh-keygen -e -m PKCS8" in caught.value.hint


def _off_curve(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


@pytest.mark.parametrize(
    "change",
    [_off_curve, lambda raw: bytes([2]) + raw[1:33], lambda raw: bytes(65), lambda raw: raw[:1] + b"\xff" * 64],
    ids=["off the curve", "compressed", "zero", "too large"],
)
def test_a_point_that_is_none_is_no_key(change: Callable[[bytes], bytes]) -> None:
    public = kinds.public_key(kinds.new_secret(ECDSA_P256))
    with pytest.raises(ValueError, match="the key"):
        TrustedKey(ECDSA_P256, change(public.raw), "a")


@given(st.binary(max_size=100))
def test_no_bytes_but_a_signature_verify_and_none_crash(signature: bytes) -> None:
    for algorithm in (ECDSA_P256, ED25519, ML_DSA_65, HYBRID):
        assert not kinds.verify(KEYS[algorithm], MESSAGE, signature)


KEYS = {name: kinds.public_key(kinds.new_secret(name)) for name in (ECDSA_P256, ED25519, ML_DSA_65, HYBRID)}


def test_ecdsa_takes_one_spelling_of_the_two_integers() -> None:
    """Another DER of the same numbers would be another file with the same signature."""
    secret = kinds.new_secret(ECDSA_P256)
    public = kinds.public_key(secret)
    signature = next(s for s in iter(lambda: kinds.sign(secret, MESSAGE), b"") if len(s) < 72)
    r_length = signature[3]
    longer = bytes([0x30, signature[1] + 1, 2, r_length + 1, 0]) + signature[4:]
    assert kinds.verify(public, MESSAGE, signature)
    for odd in (signature + b"\0", longer, b"\x30\x81" + signature[1:], bytes(8), b"\x30\x06\x02\x01\0\x02\x01\0"):
        assert not kinds.verify(public, MESSAGE, odd)


@pytest.mark.parametrize("kind", PAIRS)
def test_the_file_never_chooses_the_algorithm(kind: str) -> None:
    """A record that calls itself something else than the trusted key is bad, whatever it holds."""
    keygen("team", kind)
    safeload.dump(1, "m.safeload", signer="team.key")
    data = bytearray(Path("m.safeload").read_bytes())
    keyid = bytes.fromhex(read_trusted_key("team.pub").keyid)
    at = data.rindex(keyid) - 9
    for number in range(1, 8):
        forged = data.copy()
        forged[at + 2 : at + 4] = number.to_bytes(2, "little")
        Path("forged.safeload").write_bytes(forged)
        if forged == data:
            continue
        with pytest.raises(BadSignatureError):
            safeload.verify("forged.safeload", trust=TrustStore.from_file("team.pub"))


def test_keyids_are_those_of_the_document() -> None:
    import hashlib

    keygen("both", "ed25519+ml-dsa-65")
    der = b"".join(
        openssl_der(part) for part in Path("both.pub").read_text().split("-----END PUBLIC KEY-----\n") if part
    )
    assert (
        read_trusted_key("both.pub").keyid
        == hashlib.sha256(der).hexdigest()
        == public_keyid(Key(HYBRID, read_trusted_key("both.pub").material))
    )


def openssl_der(part: str) -> bytes:
    import base64

    return base64.b64decode("".join(part.splitlines()[1:]))


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n" * 2])
def test_a_broken_hybrid_file_is_a_key_file_error(data: bytes) -> None:
    Path("x.key").write_bytes(data)
    Path("x.key").chmod(0o600)
    with pytest.raises(SafeloadError):
        Signer.from_file("x.key")
