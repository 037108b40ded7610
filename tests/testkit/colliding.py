"""A wrap that opens under two passphrases: AES-GCM does not commit to its key (Len, Grubbs, Ristenpart 2021).

With two blocks of plaintext there is one free block too many: the first is chosen, the second is solved for, so that
both keys give the same tag.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ONE = 1 << 127  # GCM's order of bits: the first one is the most significant
_POLYNOMIAL = 0xE1 << 120
_LENGTHS = int.from_bytes(struct.pack(">QQ", 0, 256), "big")


def wrapped_for_both(first: bytes, second: bytes, block: bytes = b"chosen as we like") -> bytes:
    """48 bytes that AES-256-GCM opens under either key, with twelve zero bytes of nonce and no additional data."""
    one = int.from_bytes(block[:16], "big")
    h, g = (_encrypted(key, bytes(16)) for key in (first, second))
    e, f = (_encrypted(key, bytes(12) + b"\0\0\0\1") for key in (first, second))
    rest = _times(one, _cube(h) ^ _cube(g)) ^ _times(_LENGTHS, h ^ g) ^ e ^ f
    two = _times(rest, _inverse(_times(h, h) ^ _times(g, g)))
    tag = _times(one, _cube(h)) ^ _times(two, _times(h, h)) ^ _times(_LENGTHS, h) ^ e
    return b"".join(value.to_bytes(16, "big") for value in (one, two, tag))


def _encrypted(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  one block of GCM's own
    return int.from_bytes(encryptor.update(block), "big")


def _times(left: int, right: int) -> int:
    """The product in GF(2^128), SP 800-38D, algorithm 1."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return product


def _cube(value: int) -> int:
    return _times(_times(value, value), value)


def _inverse(value: int) -> int:
    """value^(2^128 - 2): the group has 2^128 - 1 elements."""
    result = _ONE
    for _ in range(127):
        value = _times(value, value)
        result = _times(result, value)
    return result
