"""Keys for encryption on disk, and file keys wrapped for them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import safeload
from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError
from safeload.hazmat import encryption_keyfiles, encryption_keys, wrapping
from safeload.hazmat.encryption_keys import HYBRID, X25519

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

KINDS = [X25519, HYBRID]
SEED, FILE_KEY, INFO = bytes(range(32)), bytes(range(32, 64)), b"info"
CHEAP = wrapping.Costs(memory=64, passes=1, lanes=1)
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_a_key_pair_comes_back_from_its_files(kind: str) -> None:
    public = encryption_keys.public_bytes(kind, SEED)
    assert encryption_keyfiles.load_public(encryption_keyfiles.public_pem(kind, public), "m.recipient") == (
        kind,
        public,
    )
    assert encryption_keyfiles.load_private(encryption_keyfiles.private_pem(kind, SEED, None), "m", None) == (
        kind,
        SEED,
    )
    locked = encryption_keyfiles.private_pem(kind, SEED, b"secret")
    assert encryption_keyfiles.load_private(locked, "m", b"secret") == (kind, SEED)
    for wrong in (b"Secret", None, b""):
        with pytest.raises(KeyPassphraseError):
            encryption_keyfiles.load_private(locked, "m", wrong)


def test_x25519_files_are_those_of_rfc_8410() -> None:
    key = serialization.load_pem_private_key(encryption_keyfiles.private_pem(X25519, SEED, None), None)
    assert isinstance(key, X25519PrivateKey)
    assert key.private_bytes_raw() == SEED
    assert key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    ) == encryption_keyfiles.public_der(X25519, encryption_keys.public_bytes(X25519, SEED))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_reads_an_encrypted_identity(tmp_path: Path) -> None:
    path = tmp_path / "m.identity"
    path.write_bytes(encryption_keyfiles.private_pem(X25519, SEED, b"secret"))
    command = ["openssl", "pkey", "-in", str(path), "-passin", "pass:secret", "-pubout"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    assert encryption_keyfiles.load_public(shown, "m")[1] == encryption_keys.public_bytes(X25519, SEED)


def test_the_hybrid_is_x_wing() -> None:
    expanded = hashlib.shake_256(SEED).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key().public_bytes_raw()
    x25519 = X25519PrivateKey.from_private_bytes(expanded[64:]).public_key().public_bytes_raw()
    assert encryption_keys.public_bytes(HYBRID, SEED) == mlkem + x25519


@each_kind
def test_only_the_right_key_and_info_open_a_wrap(kind: str) -> None:
    public = encryption_keys.public_bytes(kind, SEED)
    enc, wrapped = wrapping.seal_for(kind, public, FILE_KEY, INFO)
    assert (len(enc), len(wrapped)) == (wrapping.ENC_BYTES[kind], 48)
    assert wrapping.open_for(kind, SEED, enc, wrapped, INFO) == FILE_KEY
    assert wrapping.open_for(kind, bytes(32), enc, wrapped, INFO) is None
    assert wrapping.open_for(kind, SEED, enc, wrapped, b"other") is None
    assert wrapping.open_for(kind, SEED, enc + wrapped[:1], wrapped[1:], INFO) is None
    assert wrapping.open_for(kind, SEED, enc, b"", INFO) is None
    assert wrapping.open_for(kind, SEED, bytes(len(enc)), wrapped, INFO) is None
    for other in KINDS:
        if other != kind:
            assert wrapping.open_for(other, SEED, enc, wrapped, INFO) is None


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=30, deadline=None)
def test_only_the_right_passphrase_and_info_open_a_wrap(passphrase: bytes, info: bytes) -> None:
    salt = bytes(16)
    wrapped = wrapping.seal_with(b"right", FILE_KEY, salt, CHEAP, INFO)
    assert wrapping.open_with(b"right", wrapped, salt, CHEAP, INFO) == FILE_KEY
    assert (wrapping.open_with(passphrase, wrapped, salt, CHEAP, INFO) is not None) == (passphrase == b"right")
    assert (wrapping.open_with(b"right", wrapped, salt, CHEAP, info) is not None) == (info == INFO)
    assert wrapping.open_with(b"right", wrapped, bytes(15) + b"1", CHEAP, INFO) is None


def test_a_signature_key_does_not_encrypt_and_an_encryption_key_does_not_sign(team: Keys, tmp_path: Path) -> None:
    with pytest.raises(AlgorithmError, match="another key") as caught:
        encryption_keyfiles.load_public(team.pub.read_bytes(), "team.pub")
    assert "keygen" in caught.value.hint
    for kind in KINDS:
        private, public = safeload.keygen(tmp_path / kind, kind).paths
        with pytest.raises(KeyFileError):
            safeload.TrustStore.from_file(public)
        with pytest.raises(KeyFileError):
            safeload.Signer.from_file(private)


def test_a_pair_of_signing_keys_in_one_file_is_no_recipient(tmp_path: Path) -> None:
    public = safeload.keygen(tmp_path / "pair", "ed25519+ml-dsa-65").paths[1]
    with pytest.raises(AlgorithmError, match="another key"):
        safeload.Recipient.from_file(public)


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31)])
def test_a_point_of_small_order_is_no_recipient(point: bytes) -> None:
    with pytest.raises(KeyFileError, match="damaged"):
        encryption_keyfiles.load_public(encryption_keyfiles.public_pem(X25519, point), "m.recipient")


def test_each_half_says_where_the_other_one_is() -> None:
    public = encryption_keyfiles.public_pem(X25519, encryption_keys.public_bytes(X25519, SEED))
    private = encryption_keyfiles.private_pem(X25519, SEED, None)
    with pytest.raises(KeyFileError, match="private key") as caught:
        encryption_keyfiles.load_public(private, "m.identity")
    assert "recipient" in caught.value.hint
    with pytest.raises(KeyFileError, match="public key") as caught:
        encryption_keyfiles.load_private(public, "m.recipient", None)
    assert "identity" in caught.value.hint
    for bad in (b"", b"age1xyz", public + public, public.replace(b"PUBLIC KEY", b"CERTIFICATE")):
        with pytest.raises(KeyFileError):
            encryption_keyfiles.load_public(bad, "m.recipient")
