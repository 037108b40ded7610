"""Which 32 bytes are an Ed25519 public key worth trusting (RFC 8032, section 5.1).

OpenSSL takes any 32 bytes for a public key. With a point of small order as the key, a signature that holds for
many messages or for all can be written without any secret; so such a key is refused before it is trusted.
"""

from __future__ import annotations

import functools

__all__ = ["PUBLIC_BYTES", "defect"]

PUBLIC_BYTES = 32

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_Y_MASK = 2**255 - 1

# y of a point of order 8; its negative is y of the other ones.
_Y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")

# Orders 4, 1, 2, 8, 8. The sign of x is left out: both signs are of small order, and where x = 0 a set sign is
# an encoding that is not canonical.
_SMALL_ORDER = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


@functools.lru_cache(maxsize=100)
def defect(public: bytes) -> str:
    """What is wrong with `public` (32 bytes), to stand after "the key in x.pub ..."; empty if nothing is."""
    if len(public) != PUBLIC_BYTES:
        return f"has {len(public)} bytes instead of {PUBLIC_BYTES}"
    y = int.from_bytes(public, "little") & _Y_MASK
    if y >= _P:
        return "is not in canonical form (RFC 8032, 5.1.3)"
    if y in _SMALL_ORDER:
        return "is a point of small order, with which anybody can sign"
    if not _on_curve(y):
        return "is not a point of the curve: the file is damaged"
    return ""


def _on_curve(y: int) -> bool:
    """Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root. u / v and u v differ by a square, so Euler decides on u v."""
    u, v = y * y - 1, _D * y * y + 1
    return pow(u * v, (_P - 1) // 2, _P) in (0, 1)
