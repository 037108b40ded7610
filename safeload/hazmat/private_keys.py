"""The private half: PKCS#8 (RFC 8410, section 7) and OpenSSH's format, plain or encrypted, to and from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safeload.errors import KeyFileError, KeyPassphraseError
from safeload.hazmat import armor, openssh, unaccepted
from safeload.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["parse", "render"]

# RFC 8410, section 7: the DER of an Ed25519 PrivateKeyInfo, version 1 and without attributes, is these 16 bytes and
# the seed. Other encodings go through cryptography's parser.
_HEAD = bytes.fromhex("302e020100300506032b657004220420")
_SEED_BYTES = 32

_PLAIN, _ENCRYPTED, _OPENSSH = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"
_OLD = {"RSA PRIVATE KEY": "RSA", "EC PRIVATE KEY": "ECDSA", "DSA PRIVATE KEY": "DSA"}

# bcrypt's rounds in OpenSSH take 5 to 10 ms each; ssh-keygen writes 16 or 24.
_MAX_BCRYPT_ROUNDS = 2_000

_HOW_TO_GIVE = "give it in SAFELOAD_KEY_PASSPHRASE, or to Signer.from_file(path, passphrase=...)"


def render(seed: bytes, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM of `seed`."""
    if passphrase is None:
        return armor.render_block(_PLAIN, _HEAD + seed)
    from safeload.hazmat import pkcs8  # loads cryptography.x509

    return armor.render_block(_ENCRYPTED, pkcs8.encrypt(_HEAD + seed, passphrase))


def parse(block: armor.Block, passphrase: bytes | None) -> bytes:
    """The seed in `block`. Raises KeyFileError, KeyPassphraseError, AlgorithmError."""
    if block.label in _OLD:
        raise unaccepted.refusal(block.path, _OLD[block.label])
    readers = {_PLAIN: _plain, _ENCRYPTED: _encrypted, _OPENSSH: _openssh}
    if block.label not in readers:
        raise KeyFileError(
            f"{printable(block.path)} holds a PEM block of {block.label}, not a private key", path=block.path
        )
    return readers[block.label](block, passphrase)


def _plain(block: armor.Block, passphrase: bytes | None) -> bytes:
    del passphrase  # one environment variable may serve several keys
    der = block.der()
    if der.startswith(_HEAD) and len(der) == len(_HEAD) + _SEED_BYTES:
        return der[len(_HEAD) :]
    from cryptography.hazmat.primitives import serialization  # 23 ms

    return _seed(lambda: serialization.load_der_private_key(der, None), _damaged(block), block)


def _encrypted(block: armor.Block, passphrase: bytes | None) -> bytes:
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
    return _seed(lambda: serialization.load_der_private_key(der, secret), _wrong_passphrase(block), block)


def _openssh(block: armor.Block, passphrase: bytes | None) -> bytes:
    from cryptography.hazmat.primitives import serialization  # 23 ms

    der = block.der()
    header = openssh.parse_private_header(der, block.path)
    if header.algorithm != openssh.ED25519:
        raise unaccepted.refusal(block.path, header.algorithm)
    _refuse_unaffordable(header.rounds <= _MAX_BCRYPT_ROUNDS, block)
    secret = _needed(passphrase, block) if header.encrypted else None
    failure = _wrong_passphrase(block) if header.encrypted else _damaged(block)
    pem = armor.render_block(_OPENSSH, der)
    return _seed(lambda: serialization.load_ssh_private_key(pem, secret), failure, block)


def _seed(load: Callable[[], PrivateKeyTypes], failure: KeyFileError, block: armor.Block) -> bytes:
    """The seed of the key that `load` gives; `failure` is raised where it raises."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = load()
    except UnsupportedAlgorithm as error:
        raise _unsupported(error, block) from None
    except Exception:  # ValueError, TypeError, InvalidTag and others; what they say could quote what they read
        raise failure from None
    if not isinstance(key, Ed25519PrivateKey):
        raise unaccepted.refusal(block.path, unaccepted.spoken_name(key))
    return key.private_bytes_raw()


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
