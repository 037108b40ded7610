"""C2SP chunked-encryption v1 as Cobblestone-256: AES-256-GCM in chunks of 16 KiB, keys by HKDF-Expand-SHA-512.

``cryptography.cobblestone`` is the same scheme as one stream, from the first chunk on. Here any run of chunks can be
sealed or opened, so that threads share the work and one member of many is read alone; the bytes are the same.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from safeload.errors import CorruptCiphertextError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["CHUNK", "FILE_KEY_BYTES", "HEAD", "STORED", "TAG", "ChunkKey", "new_file_key", "new_stream", "open_stream"]

CHUNK = 16 * 1024
TAG = 16
STORED = CHUNK + TAG
FILE_KEY_BYTES = 32

_SALT, _COMMITMENT = 24, 32
HEAD = _SALT + _COMMITMENT
_KEY, _NONCE = 32, 12
# The name of the AEAD in IANA's registry, ended by a zero byte, keeps the two instances of the scheme apart.
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


@dataclass(frozen=True, slots=True)
class ChunkKey:
    """The AEAD key and the base nonce of one stream. Made after the key commitment was checked, never before."""

    key: bytes = field(repr=False)
    nonce: int = field(repr=False)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("the key of a stream is not pickled or copied")

    def seal(self, first: int, plain: memoryview, stored: memoryview) -> None:
        """Encrypt the chunks from number `first` on into `stored`, which has 16 bytes more for each.

        Each chunk but the last one of a stream is 16 KiB long; the last one is shorter and may be empty.
        """
        encrypt = _aead(self.key).encrypt_into
        for at in range(-(-len(stored) // STORED)):
            encrypt(
                (self.nonce ^ (first + at)).to_bytes(_NONCE, "big"),
                plain[at * CHUNK : (at + 1) * CHUNK],
                None,
                stored[at * STORED : (at + 1) * STORED],
            )

    def open(self, first: int, stored: memoryview, plain: memoryview) -> None:
        """Decrypt the chunks from number `first` on into `plain`, which is to be used only if nothing is raised.

        Raises CorruptCiphertextError with the number of the first chunk that is not authentic.
        """
        from cryptography.exceptions import InvalidTag

        decrypt = _aead(self.key).decrypt_into
        number = first
        try:
            for at in range(-(-len(stored) // STORED)):
                number = first + at
                decrypt(
                    (self.nonce ^ number).to_bytes(_NONCE, "big"),
                    stored[at * STORED : (at + 1) * STORED],
                    None,
                    plain[at * CHUNK : (at + 1) * CHUNK],
                )
        except InvalidTag:
            text = f"chunk {number} of the payload is not what was encrypted, or stands in another's place"
            raise CorruptCiphertextError(text, chunk=number) from None


def new_file_key() -> bytes:
    """32 bytes of the system's randomness."""
    return os.urandom(FILE_KEY_BYTES)


def new_stream(file_key: bytes, context: bytes) -> tuple[bytes, ChunkKey]:
    """The 56 bytes with which a new stream begins (salt and key commitment), and the key of its chunks."""
    salt = os.urandom(_SALT)
    key, commitment = _derived(file_key, salt, context)
    return salt + commitment, key


def open_stream(file_key: bytes, context: bytes, head: bytes) -> ChunkKey | None:
    """The key of the chunks of the stream that begins with `head`, or None if it is not committed to `file_key`.

    Without the commitment a ciphertext could open under several keys, into another plaintext for each.
    """
    key, commitment = _derived(file_key, head[:_SALT], context)
    return key if hmac.compare_digest(commitment, head[_SALT:]) else None


def _derived(file_key: bytes, salt: bytes, context: bytes) -> tuple[ChunkKey, bytes]:
    """key || base nonce || commitment = HKDF-Expand(file key, prefix || AEAD || 0 || salt || context)."""
    from cryptography.hazmat.primitives.hashes import SHA512
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    if len(file_key) != FILE_KEY_BYTES:
        raise ValueError(f"a file key has {FILE_KEY_BYTES} bytes, not {len(file_key)}")
    output = HKDFExpand(SHA512(), _KEY + _NONCE + _COMMITMENT, _INFO + salt + context).derive(file_key)
    key, nonce, commitment = output[:_KEY], output[_KEY : _KEY + _NONCE], output[_KEY + _NONCE :]
    return ChunkKey(key, int.from_bytes(nonce, "big")), commitment


def _aead(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 11 ms

    return AESGCM(key)
