"""Who signs. A signer is a keyid, an algorithm and one method, so that a KMS or an HSM can be one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NoReturn

from safeload.errors import KeyFileError, KeyPassphraseError
from safeload.hazmat import keyfiles, kinds, mac
from safeload.hazmat.kinds import Key
from safeload.keys import environment, hmacfile, remote
from safeload.keys.algorithms import HMAC_SHA256
from safeload.keys.keyfile import MOST_BYTES, SECRET_MODE, KeyFile, path_text, read_key_file
from safeload.keys.keyid import hmac_keyid, public_keyid, short
from safeload.keys.keysource import read_descriptor
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import SupportsIndex

__all__ = ["HmacSigner", "KeySigner", "RemoteSigner", "Signer", "passphrase_bytes", "signer_of_file"]


class Signer(ABC):
    """Whatever can sign. Subclass it to sign elsewhere: set the two attributes, and answer ``sign``.

    ``keyid`` is that of docs/format.md 7.3, in 64 lower-case hexadecimal digits; ``algorithm`` a name of section 7.2.
    """

    __slots__ = ("algorithm", "keyid")

    keyid: str
    algorithm: str

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, which is DSSE's pre-authentication encoding of a manifest."""

    @staticmethod
    def from_file(path: str | os.PathLike[str], passphrase: str | bytes | None = None) -> Signer:
        """The signer that uses the private key or HMAC key in `path`.

        Without `passphrase` an encrypted key is opened with ``SAFELOAD_KEY_PASSPHRASE``; a key that is not encrypted
        needs neither. Raises KeyFileError, KeyPermissionsError, KeyPassphraseError, AlgorithmError.
        """
        return signer_of_file(read_key_file(path), passphrase)

    @staticmethod
    def from_bytes(data: bytes, passphrase: str | bytes | None = None, *, name: str = "the key") -> Signer:
        """The same for `data`, which is what a key file holds; `name` is what messages call it."""
        if len(data) > MOST_BYTES:
            raise KeyFileError(f"{printable(name)} is larger than {MOST_BYTES // 1024} KiB: not a key file", path=name)
        return signer_of_file(KeyFile(name, data, SECRET_MODE), passphrase)

    @staticmethod
    def from_fd(descriptor: int, passphrase: str | bytes | None = None) -> Signer:
        """The same for what `descriptor` gives up to its end, such as a pipe that a secret store writes to."""
        return signer_of_file(read_descriptor(descriptor), passphrase)

    @staticmethod
    def from_uri(uri: str, public: str | os.PathLike[str], secret: str | Callable[[str], str] | None = None) -> Signer:
        """The signer whose key stays in an HSM or a key service: ``hsm:2?label=release``, ``awskms:...``.

        `uri` is one of securesystemslib's; `public` is the file of the public key, with which each signature is checked
        before it is written. `secret` is the PIN, or a function that is asked for it by name; None takes
        ``SAFELOAD_KEY_PIN``. Raises KeyFileError, AlgorithmError, and RemoteKeyError, which ``sign`` raises too.
        """
        return RemoteSigner(remote.open_uri(uri, public, secret))

    @staticmethod
    def from_securesystemslib(signer: object) -> Signer:
        """`signer` of securesystemslib, of whatever class, with a key for ECDSA P-256 or Ed25519.

        Raises KeyFileError, AlgorithmError; ``sign`` raises RemoteKeyError.
        """
        return RemoteSigner(remote.adapt(signer))


def signer_of_file(file: KeyFile, passphrase: str | bytes | None = None) -> Signer:
    """The signer that uses the key in `file`, read before. Raises as `Signer.from_file` does."""
    if not keyfiles.is_public(file.data):  # of a public key it is not the mode that is wrong
        file.refuse_if_others_can_read()
    if hmacfile.claims_hmac(file.data):
        return HmacSigner(hmacfile.parse(file.data, file.path))
    given = environment.get(environment.PASSPHRASE) if passphrase is None else passphrase
    return KeySigner(keyfiles.load_private(file.data, file.path, passphrase_bytes(given, file.path)))


def passphrase_bytes(passphrase: str | bytes | None, path: str | os.PathLike[str]) -> bytes | None:
    """`passphrase` in UTF-8, as OpenSSL and ssh-keygen on a UTF-8 terminal take it; bytes stay as they are."""
    if passphrase is None or isinstance(passphrase, bytes):
        return passphrase
    try:
        return passphrase.encode("utf-8", "surrogateescape")  # the inverse of how the environment was decoded
    except UnicodeEncodeError:
        # The error that is dropped here holds the passphrase.
        raise KeyPassphraseError("the passphrase is not valid Unicode", path=path_text(path)) from None


class _SecretSigner(Signer):
    """A signer that holds its secret in memory, and neither shows it nor lets it be pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {short(self.keyid)}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a signer holds a secret and is not pickled or copied; pass the path of its key file instead")


class KeySigner(_SecretSigner):
    """Signs with the private half of a key pair, of any of the algorithms of ``hazmat.kinds``."""

    __slots__ = ()

    def __init__(self, secret: Key) -> None:
        super().__init__(secret.raw)
        self.algorithm = secret.algorithm
        self.keyid = public_keyid(kinds.public_key(secret))

    @property
    def public(self) -> Key:
        """The public key."""
        return kinds.public_key(Key(self.algorithm, self._secret))

    def sign(self, message: bytes) -> bytes:
        """As long as docs/format.md, 7.2 says for the algorithm."""
        return kinds.sign(Key(self.algorithm, self._secret), message)


class RemoteSigner(Signer):
    """Lets a key elsewhere sign, and gives on nothing that does not verify."""

    __slots__ = ("_key",)

    def __init__(self, key: remote.RemoteKey) -> None:
        self._key = key
        self.algorithm = key.public.algorithm
        self.keyid = key.keyid

    def __repr__(self) -> str:
        return f"<RemoteSigner {short(self.keyid)} at {printable(self._key.name)}>"

    @property
    def public(self) -> Key:
        """The public key."""
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        """The signature, checked with the public key. Raises RemoteKeyError."""
        return self._key.sign(message)


class HmacSigner(_SecretSigner):
    """Makes tags with an HMAC key of 32 bytes (RFC 2104). Whoever can verify them can make them."""

    __slots__ = ()

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.algorithm = HMAC_SHA256
        self.keyid = hmac_keyid(key)

    def sign(self, message: bytes) -> bytes:
        """32 bytes."""
        return mac.tag(self._secret, message)
