"""The edge cases of Ed25519 that CCTV (C2SP, ed25519) names, each made anew: which of them verify here.

Non-canonical and small-order keys are refused before they are trusted. Of R, what is not canonical and what leaves a
residue of low order does not verify. R of low order by itself does, as in OpenSSL: it takes the key to make one.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import pytest

from safeload.hazmat import kinds
from safeload.hazmat.kinds import ED25519, Key
from testkit.edwards import BASE, L, P, Point, encode, hash_to_scalar, low_order_points, multiply

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW = low_order_points()
SECRET, NONCE = 0x1234567890ABCDEF % L, 0xFEDCBA0987654321 % L
NEUTRAL = Point(0, 1)


class Edge(NamedTuple):
    key: bytes
    message: bytes
    signature: bytes
    residue: bool


def signed(
    key_prime: int, key_low: Point, r_prime: int, r_low: Point, *, residue: bool, r_bytes: bytes | None = None
) -> Edge:
    """S = r + k a, with a message for which the parts of low order cancel out, or do not."""
    key = encode(multiply(key_prime, BASE).plus(key_low))
    r = r_bytes or encode(multiply(r_prime, BASE).plus(r_low))
    for number in itertools.count():
        message = b"edge %d" % number
        k = hash_to_scalar(r, key, message)
        left = r_low.plus(multiply(k, key_low))
        if (left != NEUTRAL) == residue:
            return Edge(key, message, r + ((r_prime + k * key_prime) % L).to_bytes(32, "little"), residue)
        assert number < 500, "cannot be had"
    raise AssertionError


def possible(key_low: Point, r_low: Point, *, residue: bool) -> bool:
    """Whether some k gives that: r_low + k key_low."""
    reached = {r_low.plus(multiply(k, key_low)) == NEUTRAL for k in range(8)}
    return (not residue) in reached


def edges() -> Iterator[Edge]:
    for key_low, r_low, residue, r_prime in itertools.product(LOW, LOW, (False, True), (0, NONCE)):
        if possible(key_low, r_low, residue=residue):
            yield signed(SECRET, key_low, r_prime, r_low, residue=residue)


def verifies(edge: Edge) -> bool:
    key = Key(ED25519, edge.key)
    assert kinds.defect(key) == ""
    return kinds.verify(key, edge.message, edge.signature)


def test_what_leaves_a_residue_does_not_verify_and_all_else_does() -> None:
    found = list(edges())
    assert len(found) > 150
    for edge in found:
        assert verifies(edge) == (not edge.residue)


@pytest.mark.parametrize("point", range(8))
def test_keys_of_small_order_are_refused_in_each_spelling(point: int) -> None:
    low = LOW[point]
    spellings = {encode(low), (low.y | 1 << 255).to_bytes(32, "little"), low.y.to_bytes(32, "little")}
    if low.y + P < 1 << 255:
        spellings |= {(low.y + P).to_bytes(32, "little"), (low.y + P | 1 << 255).to_bytes(32, "little")}
    for spelling in spellings:
        assert kinds.defect(Key(ED25519, spelling))


@pytest.mark.parametrize("point", range(8))
def test_an_r_that_is_not_canonical_does_not_verify(point: int) -> None:
    low = LOW[point]
    odd = []
    if low.x == 0:
        odd.append((low.y | 1 << 255).to_bytes(32, "little"))
    if low.y + P < 1 << 255:
        odd += [(low.y + P).to_bytes(32, "little"), (low.y + P | (low.x & 1) << 255).to_bytes(32, "little")]
    for spelling in odd:
        if spelling != encode(low) and possible(NEUTRAL, low, residue=low != NEUTRAL):
            edge = signed(SECRET, NEUTRAL, 0, low, residue=low != NEUTRAL, r_bytes=spelling)
            assert not verifies(edge)


def test_an_s_beyond_the_order_does_not_verify() -> None:
    edge = signed(SECRET, NEUTRAL, NONCE, NEUTRAL, residue=False)
    assert verifies(edge)
    s = int.from_bytes(edge.signature[32:], "little")
    for more in range(1, 8):
        other = s + more * L
        if other < 1 << 256:
            assert not verifies(edge._replace(signature=edge.signature[:32] + other.to_bytes(32, "little")))
