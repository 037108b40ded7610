"""Who signed, and whom we trust: keyids, key files, signers, trust stores."""

from __future__ import annotations

from safeload.keys.algorithms import ALGORITHMS, ED25519, HMAC_SHA256, NUMBERS, Algorithm, algorithm_name
from safeload.keys.folder import IgnoredKeyWarning
from safeload.keys.keygen import GeneratedKey, keygen
from safeload.keys.keyid import ed25519_keyid, hmac_keyid, short
from safeload.keys.resolve import signer_from, trust_from
from safeload.keys.signer import Ed25519Signer, HmacSigner, Signer
from safeload.keys.store import TrustAddition, trust_add, trust_list
from safeload.keys.trust import TrustStore, UnsafeWarning
from safeload.keys.trusted import TrustedKey
from safeload.keys.verification import Record

__all__ = [
    "ALGORITHMS",
    "ED25519",
    "HMAC_SHA256",
    "NUMBERS",
    "Algorithm",
    "Ed25519Signer",
    "GeneratedKey",
    "HmacSigner",
    "IgnoredKeyWarning",
    "Record",
    "Signer",
    "TrustAddition",
    "TrustStore",
    "TrustedKey",
    "UnsafeWarning",
    "algorithm_name",
    "ed25519_keyid",
    "hmac_keyid",
    "keygen",
    "short",
    "signer_from",
    "trust_add",
    "trust_from",
    "trust_list",
]
