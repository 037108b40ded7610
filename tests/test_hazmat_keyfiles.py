"""Key files of OpenSSL, OpenSSH and of our own; what is refused, and how it is said."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519

from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError
from safeload.hazmat import armor, keyfiles, kinds, pkcs8, private_keys
from safeload.hazmat.kinds import ED25519, Key

SEED = Key(ED25519, bytes(range(32)))
PUBLIC = kinds.public_key(SEED)
PEM, PKCS8, PLAIN = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def run(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, PKCS8, PLAIN)


# --- what we write ----------------------------------------------------------------------------


@needs_openssl
def test_openssl_reads_a_plain_key(tmp_path: Path) -> None:
    path = tmp_path / "team.key"
    path.write_bytes(keyfiles.private_pem(SEED, None))
    assert run("openssl", "pkey", "-in", path, "-pubout") == keyfiles.public_pem(PUBLIC)


@needs_openssl
@pytest.mark.parametrize("passphrase", ["y", "two words", "pässwörd", "x" * 500])
def test_openssl_reads_an_encrypted_key_without_being_told_more_than_the_passphrase(
    tmp_path: Path, passphrase: str
) -> None:
    path = tmp_path / "team.key"
    path.write_bytes(keyfiles.private_pem(SEED, passphrase.encode()))
    plain = run("openssl", "pkey", "-in", path, "-passin", f"pass:{passphrase}")
    assert plain == keyfiles.private_pem(SEED, None)
    shown = run("openssl", "asn1parse", "-in", path)
    assert b"scrypt" in shown
    assert b"aes-256-cbc" in shown


def test_cryptography_reads_an_encrypted_key() -> None:
    key = serialization.load_pem_private_key(keyfiles.private_pem(SEED, b"y"), b"y")
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert key.private_bytes_raw() == SEED.raw


def test_our_plain_pem_is_that_of_cryptography() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED.raw)
    assert keyfiles.private_pem(SEED, None) == key.private_bytes(PEM, PKCS8, PLAIN)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    assert keyfiles.public_pem(PUBLIC) == key.public_key().public_bytes(PEM, spki)
    assert keyfiles.public_der(PUBLIC) == key.public_key().public_bytes(serialization.Encoding.DER, spki)


def test_an_encrypted_key_comes_back_and_no_two_files_are_the_same() -> None:
    first, second = keyfiles.private_pem(SEED, b"y"), keyfiles.private_pem(SEED, b"y")
    assert first != second
    assert keyfiles.load_private(first, "team.key", b"y") == SEED
    assert keyfiles.load_private(second, "team.key", b"y") == SEED


# --- what others write ------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize(
    "encryption",
    [
        [],
        ["-aes-256-cbc", "-pass", "pass:secret"],
        ["-aes-128-cbc", "-pass", "pass:secret"],
    ],
)
def test_a_key_of_openssl_signs(tmp_path: Path, encryption: list[str]) -> None:
    path, pub = tmp_path / "o.key", tmp_path / "o.pub"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", path, *encryption)
    run("openssl", "pkey", "-in", path, "-passin", "pass:secret", "-pubout", "-out", pub)
    seed = keyfiles.load_private(path.read_bytes(), "o.key", b"secret")
    assert kinds.public_key(seed) == keyfiles.load_public(pub.read_bytes(), "o.pub")


@needs_openssl
def test_openssls_own_scrypt_and_pbkdf2_are_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain.key"
    plain.write_bytes(keyfiles.private_pem(SEED, None))
    for options in (["-scrypt"], ["-v2", "aes-256-cbc", "-iter", "10000"], ["-v2prf", "hmacWithSHA512"]):
        out = tmp_path / "out.key"
        run("openssl", "pkcs8", "-topk8", "-in", plain, "-out", out, "-passout", "pass:y", *options)
        assert keyfiles.load_private(out.read_bytes(), "out.key", b"y") == SEED


@needs_openssl
def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    for name, data in (("m", b"message"), ("s", kinds.sign(SEED, b"message"))):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "k").write_bytes(keyfiles.public_pem(PUBLIC))
    command = "openssl pkeyutl -verify -rawin -pubin -inkey k -in m -sigfile s"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True)
    assert b"Signature Verified Successfully" in done.stdout


@needs_openssl
def test_the_der_of_a_public_key_is_openssls(tmp_path: Path) -> None:
    path = tmp_path / "team.pub"
    path.write_bytes(keyfiles.public_pem(PUBLIC))
    der = run("openssl", "pkey", "-pubin", "-in", path, "-outform", "DER")
    assert hashlib.sha256(der).digest() == hashlib.sha256(keyfiles.public_der(PUBLIC)).digest()


@needs_ssh_keygen
@pytest.mark.parametrize("comment", ["", "someone@example.org", "several words ünd more"])
def test_a_key_of_openssh_signs(tmp_path: Path, comment: str) -> None:
    path = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
    seed = keyfiles.load_private(path.read_bytes(), "id", None)
    public = keyfiles.load_public(Path(f"{path}.pub").read_bytes(), "id.pub")
    assert kinds.public_key(seed) == public


@needs_ssh_keygen
def test_an_encrypted_key_of_openssh_signs_where_bcrypt_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("bcrypt")
    path = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path)
    seed = keyfiles.load_private(path.read_bytes(), "id", b"secret")
    assert kinds.public_key(seed) == keyfiles.load_public(Path(f"{path}.pub").read_bytes(), "id.pub")
    with pytest.raises(KeyPassphraseError, match="does not open"):
        keyfiles.load_private(path.read_bytes(), "id", b"wrong")


@needs_ssh_keygen
def test_without_bcrypt_an_encrypted_key_of_openssh_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import ssh

    def absent(*_: object) -> bytes:
        raise UnsupportedAlgorithm("Need bcrypt module")

    monkeypatch.setattr(ssh, "_bcrypt_kdf", absent)
    path = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path)
    with pytest.raises(KeyFileError, match="takes the package bcrypt") as caught:
        keyfiles.load_private(path.read_bytes(), "id", b"secret")
    assert caught.value.hint == "pip install bcrypt"
    with pytest.raises(KeyPassphraseError, match="no passphrase was given"):
        keyfiles.load_private(path.read_bytes(), "id", None)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_line_ends_of_windows_do_not_matter(newline: bytes) -> None:
    for data in (keyfiles.private_pem(SEED, None), keyfiles.private_pem(SEED, b"y")):
        assert keyfiles.load_private(data.replace(b"\n", newline), "team.key", b"y") == SEED
    assert keyfiles.load_public(keyfiles.public_pem(PUBLIC).replace(b"\n", newline), "team.pub") == PUBLIC


def test_a_passphrase_that_a_plain_key_does_not_need_is_not_an_error() -> None:
    assert keyfiles.load_private(keyfiles.private_pem(SEED, None), "team.key", b"unused") == SEED


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, b""])
def test_a_missing_passphrase_is_asked_for(passphrase: bytes | None) -> None:
    with pytest.raises(KeyPassphraseError, match=r"team\.key is encrypted, and no passphrase was given") as caught:
        keyfiles.load_private(keyfiles.private_pem(SEED, b"y"), "team.key", passphrase)
    assert "SAFELOAD_KEY_PASSPHRASE" in caught.value.hint
    assert "Signer.from_file" in caught.value.hint


def test_a_wrong_passphrase_is_named_as_such_and_not_shown() -> None:
    with pytest.raises(KeyPassphraseError, match=r"does not open team\.key") as caught:
        keyfiles.load_private(keyfiles.private_pem(SEED, b"y"), "team.key", b"hunter2")
    assert "hunter2" not in str(caught.value) + caught.value.hint


def other_private_keys() -> list[tuple[str, bytes]]:
    curve, larger = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    old_rsa = rsa.generate_private_key(65537, 2048)
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    openssh = serialization.PrivateFormat.OpenSSH
    return [
        ("ECDSA secp384r1", private_pem(larger)),
        ("ecdsa-sha2-nistp256", curve.private_bytes(PEM, openssh, PLAIN)),
        ("RSA", private_pem(old_rsa)),
        ("RSA", old_rsa.private_bytes(PEM, traditional, serialization.BestAvailableEncryption(b"x"))),
        ("ssh-rsa", old_rsa.private_bytes(PEM, openssh, PLAIN)),
        ("ECDSA secp384r1", larger.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x"))),
        ("Ed448", ed448.Ed448PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN)),
        ("X25519", x25519.X25519PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN)),
        ("ML-DSA-44", mldsa.MLDSA44PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN)),
        ("DSA", dsa.generate_private_key(2048).private_bytes(PEM, PKCS8, PLAIN)),
    ]


def other_public_keys() -> list[tuple[str, bytes]]:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    larger = ec.generate_private_key(ec.SECP384R1()).public_key()
    old_rsa = rsa.generate_private_key(65537, 2048).public_key()
    spki, openssh = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.OpenSSH
    return [
        ("ECDSA secp384r1", larger.public_bytes(PEM, spki)),
        ("ecdsa-sha2-nistp256", curve.public_bytes(serialization.Encoding.OpenSSH, openssh)),
        ("RSA", old_rsa.public_bytes(PEM, spki)),
        ("RSA", old_rsa.public_bytes(PEM, serialization.PublicFormat.PKCS1)),
        ("ssh-rsa", old_rsa.public_bytes(serialization.Encoding.OpenSSH, openssh)),
        ("sk-ssh-ed25519@openssh.com", b"sk-ssh-ed25519@openssh.com AAAA someone"),
        ("ML-DSA-87", mldsa.MLDSA87PrivateKey.generate().public_key().public_bytes(PEM, spki)),
    ]


def test_private_keys_of_other_algorithms_are_named() -> None:
    for name, data in other_private_keys():
        with pytest.raises(AlgorithmError, match=f"k holds a key for {name}.*; safeload accepts Ed25519") as caught:
            keyfiles.load_private(data, "k", b"x")
        assert "ECDSA P-256, ML-DSA-65, and Ed25519 with ML-DSA-65" in str(caught.value)


def test_public_keys_of_other_algorithms_are_named() -> None:
    for name, data in other_public_keys():
        with pytest.raises(AlgorithmError, match=f"k holds a key for {name}.*; safeload accepts Ed25519"):
            keyfiles.load_public(data, "k")


def test_the_wrong_half_of_a_pair_is_named() -> None:
    with pytest.raises(KeyFileError, match="is a private key where a public one is expected"):
        keyfiles.load_public(keyfiles.private_pem(SEED, None), "team.key")
    with pytest.raises(KeyFileError, match="is a private key where a public one is expected"):
        keyfiles.load_public(keyfiles.private_pem(SEED, b"y"), "team.key")
    with pytest.raises(KeyFileError, match="is a public key, and signing takes the private one"):
        keyfiles.load_private(keyfiles.public_pem(PUBLIC), "team.pub", None)
    with pytest.raises(KeyFileError, match="is a public key, and signing takes the private one"):
        keyfiles.load_private(b"ssh-ed25519 AAAA me", "id.pub", None)


def test_several_keys_in_one_file_are_refused() -> None:
    with pytest.raises(KeyFileError, match="holds 2 keys, Ed25519 and Ed25519; a key file holds one"):
        keyfiles.load_public(2 * keyfiles.public_pem(PUBLIC), "team.pub")
    with pytest.raises(KeyFileError, match="holds 2 keys"):
        keyfiles.load_private(2 * keyfiles.private_pem(SEED, None), "team.key", None)
    with pytest.raises(KeyFileError, match="holds 3 PEM blocks"):
        keyfiles.load_private(3 * keyfiles.private_pem(SEED, None), "team.key", None)
    with pytest.raises(KeyFileError, match="holds 2 lines"):
        keyfiles.load_public(b"ssh-ed25519 AAAA a\nssh-ed25519 AAAA b\n", "authorized_keys")


GARBAGE = {
    b"": "is empty",
    b" \r\n": "is empty",
    b"\0" * 100: "is not a",
    b"-----BEGIN PUBLIC KEY-----\n": "is not one whole PEM block",
    b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----\n": "is not one whole PEM block",
    b"hello\n" + keyfiles.public_pem(PUBLIC): "has text around the key",
    b"-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----": "is not base64",
    b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----": "of a kind that is not known",
    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----": "block of CERTIFICATE, not a public key",
    b"ssh-ed25519": "is not a public key",
    b"ssh-ed25519 ": "does not hold an Ed25519 key",
    b"ssh-ed25519 AAAA": "does not hold an Ed25519 key",
    b"ssh-ed25519 ??? comment": "does not hold an Ed25519 key",
}


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_is_no_public_key(data: bytes) -> None:
    with pytest.raises(KeyFileError, match=GARBAGE[data]) as caught:
        keyfiles.load_public(data, "x.pub")
    assert caught.value.path == "x.pub"


@pytest.mark.parametrize("label", ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"])
def test_a_private_key_of_garbage_is_damaged_and_nothing_of_it_is_shown(label: str) -> None:
    body = b"c2VjcmV0IHNlY3JldCBzZWNyZXQ="
    for text in (body, body[:-1], b"*" + body):
        data = b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (label.encode(), text, label.encode())
        with pytest.raises(KeyFileError, match=r"team\.key is damaged") as caught:
            keyfiles.load_private(data, "team.key", b"y")
        assert "c2Vj" not in repr(caught.value)
        assert "secret" not in repr(caught.value)


def test_public_keys_of_small_order_are_refused_in_every_format() -> None:
    neutral = b"\x01" + bytes(31)
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + neutral
    line = b"ssh-ed25519 " + base64.b64encode(blob) + b" mallory\n"
    for data in (keyfiles.public_pem(Key(ED25519, neutral)), line):
        with pytest.raises(KeyFileError, match=r"the key in x\.pub is a point of small order"):
            keyfiles.load_public(data, "x.pub")


def test_a_name_that_would_rewrite_the_line_is_shown_escaped() -> None:
    with pytest.raises(KeyFileError) as caught:
        keyfiles.load_public(b"", "a\x1b[2Kb\u202e.pub")
    assert str(caught.value) == "a\\x1b[2Kb\\u202e.pub is empty"


# --- what a passphrase may cost ---------------------------------------------------------------


def encrypted_with(kdf: object, oid: str) -> bytes:
    from cryptography.x509 import ObjectIdentifier

    parameters = pkcs8._Pbes2(
        kdf=pkcs8._algorithm(ObjectIdentifier(oid), kdf), cipher=pkcs8._algorithm(pkcs8._AES_256_CBC, bytes(16))
    )
    info = pkcs8._EncryptedPrivateKeyInfo(algorithm=pkcs8._algorithm(pkcs8._PBES2, parameters), data=bytes(64))
    return armor.render_block("ENCRYPTED PRIVATE KEY", asn1.encode_der(info))


@pytest.mark.parametrize(("n", "r", "p"), [(2**40, 8, 1), (2**14, 2**30, 1), (2**14, 8, 2**30), (2**20, 16, 1)])
def test_a_key_whose_scrypt_would_eat_the_memory_is_not_tried(n: int, r: int, p: int) -> None:
    kdf = pkcs8._Scrypt(salt=bytes(16), n=n, r=r, p=p, key_bytes=None)
    with pytest.raises(KeyFileError, match="more work"):
        keyfiles.load_private(encrypted_with(kdf, "1.3.6.1.4.1.11591.4.11"), "k", b"y")


def test_a_key_whose_pbkdf2_would_never_end_is_not_tried() -> None:
    kdf = pkcs8._Pbkdf2(salt=bytes(16), rounds=2**62, key_bytes=None, prf=None)
    with pytest.raises(KeyFileError, match="more work"):
        keyfiles.load_private(encrypted_with(kdf, "1.2.840.113549.1.5.12"), "k", b"y")


def test_a_key_derivation_that_is_not_known_is_refused() -> None:
    kdf = pkcs8._Pbkdf2(salt=bytes(16), rounds=1, key_bytes=None, prf=None)
    with pytest.raises(KeyFileError, match="in a way that safeload does not read") as caught:
        keyfiles.load_private(encrypted_with(kdf, "1.2.3.4"), "k", b"y")
    assert "openssl pkcs8" in caught.value.hint


@needs_openssl
def test_pkcs5_version_1_is_refused_with_the_way_out(tmp_path: Path) -> None:
    plain, old = tmp_path / "p.key", tmp_path / "old.key"
    plain.write_bytes(keyfiles.private_pem(SEED, None))
    run("openssl", "pkcs8", "-topk8", "-in", plain, "-out", old, "-passout", "pass:y", "-v1", "PBE-SHA1-3DES")
    with pytest.raises(KeyFileError, match="in a way that safeload does not read"):
        keyfiles.load_private(old.read_bytes(), "old.key", b"y")


@needs_ssh_keygen
def test_a_key_whose_bcrypt_would_never_end_is_not_tried(tmp_path: Path) -> None:
    path = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "x", "-a", "16", "-f", path)
    der = armor.parse_blocks(path.read_bytes(), "id")[0].der()
    at = der.index(b"\0\0\0\x10") + 4 + 16  # after the salt, which is a string of 16 bytes
    assert der[at : at + 4] == b"\0\0\0\x10"
    endless = der[:at] + b"\xff\xff\xff\xff" + der[at + 4 :]
    with pytest.raises(KeyFileError, match="more work"):
        keyfiles.load_private(armor.render_block("OPENSSH PRIVATE KEY", endless), "id", b"x")


def test_nothing_heavy_is_imported_to_read_plain_keys() -> None:
    program = (
        "import sys, safeload.keys\n"
        "from safeload.hazmat import keyfiles\n"
        "from safeload.hazmat.kinds import Key\n"
        "secret, public = Key('ed25519', bytes(range(32))), Key('ed25519', bytes([9]) + bytes(31))\n"
        "pair = keyfiles.private_pem(secret, None), keyfiles.public_pem(public)\n"
        "assert not [m for m in sys.modules if m.startswith('cryptography')]\n"
        "keyfiles.load_private(pair[0], 'k', None)\n"
        "keyfiles.load_public(pair[1], 'p')\n"
        "assert not [m for m in sys.modules if m.startswith('cryptography')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent.parent)


def test_no_message_names_a_block_that_is_not_a_key_by_its_content() -> None:
    block = armor.Block("PRIVATE KEY", b"c2VjcmV0", "k")
    assert "c2Vj" not in repr(block)
    with pytest.raises(KeyFileError, match="block of CERTIFICATE, not a private key"):
        private_keys.parse(armor.Block("CERTIFICATE", b"", "k"), None)
