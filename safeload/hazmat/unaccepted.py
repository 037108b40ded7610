"""What to say about a key of a kind that does not sign here."""

from __future__ import annotations

from safeload.errors import AlgorithmError
from safeload.text import printable

__all__ = ["refusal", "spoken_name"]

_ACCEPTED = "safeload accepts Ed25519, ECDSA P-256, ML-DSA-65, and Ed25519 with ML-DSA-65"

# Of OpenSSH's own formats only Ed25519's are read.
_OTHER_FORMATS = {
    "ecdsa-sha2-nistp256": "PEM is read: ssh-keygen -p -m PKCS8 -f id_ecdsa; ssh-keygen -e -m PKCS8 -f id_ecdsa",
}

# Names of cryptography's key classes, without PublicKey or PrivateKey, that do not read well as they are.
_SPOKEN = {
    "EC": "ECDSA",
    "MLDSA44": "ML-DSA-44",
    "MLDSA65": "ML-DSA-65",
    "MLDSA87": "ML-DSA-87",
    "X25519": "X25519 (which encrypts and cannot sign)",
    "X448": "X448 (which encrypts and cannot sign)",
}


def refusal(path: str, algorithm: str) -> AlgorithmError:
    """The error for a key file that holds a key for `algorithm`."""
    return AlgorithmError(
        f"{printable(path)} holds a key for {printable(algorithm)}; {_ACCEPTED}",
        path=path,
        hint=_OTHER_FORMATS.get(algorithm, "make one: safeload keygen team"),
    )


def spoken_name(key: object) -> str:
    """What a key object of ``cryptography`` is for, with the curve if it has one: ``ECDSA secp256r1``."""
    short = type(key).__name__.removesuffix("PublicKey").removesuffix("PrivateKey")
    curve = getattr(getattr(key, "curve", None), "name", "")
    return f"{_SPOKEN.get(short, short)} {curve}".strip()
