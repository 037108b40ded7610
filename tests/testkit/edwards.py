"""Points of edwards25519 (RFC 8032, 5.1), slow and plain: to make signatures that nobody honest makes."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

__all__ = ["BASE", "L", "P", "Point", "encode", "hash_to_scalar", "low_order_points", "multiply"]

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


class Point(NamedTuple):
    x: int
    y: int

    def plus(self, other: Point) -> Point:
        """The addition law of the curve, which knows no exceptions."""
        product = D * self.x * other.x * self.y * other.y % P
        x = (self.x * other.y + self.y * other.x) * pow(1 + product, -1, P) % P
        y = (self.y * other.y + self.x * other.x) * pow(1 - product, -1, P) % P
        return Point(x, y)


NEUTRAL = Point(0, 1)


def multiply(scalar: int, point: Point) -> Point:
    found = NEUTRAL
    for bit in f"{scalar:b}":
        found = found.plus(found)
        if bit == "1":
            found = found.plus(point)
    return found


def _with_y(y: int, odd: int) -> Point:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0, "no point"
    return Point(P - x if x and x % 2 != odd else x, y)


BASE = _with_y(4 * pow(5, -1, P) % P, 0)


def encode(point: Point) -> bytes:
    """The canonical 32 bytes."""
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


def low_order_points() -> list[Point]:
    """The eight points whose order divides the cofactor."""
    generator = _with_y(
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"), 0
    )
    return [multiply(factor, generator) for factor in range(8)]


def hash_to_scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L
