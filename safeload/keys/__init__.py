"""Who signed, who may read, and whom we trust: keyids, key files, signers, trust stores, recipients, identities."""

from __future__ import annotations

from safeload.hazmat.kinds import Key
from safeload.keys.algorithms import (
    ALGORITHMS,
    ECDSA_P256,
    ED25519,
    HMAC_SHA256,
    HYBRID,
    ML_DSA_65,
    NUMBERS,
    Algorithm,
    algorithm_name,
)
from safeload.keys.encryption_keygen import ENCRYPTION_KINDS
from safeload.keys.filekeys import SCHEME, FileKey, Secret, new_file_key, unlock, wrap
from safeload.keys.folder import IgnoredKeyWarning
from safeload.keys.identities import Identity
from safeload.keys.keygen import KEY_TYPES, GeneratedKey, keygen
from safeload.keys.keyid import hmac_keyid, public_keyid, public_pem, short
from safeload.keys.keysource import read_descriptor
from safeload.keys.own import trust_or_own
from safeload.keys.recipients import Audience, Recipient, audience_from
from safeload.keys.resolve import signer_from, trust_from
from safeload.keys.signed_ledger import trust_sign
from safeload.keys.signer import HmacSigner, KeySigner, RemoteSigner, Signer, signer_of_file
from safeload.keys.store import (
    TrustAddition,
    TrustEntry,
    trust_add,
    trust_check,
    trust_list,
    trust_revoke,
    trust_role,
)
from safeload.keys.terms import NO_TERMS, KeyTerms, Role
from safeload.keys.trust import TrustStore, UnsafeWarning
from safeload.keys.trusted import TrustedKey
from safeload.keys.verification import Record

__all__ = [
    "ALGORITHMS",
    "ECDSA_P256",
    "ED25519",
    "ENCRYPTION_KINDS",
    "HMAC_SHA256",
    "HYBRID",
    "KEY_TYPES",
    "ML_DSA_65",
    "NO_TERMS",
    "NUMBERS",
    "SCHEME",
    "Algorithm",
    "Audience",
    "FileKey",
    "GeneratedKey",
    "HmacSigner",
    "Identity",
    "IgnoredKeyWarning",
    "Key",
    "KeySigner",
    "KeyTerms",
    "Recipient",
    "Record",
    "RemoteSigner",
    "Role",
    "Secret",
    "Signer",
    "TrustAddition",
    "TrustEntry",
    "TrustStore",
    "TrustedKey",
    "UnsafeWarning",
    "algorithm_name",
    "audience_from",
    "hmac_keyid",
    "keygen",
    "new_file_key",
    "public_keyid",
    "public_pem",
    "read_descriptor",
    "short",
    "signer_from",
    "signer_of_file",
    "trust_add",
    "trust_check",
    "trust_from",
    "trust_list",
    "trust_or_own",
    "trust_revoke",
    "trust_role",
    "trust_sign",
    "unlock",
    "wrap",
]
