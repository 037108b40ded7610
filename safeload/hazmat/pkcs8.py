"""Encrypted PKCS#8 (RFC 5958) by PBES2 (RFC 8018): writing it with scrypt (RFC 7914), and what reading one would cost.

``cryptography`` writes PBKDF2 with 2,048 rounds, which one graphics card tries millions of times a second; so the
structure is written here. This module loads ``cryptography.x509`` (30 ms) and is imported where it is needed.
"""

from __future__ import annotations

import os

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509 import ObjectIdentifier

__all__ = ["affordable", "decrypt", "encrypt"]

# One of OWASP's equivalent parameter sets. It takes 16 MiB, and OpenSSL reads up to 32 MiB without being told more.
_N, _R, _P = 1 << 14, 8, 5
_KEY_BYTES, _BLOCK_BYTES = 32, 16

# What a file may ask for: 1 GiB, and some ten seconds of one core.
_MAX_SCRYPT_MEMORY = 1 << 30
_MAX_SCRYPT_WORK = 1 << 25
_MAX_PBKDF2_ROUNDS = 20_000_000

_PBES2 = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2 = ObjectIdentifier("1.2.840.113549.1.5.12")
_SCRYPT = ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
_AES_256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")


@asn1.sequence
class _Algorithm:
    """AlgorithmIdentifier of RFC 5280, with the parameters that every algorithm here has."""

    oid: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _Pbes2:
    """PBES2-params of RFC 8018, A.4."""

    kdf: _Algorithm
    cipher: _Algorithm


@asn1.sequence
class _Scrypt:
    """scrypt-params of RFC 7914, 7.1."""

    salt: bytes
    n: int
    r: int
    p: int
    key_bytes: int | None


@asn1.sequence
class _Pbkdf2:
    """PBKDF2-params of RFC 8018, A.2."""

    salt: bytes
    rounds: int
    key_bytes: int | None
    prf: list[asn1.TLV] | None


@asn1.sequence
class _EncryptedPrivateKeyInfo:
    """RFC 5958, section 3."""

    algorithm: _Algorithm
    data: bytes


def encrypt(private_key_info: bytes, passphrase: bytes) -> bytes:
    """`private_key_info` (DER) as DER EncryptedPrivateKeyInfo: scrypt, N = 2^14, r = 8, p = 5, and AES-256-CBC."""
    salt, iv = os.urandom(_BLOCK_BYTES), os.urandom(_BLOCK_BYTES)
    key = Scrypt(salt=salt, length=_KEY_BYTES, n=_N, r=_R, p=_P).derive(passphrase)
    kdf = _Scrypt(salt=salt, n=_N, r=_R, p=_P, key_bytes=None)
    parameters = _Pbes2(kdf=_algorithm(_SCRYPT, kdf), cipher=_algorithm(_AES_256_CBC, iv))
    data = _aes_cbc(key, iv, private_key_info)
    return asn1.encode_der(_EncryptedPrivateKeyInfo(algorithm=_algorithm(_PBES2, parameters), data=data))


def _algorithm(oid: ObjectIdentifier, parameters: object) -> _Algorithm:
    return _Algorithm(oid=oid, parameters=asn1.decode_der(asn1.TLV, asn1.encode_der(parameters)))


def _aes_cbc(key: bytes, iv: bytes, plain: bytes) -> bytes:
    padder = PKCS7(8 * _BLOCK_BYTES).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def affordable(der: bytes) -> bool:
    """Whether trying a passphrase on `der` costs bounded time and memory. Raises ValueError if it is not PBES2.

    A file that asks for 2^40 rounds would otherwise hang whoever names it.
    """
    algorithm = asn1.decode_der(_EncryptedPrivateKeyInfo, der).algorithm
    if algorithm.oid != _PBES2:
        raise ValueError("not PBES2")
    kdf = algorithm.parameters.parse(_Pbes2).kdf
    if kdf.oid == _SCRYPT:
        cost: _Scrypt = kdf.parameters.parse(_Scrypt)
        return 128 * cost.n * cost.r <= _MAX_SCRYPT_MEMORY and cost.n * cost.r * cost.p <= _MAX_SCRYPT_WORK
    if kdf.oid == _PBKDF2:
        slow: _Pbkdf2 = kdf.parameters.parse(_Pbkdf2)
        return slow.rounds <= _MAX_PBKDF2_ROUNDS
    raise ValueError("neither scrypt nor PBKDF2")


def decrypt(der: bytes, passphrase: bytes) -> bytes:
    """The DER PrivateKeyInfo in `der`, of whatever kind of key, encrypted as `encrypt` does.

    ``cryptography`` decrypts only what it knows as a key. Ask `affordable` first. Raises ValueError.
    """
    outer = asn1.decode_der(_EncryptedPrivateKeyInfo, der)
    scheme = outer.algorithm.parameters.parse(_Pbes2)
    if scheme.kdf.oid != _SCRYPT or scheme.cipher.oid != _AES_256_CBC:
        raise ValueError("neither scrypt nor AES-256-CBC")
    cost: _Scrypt = scheme.kdf.parameters.parse(_Scrypt)
    key = Scrypt(salt=cost.salt, length=_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p).derive(passphrase)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(scheme.cipher.parameters.parse(bytes))).decryptor()
    unpadder = PKCS7(8 * _BLOCK_BYTES).unpadder()
    return unpadder.update(decryptor.update(outer.data) + decryptor.finalize()) + unpadder.finalize()
