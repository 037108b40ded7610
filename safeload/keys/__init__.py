"""Who signed, who may read, and whom we trust: keyids, key files, signers, trust stores, recipients, identities."""

from __future__ import annotations

from safeload.keys.algorithms import ALGORITHMS, ED25519, HMAC_SHA256, NUMBERS, Algorithm, algorithm_name
from safeload.keys.encryption_keygen import ENCRYPTION_KINDS
from safeload.keys.filekeys import SCHEME, FileKey, Secret, new_file_key, unlock, wrap
from safeload.keys.folder import IgnoredKeyWarning
from safeload.keys.identities import Identity
from safeload.keys.keygen import GeneratedKey, keygen
from safeload.keys.keyid import ed25519_keyid, hmac_keyid, short
from safeload.keys.recipients import Audience, Recipient, audience_from
from safeload.keys.resolve import signer_from, trust_from
from safeload.keys.signer import Ed25519Signer, HmacSigner, Signer
from safeload.keys.store import TrustAddition, trust_add, trust_list
from safeload.keys.trust import TrustStore, UnsafeWarning
from safeload.keys.trusted import TrustedKey
from safeload.keys.verification import Record

__all__ = [
    "ALGORITHMS",
    "ED25519",
    "ENCRYPTION_KINDS",
    "HMAC_SHA256",
    "NUMBERS",
    "SCHEME",
    "Algorithm",
    "Audience",
    "Ed25519Signer",
    "FileKey",
    "GeneratedKey",
    "HmacSigner",
    "Identity",
    "IgnoredKeyWarning",
    "Recipient",
    "Record",
    "Secret",
    "Signer",
    "TrustAddition",
    "TrustStore",
    "TrustedKey",
    "UnsafeWarning",
    "algorithm_name",
    "audience_from",
    "ed25519_keyid",
    "hmac_keyid",
    "keygen",
    "new_file_key",
    "short",
    "signer_from",
    "trust_add",
    "trust_from",
    "trust_list",
    "unlock",
    "wrap",
]
