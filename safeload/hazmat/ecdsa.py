"""ECDSA over P-256 with SHA-256 (FIPS 186-5, SEC 1): what most HSMs and key services sign with.

A secret is the scalar in 32 bytes, a public key the point without compression in 65 (SEC 1, 2.3.3), so that each key
has one spelling and one keyid; a signature is the DER of two integers, at most 72 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["PUBLIC_BYTES", "SECRET_BYTES", "defect", "new_secret", "public_key", "sign", "verify"]

SECRET_BYTES, PUBLIC_BYTES = 32, 65
_PLAIN_POINT = 4
# FIPS 186-5 names the curve; SP 800-186, 3.2.1.3 gives it: y^2 = x^3 - 3x + b over the integers modulo p.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def new_secret() -> bytes:
    """A private key from the system's randomness."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(SECRET_BYTES, "big")


def public_key(secret: bytes) -> bytes:
    """The 65 bytes of the public key. Raises ValueError for a number that is no secret of this curve."""
    numbers = _private(secret).public_key().public_numbers()
    return bytes([_PLAIN_POINT]) + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def sign(secret: bytes, message: bytes) -> bytes:
    """The DER of the signature over `message`, 8 to 72 bytes."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return _private(secret).sign(message, ec.ECDSA(hashes.SHA256()))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message`. OpenSSL takes the one DER spelling of its two integers only.

    Who has one signature can write a second one, with n - s in place of s; nothing here counts signatures.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def defect(public: bytes) -> str:
    """What is wrong with `public`, to stand after "the key in x.pub ..."; empty if nothing is.

    The order of the curve is prime: each of its points, but for the neutral one, which has no 65 bytes, is as good.
    """
    if len(public) != PUBLIC_BYTES or public[0] != _PLAIN_POINT:
        return f"is not {PUBLIC_BYTES} bytes of a point without compression"
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if x >= _P or y >= _P or (y * y - (x * x - 3) * x - _B) % _P:
        return "is not a point of the curve: the file is damaged"
    return ""


def _private(secret: bytes) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
