"""The algorithms of docs/format.md, section 7.2, by the number that stands in a record."""

from __future__ import annotations

from dataclasses import dataclass

from safeload.hazmat.kinds import ECDSA_P256, ED25519, HYBRID, ML_DSA_65

__all__ = [
    "ALGORITHMS",
    "ECDSA_P256",
    "ED25519",
    "HMAC_SHA256",
    "HYBRID",
    "ML_DSA_65",
    "NUMBERS",
    "Algorithm",
    "algorithm_name",
]

HMAC_SHA256 = "hmac-sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """``least`` and ``most`` bound the signature, in bytes."""

    name: str
    least: int
    most: int


ALGORITHMS: dict[int, Algorithm] = {
    1: Algorithm(name=ED25519, least=64, most=64),
    2: Algorithm(name=HMAC_SHA256, least=32, most=32),
    3: Algorithm(name=ECDSA_P256, least=8, most=72),
    4: Algorithm(name=ML_DSA_65, least=3309, most=3309),
    5: Algorithm(name=HYBRID, least=64 + 3309, most=64 + 3309),
}

NUMBERS: dict[str, int] = {algorithm.name: number for number, algorithm in ALGORITHMS.items()}


def algorithm_name(number: int | None) -> str:
    """The name of algorithm `number`, for messages; numbers that this document does not define have none."""
    if number is None:
        return "no algorithm"
    known = ALGORITHMS.get(number)
    return known.name if known else f"algorithm {number}"
