"""Format 8 for a second time, from the document and the RFCs that it names: HPKE, Argon2id and chunks, step by step.

Every random number is an argument, so that vectors never change. Nothing is imported from safeload.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from testkit.container import CONTAINER_ID, TEST, Draft, Json, Member, Prelude, draft

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK, TAG = 16_384, 16
SALT = bytes(range(24))
FILE_KEY = bytes(range(100, 132))
EPHEMERAL = bytes(range(32, 64))
COSTS = {"memory": 64, "passes": 1, "lanes": 1}


@dataclass(frozen=True, slots=True)
class Reader:
    """An X25519 key made from a fixed seed."""

    seed: bytes

    @property
    def private(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def keyid(self) -> str:
        spki = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).hexdigest()

    @property
    def pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


MACHINE = Reader(bytes(range(150, 182)))
SECOND = Reader(bytes(range(151, 183)))


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def info(signer: bytes = TEST.keyid, container_id: bytes = CONTAINER_ID) -> bytes:
    return b"safeload/v1 file key\0" + container_id + signer


# --- the payload (C2SP chunked-encryption) ----------------------------------------------------


def expand(hash_name: str, key: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand of RFC 5869."""
    output, block, counter = b"", b"", 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(key, block + label + bytes([counter]), hash_name)
        output += block
    return output[:length]


def chunk_keys(file_key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    output = expand("sha512", file_key, label, 32 + 12 + 32)
    return output[:32], output[32:44], output[44:]


def chunks_of(plain: bytes, file_key: bytes = FILE_KEY) -> tuple[bytes, list[bytes]]:
    """The head of the ciphertext, and its sealed chunks."""
    key, nonce, commitment = chunk_keys(file_key, SALT, b"safeload/v1 payload\0" + CONTAINER_ID)
    sealed = []
    for number in range(len(plain) // CHUNK + 1):
        mixed = (int.from_bytes(nonce, "big") ^ number).to_bytes(12, "big")
        sealed.append(AESGCM(key).encrypt(mixed, plain[number * CHUNK : (number + 1) * CHUNK], b""))
    return SALT + commitment, sealed


def ciphertext(plain: bytes, file_key: bytes = FILE_KEY) -> bytes:
    head, sealed = chunks_of(plain, file_key)
    return head + b"".join(sealed)


# --- the file key (RFC 9180, base mode; RFC 9106) ---------------------------------------------

_KEM, _SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"


def _extract(suite: bytes, salt: bytes, label: bytes, value: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + value, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, value: bytes, length: int) -> bytes:
    return expand("sha256", key, struct.pack(">H", length) + b"HPKE-v1" + suite + label + value, length)


def hpke_seal(public: bytes, plain: bytes, words: bytes) -> tuple[bytes, bytes]:
    """``enc`` and the ciphertext, for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    ephemeral = X25519PrivateKey.from_private_bytes(EPHEMERAL)
    enc = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    secret = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", shared), b"shared_secret", enc + public, 32)
    context = b"\0" + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", words)
    scheduled = _extract(_SUITE, secret, b"secret", b"")
    key = _expand(_SUITE, scheduled, b"key", context, 32)
    nonce = _expand(_SUITE, scheduled, b"base_nonce", context, 12)
    return enc, AESGCM(key).encrypt(nonce, plain, b"")


def stanza_for(reader: Reader, file_key: bytes = FILE_KEY, words: bytes | None = None) -> Json:
    enc, wrapped = hpke_seal(reader.public, file_key, info() if words is None else words)
    return {"type": "x25519", "keyid": reader.keyid, "enc": text(enc), "wrapped": text(wrapped)}


def stretched(passphrase: bytes, words: bytes, salt: bytes = bytes(16)) -> bytes:
    return Argon2id(
        salt=salt, length=32, iterations=COSTS["passes"], lanes=COSTS["lanes"], memory_cost=COSTS["memory"], ad=words
    ).derive(passphrase)


def passphrase_stanza(passphrase: bytes, file_key: bytes = FILE_KEY, words: bytes | None = None) -> Json:
    key = stretched(passphrase, info() if words is None else words)
    return with_wrapped(AESGCM(key).encrypt(bytes(12), file_key, b""))


def with_wrapped(wrapped: bytes) -> Json:
    return {"type": "argon2id", "salt": text(bytes(16)), **COSTS, "wrapped": text(wrapped)}


# --- a file -----------------------------------------------------------------------------------


def sealed(
    *members: Member, recipients: Sequence[Json] | None = None, stored: bytes | None = None, signer: bytes = TEST.keyid
) -> Draft:
    """An honest encrypted file for MACHINE, except where the caller gives other stanzas or another ciphertext."""
    members = members or (Member(),)
    plain = draft(*members).payload
    rough = draft(*members, prelude=Prelude(flags=1), payload=ciphertext(plain) if stored is None else stored)
    scheme = {
        "scheme": "cobblestone-256",
        "size": len(plain),
        "signer": signer.hex(),
        "recipients": [stanza_for(MACHINE)] if recipients is None else list(recipients),
    }
    return rough.put("encryption", scheme)
