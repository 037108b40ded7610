"""The private half: PKCS#8 (RFC 5958, 8410, 9881) and OpenSSH's format, plain or encrypted, and raw secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import KeyFileError, KeyPassphraseError
from safeload.hazmat import armor, kinds, openssh, unaccepted
from safeload.hazmat.kinds import Key
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["parse", "render"]

# What stands before the raw secret in the DER of a PrivateKeyInfo without attributes. Other encodings go through
# cryptography's parser.
_HEADS = {
    kinds.ED25519: bytes.fromhex("302e020100300506032b657004220420"),  # RFC 8410, section 7
    kinds.ML_DSA_65: bytes.fromhex("3034020100300b060960864801650304031204228020"),  # RFC 9881, section 6: the seed
    kinds.ECDSA_P256: bytes.fromhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"),
}
# RFC 5915: behind the scalar stands the public key, as OpenSSL writes it.
_EC_PUBLIC = bytes.fromhex("a144034200")

_PLAIN, _ENCRYPTED, _OPENSSH = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"
_OLD = {"RSA PRIVATE KEY": "RSA", "DSA PRIVATE KEY": "DSA"}
_EC = "EC PRIVATE KEY"

# bcrypt's rounds in OpenSSH take 5 to 10 ms each; ssh-keygen writes 16 or 24.
_MAX_BCRYPT_ROUNDS = 2_000

_HOW_TO_GIVE = "give it in SAFELOAD_KEY_PASSPHRASE, or to Signer.from_file(path, passphrase=...)"


def render(secret: Key, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM of `secret`, which is no hybrid."""
    der = _HEADS[secret.algorithm] + secret.raw
    if secret.algorithm == kinds.ECDSA_P256:
        der += _EC_PUBLIC + kinds.public_key(secret).raw
    if passphrase is None:
        return armor.render_block(_PLAIN, der)
    from safeload.hazmat import pkcs8  # loads cryptography.x509

    return armor.render_block(_ENCRYPTED, pkcs8.encrypt(der, passphrase))


def parse(block: armor.Block, passphrase: bytes | None) -> Key:
    """The secret in `block`. Raises KeyFileError, KeyPassphraseError, AlgorithmError."""
    if block.label in _OLD:
        raise unaccepted.refusal(block.path, _OLD[block.label])
    if block.label == _EC:
        raise KeyFileError(
            f"{printable(block.path)} is a private key in the old format of OpenSSL",
            path=block.path,
            hint="openssl pkcs8 -topk8 -nocrypt -in old.key -out team.key",
        )
    readers = {_PLAIN: _plain, _ENCRYPTED: _encrypted, _OPENSSH: _openssh}
    if block.label not in readers:
        raise KeyFileError(
            f"{printable(block.path)} holds a PEM block of {block.label}, not a private key", path=block.path
        )
    return readers[block.label](block, passphrase)


def _plain(block: armor.Block, passphrase: bytes | None) -> Key:
    del passphrase  # one environment variable may serve several keys
    der = block.der()
    for algorithm in (kinds.ED25519, kinds.ML_DSA_65):
        head = _HEADS[algorithm]
        if der.startswith(head) and len(der) == len(head) + kinds.KINDS[algorithm].secret_bytes:
            return Key(algorithm, der[len(head) :])
    from cryptography.hazmat.primitives import serialization  # 23 ms

    return _secret(lambda: serialization.load_der_private_key(der, None), _damaged(block), block)


def _encrypted(block: armor.Block, passphrase: bytes | None) -> Key:
    from cryptography.hazmat.primitives import serialization  # 23 ms

    from safeload.hazmat import pkcs8  # loads cryptography.x509

    der = block.der()
    try:
        affordable = pkcs8.affordable(der)
    except Exception:  # the parser's own errors have many types; each means the same here
        raise KeyFileError(
            f"{printable(block.path)} is damaged, or encrypted in a way that safeload does not read",
            path=block.path,
            hint="PBES2 with scrypt or PBKDF2 is read: openssl pkcs8 -topk8 -scrypt -in old.key -out team.key",
        ) from None
    _refuse_unaffordable(affordable, block)
    secret = _needed(passphrase, block)
    return _secret(lambda: serialization.load_der_private_key(der, secret), _wrong_passphrase(block), block)


def _openssh(block: armor.Block, passphrase: bytes | None) -> Key:
    from cryptography.hazmat.primitives import serialization  # 23 ms

    der = block.der()
    header = openssh.parse_private_header(der, block.path)
    if header.algorithm != openssh.ED25519:
        raise unaccepted.refusal(block.path, header.algorithm)
    _refuse_unaffordable(header.rounds <= _MAX_BCRYPT_ROUNDS, block)
    secret = _needed(passphrase, block) if header.encrypted else None
    failure = _wrong_passphrase(block) if header.encrypted else _damaged(block)
    pem = armor.render_block(_OPENSSH, der)
    return _secret(lambda: serialization.load_ssh_private_key(pem, secret), failure, block)


def _secret(load: Callable[[], PrivateKeyTypes], failure: KeyFileError, block: armor.Block) -> Key:
    """The raw secret of the key that `load` gives; `failure` is raised where it raises."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = load()
    except UnsupportedAlgorithm as error:
        raise _unsupported(error, block) from None
    except Exception:  # ValueError, TypeError, InvalidTag and others; what they say could quote what they read
        raise failure from None
    found = _raw(key)
    if found is None:
        raise unaccepted.refusal(block.path, unaccepted.spoken_name(key))
    return found


def _raw(key: PrivateKeyTypes) -> Key | None:
    """None for an algorithm that is not accepted."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

    if isinstance(key, Ed25519PrivateKey):
        return Key(kinds.ED25519, key.private_bytes_raw())
    if isinstance(key, MLDSA65PrivateKey):
        return Key(kinds.ML_DSA_65, key.private_bytes_raw())
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        size = kinds.KINDS[kinds.ECDSA_P256].secret_bytes
        return Key(kinds.ECDSA_P256, key.private_numbers().private_value.to_bytes(size, "big"))
    return None


def _unsupported(error: Exception, block: armor.Block) -> KeyFileError:
    path = printable(block.path)
    if "bcrypt" in str(error):  # cryptography decrypts OpenSSH's keys with a package that it does not require
        message = f"{path} is an encrypted OpenSSH key, and reading one takes the package bcrypt"
        return KeyFileError(message, path=block.path, hint="pip install bcrypt")
    return KeyFileError(f"{path} is damaged, or uses a cipher that is not known here", path=block.path)


def _needed(passphrase: bytes | None, block: armor.Block) -> bytes:
    if not passphrase:
        raise KeyPassphraseError(
            f"{printable(block.path)} is encrypted, and no passphrase was given", path=block.path, hint=_HOW_TO_GIVE
        )
    return passphrase


def _wrong_passphrase(block: armor.Block) -> KeyPassphraseError:
    message = f"the passphrase does not open {printable(block.path)} (or the file is damaged)"
    return KeyPassphraseError(message, path=block.path, hint=_HOW_TO_GIVE)


def _damaged(block: armor.Block) -> KeyFileError:
    return KeyFileError(
        f"{printable(block.path)} is damaged: its {block.label.lower()} cannot be read", path=block.path
    )


def _refuse_unaffordable(affordable: bool, block: armor.Block) -> None:
    if not affordable:
        raise KeyFileError(
            f"{printable(block.path)} asks for more work to try a passphrase than any key needs: not read",
            path=block.path,
        )
