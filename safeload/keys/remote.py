"""Keys that never leave an HSM or a key service: securesystemslib's signers as signers of ours.

What comes back is checked with the public key before anybody writes it: a wrong slot or version of a key is found by
the one who signs, not by those who load.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safeload.errors import AlgorithmError, KeyFileError, KeyPassphraseError, RemoteKeyError
from safeload.hazmat import keyfiles, kinds
from safeload.hazmat.kinds import ECDSA_P256, ED25519, Key
from safeload.keys import environment
from safeload.keys.keyfile import read_key_file
from safeload.keys.keyid import public_keyid, short
from safeload.text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

__all__ = ["RemoteKey", "adapt", "open_uri"]

# Their name of a scheme -> ours. Their ML-DSA signs a hash of the message and not the message: other signatures.
_SCHEMES: Mapping[str, str] = {"ecdsa-sha2-nistp256": ECDSA_P256, "ed25519": ED25519}
_KEY_TYPES: Mapping[str, tuple[str, str]] = {ECDSA_P256: ("ecdsa", "ecdsa-sha2-nistp256"), ED25519: ("ed25519",) * 2}
_ACCEPTED = "an HSM or a key service signs for safeload with ECDSA P-256 and SHA-256, or with Ed25519"

# The scheme of a URI -> what to install for it.
_EXTRAS: Mapping[str, str] = {
    "hsm": "hsm",
    "awskms": "awskms",
    "gcpkms": "gcpkms",
    "azurekms": "azurekms",
    "hv": "vault",
}
# Schemes of theirs that hold the key in this process, and for which there is another way here.
_LOCAL = {"file2": "--key, or Signer.from_file", "gnupg": "a key of your own: safeload keygen team"}


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """A key elsewhere. ``name`` is for messages; ``ask`` is securesystemslib's signer."""

    name: str
    public: Key
    ask: Any = field(repr=False)

    @property
    def keyid(self) -> str:
        return public_keyid(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, which verifies with the public key. Raises RemoteKeyError."""
        try:
            signature = bytes.fromhex(self.ask.sign(message).signature)
        except KeyPassphraseError:  # ours, from the one who was asked for the PIN
            raise
        except Exception as error:  # drivers and HTTP clients raise what they like
            raise RemoteKeyError(
                f"{printable(self.name)} did not sign: {_said(error)}",
                path=self.name,
                hint=_hint(self.name),
            ) from error
        if not kinds.verify(self.public, message, signature):
            raise RemoteKeyError(
                f"{printable(self.name)} signed with another key than {short(self.keyid)}: nothing was written",
                path=self.name,
                hint="compare the slot, label or version in the URI with the public key that you gave",
            )
        return signature


def adapt(signer: Any, name: str = "") -> RemoteKey:
    """`signer` of securesystemslib; its ``public_key`` says what it signs with. Raises AlgorithmError, KeyFileError."""
    name = name or type(signer).__name__
    public = signer.public_key
    if public.scheme not in _SCHEMES:
        raise AlgorithmError(f"{printable(name)} signs by {printable(str(public.scheme))}; {_ACCEPTED}", path=name)
    key = _public_key(public.keyval["public"], name)
    if key.algorithm != _SCHEMES[public.scheme]:
        raise KeyFileError(f"{printable(name)} says that it signs by {public.scheme}, and has another key", path=name)
    return RemoteKey(name, key, signer)


def _public_key(text: str, name: str) -> Key:
    """Their Ed25519 keys are hexadecimal digits, all others PEM, in whatever spelling; keyids are of one spelling."""
    data = text.encode()
    if not data.startswith(b"-----BEGIN "):
        try:
            data = keyfiles.public_pem(Key(ED25519, binascii.a2b_hex(data)))
        except binascii.Error:
            raise KeyFileError(f"{printable(name)} has a public key that is neither PEM nor hex", path=name) from None
    return keyfiles.load_public(data, name)


def open_uri(uri: str, public: str | os.PathLike[str], secret: str | Callable[[str], str] | None = None) -> RemoteKey:
    """The key at `uri`, whose public half is the file `public`. Raises KeyFileError, AlgorithmError."""
    scheme, colon, _ = uri.partition(":")
    if not colon or scheme in _LOCAL:
        raise KeyFileError(
            f"{printable(uri)} does not name a key in an HSM or a key service",
            path=uri,
            hint=f"use {_LOCAL[scheme]}" if scheme in _LOCAL else "such as hsm:2?label=release, or awskms:KEY-ID",
        )
    file = read_key_file(public)
    key = keyfiles.load_public(file.data, file.path)
    if key.algorithm not in _KEY_TYPES:
        raise AlgorithmError(f"{printable(file.path)} is for {key.algorithm}; {_ACCEPTED}", path=file.path)
    return RemoteKey(uri, key, _their_signer(uri, scheme, key, secret))


def _their_signer(uri: str, scheme: str, key: Key, secret: str | Callable[[str], str] | None) -> Any:
    try:
        from securesystemslib.exceptions import UnsupportedLibraryError
        from securesystemslib.signer import Signer, SSlibKey
    except ImportError as error:
        raise _missing(uri, scheme, error) from error
    text = key.raw.hex() if key.algorithm == ED25519 else keyfiles.public_pem(key).decode("ascii")
    theirs = SSlibKey(public_keyid(key), *_KEY_TYPES[key.algorithm], {"public": text})
    try:
        return Signer.from_priv_key_uri(uri, theirs, _answering(uri, secret))
    except (ImportError, UnsupportedLibraryError) as error:
        raise _missing(uri, scheme, error) from error
    except Exception as error:  # malformed URIs, missing credentials
        raise RemoteKeyError(f"{printable(uri)} cannot be used: {_said(error)}", path=uri, hint=_hint(uri)) from error


def _answering(uri: str, secret: str | Callable[[str], str] | None) -> Callable[[str], str]:
    """What answers when a PIN is needed: what was passed, or ``SAFELOAD_KEY_PIN``."""
    if callable(secret):
        return secret

    def answer(wanted: str) -> str:
        given = environment.get(environment.KEY_PIN) if secret is None else secret
        if given is None:
            raise KeyPassphraseError(
                f"{printable(uri)} wants a {printable(wanted)}, and {environment.KEY_PIN} is not set", path=uri
            )
        return given

    return answer


def _missing(uri: str, scheme: str, error: Exception) -> KeyFileError:
    extra = _EXTRAS.get(scheme, "hsm")
    return KeyFileError(
        f"{printable(uri)} takes packages that are not installed: {printable(str(error))}",
        path=uri,
        hint=f'pip install "safeload[{extra}]"',
    )


def _said(error: Exception) -> str:
    """Errors of PKCS#11 are classes without a text."""
    return f"{type(error).__name__}: {printable(str(error))}".removesuffix(": ")


def _hint(uri: str) -> str:
    if uri.startswith("hsm:"):
        return f"PYKCS11LIB is the path of the HSM's PKCS#11 library, and the PIN stands in {environment.KEY_PIN}"
    return ""
