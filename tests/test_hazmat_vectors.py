"""Published vectors, and why some public keys are refused."""

from __future__ import annotations

import pytest

from safeload.hazmat import ed25519, mac, points

# RFC 8032, section 7.1: TEST 1 to 3.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

# RFC 4231, test cases 1, 2, 3, 4, 6 and 7 (5 cuts the tag short, which is not done here).
LONG_MESSAGE = (
    b"This is a test using a larger than block-size key and a larger than block-size data. "
    b"The key needs to be hashed before being used by the HMAC algorithm."
)
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (b"\xaa" * 131, LONG_MESSAGE, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
]

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Addition on the Edwards curve, written for these tests alone."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    total = (0, 1)
    for bit in bin(factor)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def root(square: int) -> int | None:
    """A square root modulo P (RFC 8032, 5.1.1), or None."""
    x = pow(square, (P + 3) // 8, P)
    if x * x % P == square % P:
        return x
    x = x * pow(2, (P - 1) // 4, P) % P
    return x if x * x % P == square % P else None


def with_y(y: int) -> tuple[int, int] | None:
    x = root((y * y - 1) * pow(D * y * y + 1, -1, P))
    return None if x is None else (x, y)


def encoded(point: tuple[int, int]) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def small_order_points() -> set[bytes]:
    """The eight points whose order divides 8: multiples by the group's order of points of the whole curve."""
    candidates = (with_y(y) for y in range(2, 80))
    return {encoded(times(ORDER, point)) for point in candidates if point is not None}


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_ed25519_signs_and_verifies_what_rfc_8032_says(seed: str, public: str, message: str, signature: str) -> None:
    assert ed25519.public_key(bytes.fromhex(seed)).hex() == public
    assert ed25519.sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature
    assert ed25519.verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
    assert points.defect(bytes.fromhex(public)) == ""


@pytest.mark.parametrize(("key", "message", "tag"), RFC_4231)
def test_hmac_gives_the_tags_of_rfc_4231(key: bytes, message: bytes, tag: str) -> None:
    assert mac.tag(key, message).hex() == tag
    assert mac.verify(key, message, bytes.fromhex(tag))


def test_a_signature_with_one_bit_changed_does_not_verify() -> None:
    seed, public, message, signature = (bytes.fromhex(text) for text in RFC_8032[2])
    for bit in range(512):
        forged = bytearray(signature)
        forged[bit // 8] ^= 1 << bit % 8
        assert not ed25519.verify(public, message, bytes(forged))
    assert not ed25519.verify(public, seed, signature)


@pytest.mark.parametrize("length", [0, 31, 32, 63, 65, 128])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    assert not ed25519.verify(bytes.fromhex(RFC_8032[0][1]), b"", bytes(length))
    if length != mac.TAG_BYTES:
        assert not mac.verify(b"k" * 32, b"", bytes(length))


def test_a_signature_whose_s_is_not_reduced_does_not_verify() -> None:
    _, public, message, signature = (bytes.fromhex(text) for text in RFC_8032[0])
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not ed25519.verify(public, message, signature[:32] + s.to_bytes(32, "little"))


def test_with_a_key_of_small_order_one_signature_holds_for_every_message() -> None:
    """The attack that `points.defect` is there for: the neutral element as key, R = the same, S = 0."""
    neutral = encoded((0, 1))
    signature = neutral + bytes(32)
    assert ed25519.verify(neutral, b"any", signature)
    assert ed25519.verify(neutral, b"and every", signature)
    assert "small order" in points.defect(neutral)


def test_all_eight_points_of_small_order_are_refused() -> None:
    found = small_order_points()
    assert len(found) == 8
    for public in found:
        assert "small order" in points.defect(public)


def test_a_set_sign_where_x_is_zero_is_refused() -> None:
    for y in (1, P - 1):
        assert points.defect((y | 1 << 255).to_bytes(32, "little"))


def test_encodings_that_are_not_canonical_are_refused() -> None:
    for y in range(P, 2**255):
        for sign in (0, 1 << 255):
            assert "canonical" in points.defect((y | sign).to_bytes(32, "little"))


def test_bytes_that_are_no_point_are_refused() -> None:
    for y in range(2, 60):
        public = y.to_bytes(32, "little")
        assert (points.defect(public) == "") == (with_y(y) is not None)


def test_a_public_key_of_another_length_is_refused() -> None:
    assert points.defect(b"short") == "has 5 bytes instead of 32"
