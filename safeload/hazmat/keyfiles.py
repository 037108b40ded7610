"""Ed25519 keys in files: SubjectPublicKeyInfo and PKCS#8 in PEM (RFC 8410), and OpenSSH's formats.

`path` names the file in messages and is not opened here. No message holds a byte of a private key.
"""

from __future__ import annotations

from safeload.errors import KeyFileError
from safeload.hazmat import armor, openssh, points, private_keys, unaccepted
from safeload.text import printable

__all__ = ["is_public", "load_private", "load_public", "private_pem", "public_der", "public_pem"]

# RFC 8410, section 4: the DER of an Ed25519 SubjectPublicKeyInfo is these 12 bytes and the key.
_SPKI_HEAD = bytes.fromhex("302a300506032b6570032100")
_SPKI_LABEL = "PUBLIC KEY"
_PRIVATE = "PRIVATE KEY"


def public_der(public: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo, 44 bytes, of an Ed25519 `public` key of 32 bytes."""
    return _SPKI_HEAD + public


def public_pem(public: bytes) -> bytes:
    """The SubjectPublicKeyInfo of `public` as PEM."""
    return armor.render_block(_SPKI_LABEL, public_der(public))


def private_pem(seed: bytes, passphrase: bytes | None) -> bytes:
    """PKCS#8 PEM of the 32 bytes of `seed`; encrypted by scrypt and AES-256-CBC if there is a passphrase."""
    return private_keys.render(seed, passphrase)


def is_public(data: bytes) -> bool:
    """Whether `data` looks like a public key in one of the two formats, of whatever algorithm, well-formed or not."""
    if armor.holds_pem(data):
        return b"PUBLIC KEY-----" in data and b"PRIVATE KEY-----" not in data
    return openssh.is_public_line(data)


def load_public(data: bytes, path: str) -> bytes:
    """The 32 bytes of the Ed25519 public key in `data`: SubjectPublicKeyInfo PEM or an OpenSSH line.

    Raises KeyFileError, AlgorithmError.
    """
    if armor.holds_pem(data):
        public = _public_of_block(armor.parse_block(data, path))
    elif openssh.is_public_line(data):
        public = openssh.parse_public_line(data, path)
    else:
        raise _nothing(data, path, "public key: neither PEM nor an ssh-ed25519 line")
    defect = points.defect(public)
    if defect:
        raise KeyFileError(f"the key in {printable(path)} {defect}", path=path)
    return public


def load_private(data: bytes, path: str, passphrase: bytes | None) -> bytes:
    """The 32 bytes of the Ed25519 seed in `data`: PKCS#8 PEM or an OpenSSH private key, encrypted or not.

    `passphrase` is not used if the key is not encrypted. Raises KeyFileError, KeyPassphraseError, AlgorithmError.
    """
    if is_public(data):
        raise KeyFileError(
            f"{printable(path)} is a public key, and signing takes the private one",
            path=path,
            hint="name the private half: team.key stands beside team.pub",
        )
    if not armor.holds_pem(data):
        raise _nothing(data, path, "private key: it has no PEM block")
    return private_keys.parse(armor.parse_block(data, path), passphrase)


def _public_of_block(block: armor.Block) -> bytes:
    path = block.path
    if block.label.endswith(_PRIVATE):
        raise KeyFileError(
            f"{printable(path)} is a private key where a public one is expected",
            path=path,
            hint="name its public half, team.pub; openssl pkey -in team.key -pubout writes it anew",
        )
    if block.label == f"RSA {_SPKI_LABEL}":
        raise unaccepted.refusal(path, "RSA")
    if block.label != _SPKI_LABEL:
        raise KeyFileError(f"{printable(path)} holds a PEM block of {block.label}, not a public key", path=path)
    der = block.der()
    if der.startswith(_SPKI_HEAD) and len(der) == len(_SPKI_HEAD) + points.PUBLIC_BYTES:
        return der[len(_SPKI_HEAD) :]
    raise _other_spki(der, path)


def _other_spki(der: bytes, path: str) -> KeyFileError:
    """What to say of a SubjectPublicKeyInfo that is not Ed25519's."""
    from cryptography.hazmat.primitives import serialization  # 23 ms, and only to say what the key is

    try:
        key = serialization.load_der_public_key(der)
    except Exception:  # the parser's own errors have many types; each means the same here
        return KeyFileError(f"{printable(path)} is damaged, or holds a key of a kind that is not known here", path=path)
    return unaccepted.refusal(path, unaccepted.spoken_name(key))


def _nothing(data: bytes, path: str, wanted: str) -> KeyFileError:
    if not data.strip():
        return KeyFileError(f"{printable(path)} is empty", path=path)
    return KeyFileError(f"{printable(path)} is not a {wanted}", path=path, hint="make a pair: safeload keygen team")
