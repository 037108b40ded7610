"""The bundle of OpenSSF Model Signing v1: an in-toto statement about files, in DSSE's envelope, in Sigstore's bundle.

https://github.com/ossf/model-signing-spec; https://in-toto.io/Statement/v1; Sigstore's bundle, v0.3.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from safeload.container.strictjson import to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STATEMENT_TYPE", "bundle", "statement"]

STATEMENT_TYPE = "application/vnd.in-toto+json"
_BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def statement(name: str, digests: Mapping[str, bytes]) -> bytes:
    """What is signed: the SHA-256 of each file, by its path in the folder, and one over all of them. `name` informs."""
    files = sorted(digests.items())
    root = hashlib.sha256(b"".join(digest for _, digest in files)).hexdigest()
    return to_bytes(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": root}}],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
                "resources": [{"name": path, "algorithm": "sha256", "digest": digest.hex()} for path, digest in files],
            },
        }
    )


def bundle(payload: bytes, signature: bytes, public_pem: bytes) -> bytes:
    """`signature` is over DSSE's encoding of `payload`. The key is named by the hash of its PEM, and not included."""
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": STATEMENT_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
    }
    key = {"hint": hashlib.sha256(public_pem).hexdigest()}
    material = {"publicKey": key, "tlogEntries": []}
    return to_bytes({"mediaType": _BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}) + b"\n"
